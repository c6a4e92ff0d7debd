package stripe

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

// poller polls a fake in simulated time and keeps what it got.
type poller struct {
	*sourcetest.Poller
	t        *testing.T
	server   *fakestripe.Server
	source   *Source
	statuses map[int]int
	edit     func(path, body string) string
}

func newPoller(t *testing.T, change func(*Options)) *poller {
	p := &poller{t: t, server: fakestripe.New(time.Now), statuses: map[int]int{}}
	p.Poller = sourcetest.NewPoller(t, p.environment)
	p.server.Key = testKey
	p.open(change)
	p.server.AddCustomer(time.Now(), fakestripe.Customer{ID: "cus_1", Email: "a@b.example"})
	for _, price := range []fakestripe.Price{
		{ID: "month10", Currency: "eur", UnitAmount: "1000", Interval: "month"},
		{ID: "month20", Currency: "eur", UnitAmount: "2000", Interval: "month"},
		{ID: "year1200", Currency: "eur", UnitAmount: "120000", Interval: "year"},
		{ID: "quarter300", Currency: "eur", UnitAmount: "30000", Interval: "month", IntervalCount: 3},
		{ID: "week12", Currency: "eur", UnitAmount: "1200", Interval: "week"},
	} {
		price.Product = "prod_" + price.ID
		p.server.AddPrice(price)
	}
	return p
}

// open replaces the source, as a restart does.
func (p *poller) open(change func(*Options)) {
	var err error
	if p.source, err = New("billing", testOptions("http://stripe.test", change), apiclient.Deps{Transport: p}); err != nil {
		p.t.Fatal(err)
	}
	p.Source = p.source
}

func (p *poller) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.server.ServeHTTP(answer, r)
	p.statuses[answer.Code]++
	if p.edit != nil {
		edited := httptest.NewRecorder()
		edited.Header().Set("Content-Type", "application/json")
		edited.WriteHeader(answer.Code)
		if _, err := edited.WriteString(p.edit(r.URL.Path, answer.Body.String())); err != nil {
			return nil, err
		}
		answer = edited
	}
	return answer.Result(), nil
}

func (p *poller) environment() sources.Environment {
	return sources.Environment{Zone: time.UTC, Currency: "EUR", Now: time.Now()}
}

// history polls and returns the subscription's history as text: the time since start, and the
// amount.
func (p *poller) history(start time.Time, id string) string {
	p.t.Helper()
	p.Poll("subscription")
	r, ok := p.Held["subscription"][id].(*record.Subscription)
	if !ok {
		p.t.Errorf("no subscription %s; rejected: %+v", id, p.Rejected)
		return ""
	}
	return historyText(start, r)
}

func historyText(start time.Time, r *record.Subscription) string {
	list := []string{r.State}
	for _, c := range r.History {
		at := time.UnixMicro(c.At.N).Sub(start)
		list = append(list, days(at)+" "+amountText(c.MRR))
	}
	return strings.Join(list, ", ")
}
