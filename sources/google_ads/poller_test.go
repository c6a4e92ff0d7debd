package googleads

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// poller polls a fake in simulated time and keeps what it got.
type poller struct {
	t         *testing.T
	server    *fakegoogleads.Server
	source    *Source
	history   window.Span
	cursors   map[string]string
	held      map[string]map[string]record.Record // by stream and ID
	rejected  []sources.Rejection
	intercept func(r *http.Request) (status int, body string)
	onPage    func(sources.Page) error
	last      *http.Request // to the API
}

func newPoller(t *testing.T, change func(*Options)) *poller {
	p := &poller{t: t, cursors: map[string]string{}, held: map[string]map[string]record.Record{"spend": {}, "ad_quality": {}}}
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

// tryPoll polls a stream and keeps the pages by the rules of sources.Page.
func (p *poller) tryPoll(stream string) error {
	req := sources.Request{Environment: p.environment(), Stream: stream, Cursor: p.cursors[stream]}
	return p.source.Fetch(p.t.Context(), req, func(_ context.Context, page sources.Page) error {
		if p.onPage != nil {
			if err := p.onPage(page); err != nil {
				return err
			}
		}
		p.rejected = append(p.rejected, page.Rejected...)
		for _, r := range page.Records {
			id := r.RecordMeta().ID
			p.held[stream][id] = r
			if r.RecordMeta().Deleted {
				delete(p.held[stream], id)
			}
		}
		if page.Cursor != "" {
			p.cursors[stream] = page.Cursor
		}
		return nil
	})
}

func (p *poller) poll(stream string) {
	p.t.Helper()
	if err := p.tryPoll(stream); err != nil {
		p.t.Fatal(err)
	}
}

// spend returns the record of a campaign's day; nil where none is held.
func (p *poller) spend(campaign int64, day record.Day) *record.Spend {
	r, ok := p.held["spend"][dayKey{campaign, day}.String()].(*record.Spend)
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
