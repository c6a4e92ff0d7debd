package hubspot

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.Burst = 20 // far below what the source begins with
		for n := range uint64(3000) {
			p.server.Put(fakehubspot.Companies, n+1, time.Now().Add(-time.Hour), map[string]string{})
		}
		begin := time.Now()
		p.Poll("account")
		p.holds("account", 3000)
		if p.statuses[429] > 0 {
			t.Errorf("%d requests were too many: the headers say how many are allowed", p.statuses[429])
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("32 requests at 20 in 10 s took %v", took)
		}
		p.server.Daily = 200 // half of it is for others
		p.Poll("lead")
		var limited *apiclient.RateLimitedError
		for range 100 {
			var ok bool
			if limited, ok = errors.AsType[*apiclient.RateLimitedError](p.TryPoll("account")); ok {
				break
			}
			p.Cursors["account"] = ""
		}
		if limited == nil || limited.Quota != quotaDaily {
			t.Fatalf("got %v, want the daily limit", limited)
		}
		if p.statuses[200] > 105 || p.statuses[429] > 0 {
			t.Errorf("%v: more than half of the day's requests were used", p.statuses)
		}
		time.Sleep(25 * time.Hour)
		if err := p.TryPoll("lead"); err != nil {
			t.Errorf("on the next day: %v", err)
		}
	})
}

func TestVersionThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, func(o *Options) { o.APIVersion = "v3" })
		p.server.Put(fakehubspot.Deals, 1, time.Now(), map[string]string{"amount": "1"})
		p.Poll("deal")
		time.Sleep(10 * time.Minute)
		p.Poll("deal")
		p.holds("deal", 1)
		for _, path := range []string{
			"GET /crm/v3/objects/deals", "POST /crm/v3/objects/deals/search", "POST /crm/v3/objects/deals/batch/read",
			"POST /crm/v4/associations/deals/companies/batch/read", "GET /crm/v3/owners", "GET /crm/v3/pipelines/deals",
		} {
			if !p.paths[path] {
				t.Errorf("no %s among %v", path, p.paths)
			}
		}
	})
}

// TestRequestsOfADay measures what docs/sources/hubspot.md says.
func TestRequestsOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.PutPipeline(salesPipeline())
		p.server.PutOwner(fakehubspot.Owner{ID: "1", FirstName: "Ann"})
		for n := range uint64(2000) {
			at := time.Now().Add(-time.Hour)
			p.server.Put(fakehubspot.Contacts, n+1, at, map[string]string{"email": "a@b.example"})
			if n < 500 {
				p.server.Put(fakehubspot.Companies, n+1, at, map[string]string{"domain": "b.example"})
				p.server.Put(fakehubspot.Deals, n+1, at, map[string]string{"pipeline": "default", "dealstage": "qualifiedtobuy"})
			}
		}
		all := func() {
			for _, st := range streams() {
				p.Poll(string(st.kind))
			}
		}
		measure := sourcetest.Measure(t, p.server.Requests)
		all()
		// 40 pages of contacts, 5 of companies, 5 of deals with two requests each for their links.
		measure("the first poll", map[string]int{"list": 50, "associations": 10, "owners": 4, "pipelines": 1})
		time.Sleep(5 * time.Minute)
		all()
		measure("a poll without changes", map[string]int{"search": 3})
		for range 288 {
			time.Sleep(5 * time.Minute)
			all()
		}
		measure("a day without changes", map[string]int{
			"search": 3 * 288, "owners": 2 * 24, "pipelines": 24, "archived": 3 * 24, "list": 50, "associations": 10,
		})
	})
}
