package ga4

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	fakega4 "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

// poller polls a fake and keeps what it got. Its clock stands until it is moved.
type poller struct {
	*sourcetest.Poller
	t         *testing.T
	now       time.Time
	zone      *time.Location
	history   window.Span
	server    *fakega4.Server
	source    *Source
	logs      bytes.Buffer
	bodies    []string
	statuses  map[int]int
	intercept func(body []byte) (status int, answer string)
}

func newPoller(t *testing.T, change func(*Options)) *poller {
	p := &poller{
		t: t, now: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), zone: time.UTC, history: window.Span{Days: 100},
		statuses: map[int]int{},
	}
	p.Poller = sourcetest.NewPoller(t, p.environment)
	p.server = fakega4.New(func() time.Time { return p.now })
	p.server.Token, p.server.Property, p.server.Zone = testToken, testProperty, "UTC"
	p.open(change)
	return p
}

// open replaces the source, as a restart does.
func (p *poller) open(change func(*Options)) {
	var err error
	deps := apiclient.Deps{Transport: p, Logger: slog.New(slog.NewTextHandler(&p.logs, nil))}
	if p.source, err = New("web", testOptions("http://ga4.test", change), deps); err != nil {
		p.t.Fatal(err)
	}
	p.Source = p.source
}

func (p *poller) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	if r.URL.Path != "/token" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		p.bodies = append(p.bodies, string(body))
		if p.intercept != nil {
			if status, text := p.intercept(body); status != 0 {
				answer.Header().Set("Content-Type", "application/json")
				answer.WriteHeader(status)
				_, err := answer.WriteString(text)
				return answer.Result(), err
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	p.server.ServeHTTP(answer, r)
	p.statuses[answer.Code]++
	return answer.Result(), nil
}

// Poll ends the test where a record was rejected, too.
func (p *poller) Poll(stream string) {
	p.t.Helper()
	p.Poller.Poll(stream)
	for _, r := range p.Rejected {
		p.t.Errorf("rejected: %+v", r)
	}
}

// truncated reports whether the vendor has cut an answer short in the last poll.
func (p *poller) truncated() bool {
	return slices.ContainsFunc(p.Pages, func(page sources.Page) bool { return page.Truncated })
}

func (p *poller) environment() sources.Environment {
	return sources.Environment{Zone: p.zone, Currency: "EUR", Now: p.now, Windows: window.Names(), History: p.history}
}

// day returns the day n days ago.
func (p *poller) day(ago int) record.Day { return record.DayOf(p.now.In(p.zone)) - record.Day(ago) }

// sessions sets a day's total and one visit of a campaign for each session.
func (p *poller) sessions(day record.Day, n int64, campaigns ...string) {
	f := fakega4.Figures{Total: fakega4.Counts{Sessions: n}}
	for _, name := range campaigns {
		f.Channels = append(f.Channels, fakega4.Visits{
			Source: "google", Medium: "cpc", Campaign: name, Group: "Paid Search", Counts: fakega4.Counts{Sessions: 1},
		})
	}
	p.server.SetDay(day, f)
}

// total returns the sessions of a day's total; -1 where there is no record.
func (p *poller) total(day record.Day) int64 {
	r, ok := p.Held[streamTraffic][totalID(day)].(*record.Traffic)
	if !ok {
		return -1
	}
	return r.Sessions.Micros / 1_000_000
}

// campaigns returns the campaigns of a day.
func (p *poller) campaigns(day record.Day) map[string]bool {
	list := map[string]bool{}
	for _, r := range p.Held[streamTraffic] {
		if r, ok := r.(*record.Traffic); ok && r.Day == day && r.By == record.ByChannel {
			list[r.Touch.Campaign] = true
		}
	}
	return list
}
