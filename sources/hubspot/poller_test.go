package hubspot

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// poller polls a fake in simulated time and keeps what it got.
type poller struct {
	t         *testing.T
	server    *fakehubspot.Server
	source    *Source
	cursors   map[string]string
	held      map[string]map[string]record.Record // by stream and ID
	statuses  map[int]int
	paths     map[string]bool
	intercept func(r *http.Request) (status int, body string)
	onPage    func(sources.Page) error
}

func newPoller(t *testing.T, change func(*Options)) *poller {
	p := &poller{
		t: t, server: fakehubspot.New(time.Now), cursors: map[string]string{}, statuses: map[int]int{}, paths: map[string]bool{},
		held: map[string]map[string]record.Record{"lead": {}, "account": {}, "deal": {}},
	}
	p.server.Token = testToken
	p.open(change)
	return p
}

// open replaces the source, as a restart does.
func (p *poller) open(change func(*Options)) {
	var err error
	if p.source, err = New("crm", testOptions("http://hubspot.test", change), apiclient.Deps{Transport: p}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *poller) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	if p.intercept != nil {
		if status, body := p.intercept(r); status != 0 {
			answer.Header().Set("Content-Type", "application/json")
			answer.WriteHeader(status)
			_, err := answer.WriteString(body)
			return answer.Result(), err
		}
	}
	p.server.ServeHTTP(answer, r)
	p.statuses[answer.Code]++
	p.paths[r.Method+" "+r.URL.Path] = true
	return answer.Result(), nil
}

func (p *poller) environment() sources.Environment {
	return sources.Environment{Zone: time.UTC, Currency: "EUR", Now: time.Now()}
}

// tryPoll polls a stream and keeps the pages by the rules of sources.Page.
func (p *poller) tryPoll(stream string) error {
	seen := map[string]bool{}
	req := sources.Request{Environment: p.environment(), Stream: stream, Cursor: p.cursors[stream]}
	return p.source.Fetch(p.t.Context(), req, func(_ context.Context, page sources.Page) error {
		if p.onPage != nil {
			if err := p.onPage(page); err != nil {
				return err
			}
		}
		if len(page.Rejected) > 0 {
			p.t.Errorf("rejected: %+v", page.Rejected)
		}
		for _, r := range page.Records {
			id := r.RecordMeta().ID
			seen[id] = true
			p.held[stream][id] = r
			if r.RecordMeta().Deleted {
				delete(p.held[stream], id)
			}
		}
		if page.Sweep {
			for id := range p.held[stream] {
				if !seen[id] {
					delete(p.held[stream], id)
				}
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

func (p *poller) holds(stream string, want int) {
	p.t.Helper()
	if got := len(p.held[stream]); got != want {
		p.t.Errorf("%d records of the stream %s are held, want %d", got, stream, want)
	}
}
