package googleads

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

// poller polls a fake in simulated time and keeps what it got.
type poller struct {
	*sourcetest.Poller
	t         *testing.T
	server    *fakegoogleads.Server
	source    *Source
	history   window.Span
	intercept func(r *http.Request) (status int, body string)
	last      *http.Request // to the API
}

func newPoller(t *testing.T, change func(*Options)) *poller {
	p := &poller{t: t}
	p.Poller = sourcetest.NewPoller(t, p.environment)
	p.use(fakegoogleads.Account{ID: testCustomer, Name: "Shop", Currency: "USD", Zone: newYork(t)})
	p.open(change)
	return p
}

func newYork(t *testing.T) *time.Location {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func (p *poller) use(a fakegoogleads.Account) {
	p.server = fakegoogleads.New(time.Now, a)
	p.server.AccessToken, p.server.RefreshToken, p.server.ClientSecret = testToken, testRefresh, testSecret
}

// open replaces the source, as a restart does.
func (p *poller) open(change func(*Options)) {
	var err error
	if p.source, err = New("ads", testOptions("http://google.test", change), apiclient.Deps{Transport: p}); err != nil {
		p.t.Fatal(err)
	}
	p.Source = p.source
}

func (p *poller) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/token" {
		p.last = r.Clone(r.Context())
	}
	answer := httptest.NewRecorder()
	if p.intercept != nil {
		if status, body := p.intercept(r); status != 0 {
			answer.Header().Set("Content-Type", "application/json")
			answer.WriteHeader(status)
			_, err := answer.WriteString(body)
			return answer.Result(), err
		}
	}
	p.server.Handler().ServeHTTP(answer, r)
	return answer.Result(), nil
}

func (p *poller) environment() sources.Environment {
	return sources.Environment{Zone: time.UTC, Currency: "EUR", Now: time.Now(), History: p.history}
}

// today is the day in the account's zone.
func (p *poller) today() record.Day { return record.DayOf(time.Now().In(newYork(p.t))) }

// spend returns the record of a campaign's day; nil where none is held.
func (p *poller) spend(campaign int64, day record.Day) *record.Spend {
	r, ok := p.Held["spend"][dayKey{campaign, day}.String()].(*record.Spend)
	if !ok {
		return nil
	}
	return r
}

// cost returns the micros of a campaign's day; -1 where no record is held.
func (p *poller) cost(campaign int64, day record.Day) int64 {
	if r := p.spend(campaign, day); r != nil {
		return r.Cost.Micros
	}
	return -1
}

// operations returns how many were counted.
func (p *poller) operations() int {
	n := 0
	for what, count := range p.server.Requests() {
		if what != "token" {
			n += count
		}
	}
	return n
}
