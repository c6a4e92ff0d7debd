package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// contacts returns how many contacts the CRM lists.
func contacts(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	n := 0
	for after := ""; ; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/crm/objects/2026-09/contacts?limit=100&after="+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Results []struct{ ID string }
			Paging  struct{ Next struct{ After string } }
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		if closeErr := resp.Body.Close(); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
		n += len(page.Results)
		if after = page.Paging.Next.After; after == "" {
			return n
		}
	}
}

// Time goes on in the systems while they are asked, and they end.
func TestTimeGoesOn(t *testing.T) {
	defer goleak.VerifyNone(t)
	var passed atomic.Int64
	now := func() time.Time { return present().Add(time.Duration(passed.Load())) }
	ctx, cancel := context.WithCancel(t.Context())
	d, err := Start(ctx, Options{Seed: 1, Scale: 0.02}, now)
	cancel() // it is for the start alone
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`type: hubspot.* url: (http://127\.0\.0\.1:\d+)`).FindSubmatch(d.Config())
	if found == nil {
		t.Fatalf("no address of the CRM in\n%s", d.Config())
	}
	url := string(found[1])
	before := contacts(t, url)
	if again := contacts(t, url); again != before || before < 400 {
		t.Errorf("%d contacts and then %d, want the same and 400 or more", before, again)
	}
	passed.Store(int64(20 * time.Minute))
	soon := contacts(t, url)
	if soon <= before {
		t.Errorf("%d contacts after 20 minutes, %d before: none has come", soon, before)
	}
	passed.Store(int64(10 * 24 * time.Hour))
	if later := contacts(t, url); later <= soon {
		t.Errorf("%d contacts after ten days, %d before: none has come", later, soon)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// Each change is made once, in the order of time, whatever the system.
func TestScheduleEmpties(t *testing.T) {
	c := newCompany(t, Options{Seed: 1, Scale: 0.01})
	passed := present()
	d := &Demo{systems: systems(c, func() time.Time { return passed }), now: func() time.Time { return passed }}
	d.load(c)
	waiting := len(d.to)
	if waiting == 0 {
		t.Fatal("nothing is to come")
	}
	for _, x := range d.to {
		if !x.at.After(present()) {
			t.Fatalf("a change of %s waits at %s", x.at, present())
		}
	}
	passed = present().AddDate(0, 0, 30)
	d.advance()
	for _, x := range d.to {
		if !x.at.After(passed) {
			t.Fatalf("a change of %s waits at %s", x.at, passed)
		}
	}
}
