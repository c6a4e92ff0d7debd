package hubspot

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

// poller polls a fake in simulated time and keeps what it got.
type poller struct {
	*sourcetest.Poller
	t         *testing.T
	server    *fakehubspot.Server
	source    *Source
	statuses  map[int]int
	paths     map[string]bool
	intercept func(r *http.Request) (status int, body string)
}

func newPoller(t *testing.T, change func(*Options)) *poller {
	p := &poller{t: t, server: fakehubspot.New(time.Now), statuses: map[int]int{}, paths: map[string]bool{}}
	p.Poller = sourcetest.NewPoller(t, p.environment)
	t.Cleanup(func() {
		for _, r := range p.Rejected {
			t.Errorf("rejected: %+v", r)
		}
	})
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
	p.Source = p.source
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

func (p *poller) holds(stream string, want int) {
	p.t.Helper()
	if got := len(p.Held[stream]); got != want {
		p.t.Errorf("%d records of the stream %s are held, want %d", got, stream, want)
	}
}
