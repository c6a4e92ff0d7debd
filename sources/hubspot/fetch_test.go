package hubspot

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

var errStop = errors.New("the disk is full")

// A bulk update gives more records one time than a search returns.
func TestMoreChangesAtOnceThanASearchReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.Poll("account")
		time.Sleep(time.Hour)
		const many = 3_456
		p.server.MaxResults = 1_000 // the vendor's are 10,000
		at := time.Now().Add(-2 * time.Minute)
		for n := range uint64(many) {
			p.server.Put(fakehubspot.Companies, 10+7*n, at, map[string]string{"domain": "firm.example"})
		}
		// The process dies twice on the way.
		for _, after := range []int{10, 5} {
			pages := 0
			p.OnPage = func(sources.Page) error {
				if pages++; pages > after {
					return errStop
				}
				return nil
			}
			if err := p.TryPoll("account"); !errors.Is(err, errStop) {
				t.Fatalf("got %v, want the error of emit", err)
			}
			p.open(nil)
			time.Sleep(5 * time.Minute)
		}
		p.holds("account", 1500)
		p.OnPage = nil
		p.Poll("account")
		p.holds("account", many)
		if p.statuses[429] > 0 {
			t.Errorf("%d requests were too many for the vendor", p.statuses[429])
		}
	})
}

func TestLateIndexing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.IndexLag = 6 * time.Minute
		p.Poll("lead")
		for n := range uint64(20) {
			time.Sleep(2 * time.Minute)
			p.server.Put(fakehubspot.Contacts, n+1, time.Now(), map[string]string{"email": "a@b.example"})
			time.Sleep(time.Minute)
			p.Poll("lead")
		}
		time.Sleep(8 * time.Minute)
		p.Poll("lead")
		p.holds("lead", 20)
	})
}

func TestDeletions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		for n := range uint64(5) {
			p.server.Put(fakehubspot.Contacts, n+1, time.Now(), map[string]string{"email": "a@b.example"})
		}
		p.Poll("lead")
		p.holds("lead", 5)
		p.server.Archive(fakehubspot.Contacts, 1, time.Now())
		p.server.Purge(fakehubspot.Contacts, 2)
		p.server.Merge(fakehubspot.Contacts, 3, 4, time.Now())
		time.Sleep(10 * time.Minute)
		p.Poll("lead")
		p.holds("lead", 4) // without the merged one
		time.Sleep(55 * time.Minute)
		p.Poll("lead")
		p.holds("lead", 3) // without the archived one
		p.server.Restore(fakehubspot.Contacts, 1)
		time.Sleep(20 * time.Hour)
		p.Poll("lead")
		p.holds("lead", 3)
		time.Sleep(4 * time.Hour)
		p.Poll("lead") // the sweep
		p.holds("lead", 3)
		if p.Held["lead"]["1"] == nil || p.Held["lead"]["2"] != nil || p.Held["lead"]["4"] == nil {
			t.Errorf("held: %v", p.Held["lead"])
		}
	})
}

func TestAnInterruptedFirstReadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		for n := range uint64(1450) {
			p.server.Put(fakehubspot.Companies, n+1, time.Now().Add(-time.Hour), map[string]string{"domain": "firm.example"})
		}
		pages := 0
		p.OnPage = func(sources.Page) error {
			if pages++; pages > 3 {
				return errStop
			}
			return nil
		}
		if err := p.TryPoll("account"); !errors.Is(err, errStop) {
			t.Fatalf("got %v, want the error of emit", err)
		}
		p.holds("account", 1200)
		lists := p.server.Requests()["list"]
		p.server.Purge(fakehubspot.Companies, 7)
		p.server.Put(fakehubspot.Companies, 8, time.Now().Add(time.Minute), map[string]string{"hs_ideal_customer_profile": "tier_2"})
		p.OnPage = func(page sources.Page) error {
			if page.Sweep {
				return errors.New("a part of the list was taken for all of it")
			}
			return nil
		}
		p.open(nil)
		time.Sleep(time.Hour)
		p.Poll("account")
		p.holds("account", 1450)
		if got := p.server.Requests()["list"] - lists; got != 3 {
			t.Errorf("%d pages were listed, want the last 3", got)
		}
		if tier := p.Held["account"]["8"].(*record.Account).Tier; tier != "tier_2" {
			t.Errorf("tier %q: a change during the first read was lost", tier)
		}
		p.OnPage = nil
		time.Sleep(23 * time.Hour)
		p.Poll("account")
		p.holds("account", 1449)
	})
}

// Where an answer fails, those that have come are kept: a vendor that refuses after so many requests
// would be asked for the same ones each time.
func TestAnswersBeforeAFailureAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		for n := range uint64(350) {
			p.server.Put(fakehubspot.Companies, n+1, time.Now().Add(-time.Hour), map[string]string{"domain": "firm.example"})
		}
		lists := 0
		p.intercept = func(r *http.Request) (int, string) {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/companies") {
				return 0, ""
			}
			if lists++; lists > 2 {
				return http.StatusUnauthorized, errorBody("EXPIRED_AUTHENTICATION", "")
			}
			return 0, ""
		}
		if err := p.TryPoll("account"); err == nil {
			t.Fatal("the third answer is refused, and nothing is told")
		}
		p.holds("account", 200)
		lists = -100
		p.Poll("account")
		p.holds("account", 350)
		if lists != -98 {
			t.Errorf("%d lists were asked for, want the last 2", lists+100)
		}
	})
}

func TestOwnersNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.PutOwner(fakehubspot.Owner{ID: "1", FirstName: "Ann", LastName: "Seller"})
		p.server.PutOwner(fakehubspot.Owner{ID: "2", LastName: "Gone", Archived: true})
		p.server.PutOwner(fakehubspot.Owner{ID: "3", Email: "nameless@example.com"})
		p.server.PutOwner(fakehubspot.Owner{ID: "4", FirstName: "mail@example.com", Email: "mail@example.com"})
		for n := range uint64(5) {
			p.server.Put(fakehubspot.Companies, n+1, time.Now(), map[string]string{"hubspot_owner_id": strconv.FormatUint(n+1, 10)})
		}
		p.Poll("account")
		owners := func() map[string]string {
			got := map[string]string{}
			for id, r := range p.Held["account"] {
				got[id] = r.(*record.Account).Owner
			}
			return got
		}
		want := map[string]string{"1": "Ann Seller", "2": "Gone", "3": "3", "4": "4", "5": "5"}
		if diff := cmp.Diff(want, owners()); diff != "" {
			t.Errorf("owners differ (-want +got):\n%s", diff)
		}
		// A new user is found at once, although names are kept for an hour.
		p.server.PutOwner(fakehubspot.Owner{ID: "6", FirstName: "Bo"})
		time.Sleep(10 * time.Minute)
		p.server.Put(fakehubspot.Companies, 6, time.Now(), map[string]string{"hubspot_owner_id": "6"})
		time.Sleep(10 * time.Minute)
		asked := p.server.Requests()["owners"]
		p.Poll("account")
		want["6"] = "Bo"
		if diff := cmp.Diff(want, owners()); diff != "" {
			t.Errorf("owners differ (-want +got):\n%s", diff)
		}
		if got := p.server.Requests()["owners"] - asked; got != 2 {
			t.Errorf("%d requests for owners, want 2", got)
		}
	})
}

// A user who was removed and invited again is in both lists.
func TestAnOwnerWhoCameBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.intercept = func(r *http.Request) (int, string) {
			if r.URL.Query().Get("archived") == "true" {
				return 200, `{"results":[{"id":"1","firstName":"Ann","lastName":"Before"},{"id":"2","firstName":"Bo"}]}`
			}
			return 200, `{"results":[{"id":"1","firstName":"Ann","lastName":"Now"}]}`
		}
		d, err := p.source.directory(t.Context(), time.Now(), false, false)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"1": "Ann Now", "2": "Bo"}, d.owners); diff != "" {
			t.Errorf("owners differ (-want +got):\n%s", diff)
		}
	})
}

func TestDealsOfCompaniesAndContacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.PutPipeline(salesPipeline())
		now := time.Now()
		for n := range uint64(9) {
			p.server.Put(fakehubspot.Companies, n+1, now, map[string]string{})
			p.server.Put(fakehubspot.Contacts, n+1, now, map[string]string{})
		}
		for n := range uint64(3) {
			p.server.Put(fakehubspot.Deals, n+1, now, map[string]string{"pipeline": "default", "dealstage": "closedwon"})
		}
		link := func(deal uint64, to fakehubspot.Object, id uint64, primary bool) {
			p.server.Associate(fakehubspot.Deals, deal, to, id, primary, now)
		}
		link(1, fakehubspot.Companies, 3, false)
		link(1, fakehubspot.Companies, 7, true)
		link(1, fakehubspot.Companies, 2, false)
		link(1, fakehubspot.Contacts, 6, false)
		link(1, fakehubspot.Contacts, 5, false)
		link(2, fakehubspot.Companies, 9, false)
		link(2, fakehubspot.Companies, 8, false)
		p.Poll("deal")
		got := map[string]string{}
		for id, r := range p.Held["deal"] {
			d := r.(*record.Deal)
			got[id] = d.Account.ID + "/" + d.Lead + "/" + d.State
		}
		if diff := cmp.Diff(map[string]string{"1": "7/5/won", "2": "8//won", "3": "//won"}, got); diff != "" {
			t.Errorf("company/contact/state differ (-want +got):\n%s", diff)
		}
	})
}

// Answers of the older API, and of deals with more links than one answer holds.
func TestLinksOfOtherForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.intercept = func(r *http.Request) (int, string) {
			var body strings.Builder
			if r.Body != nil {
				fmt.Fprint(&body, readAll(t, r))
			}
			if strings.Contains(body.String(), `"after":"9"`) {
				return 200, `{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[{"toObjectId":"3","associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":5}]}]}]}`
			}
			return 207, `{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[{"toObjectId":2,"associationTypes":[{"category":"USER_DEFINED","typeId":5}]}],
				"paging":{"next":{"after":"9"}}}],"errors":[{"category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND"}]}`
		}
		got, err := p.source.linked(t.Context(), []object{{ID: "1"}, {ID: "2"}}, "companies", associationPrimary)
		if err != nil || got["1"] != "3" || len(got) != 1 {
			t.Errorf("got %v, %v; want the primary company of the second page", got, err)
		}
		for name, answer := range map[string]string{
			"partly failed": `{"status":"COMPLETE","results":[],"errors":[{"category":"INTERNAL_ERROR"}]}`,
			"not complete":  `{"status":"PENDING","results":[]}`,
			"no results":    `{"status":"COMPLETE"}`,
			"no ID":         `{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[{"toObjectId":null}]}]}`,
			"without end":   `{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[],"paging":{"next":{"after":"8"}}}]}`,
		} {
			p.intercept = func(*http.Request) (int, string) { return 200, answer }
			if got, err := p.source.linked(t.Context(), []object{{ID: "1"}}, "companies", associationPrimary); err == nil {
				t.Errorf("%s: got %v, want an error", name, got)
			}
		}
	})
}

// A vendor that ignores the order or the filter would make records vanish.
func TestSearchOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		for name, answer := range map[string]string{
			"descending":  `{"results":[{"id":"9"},{"id":"8"}]}`,
			"not above":   `{"results":[{"id":"5"}]}`,
			"no number":   `{"results":[{"id":"x"}]}`,
			"no results":  `{"total":0}`,
			"an error":    `{"status":"error","message":"odd"}`,
			"other types": `{"results":{}}`,
		} {
			p.intercept = func(*http.Request) (int, string) { return 200, answer }
			if ids, _, err := p.source.search(t.Context(), "contacts", "lastmodifieddate", 1, 2, 5); err == nil {
				t.Errorf("%s: got %v, want an error", name, ids)
			}
		}
		// A full page may be followed by another one, whether the vendor says so or not.
		full := make([]string, mostSearched)
		for i := range full {
			full[i] = fmt.Sprintf(`{"id":"%d"}`, 10+i)
		}
		p.intercept = func(*http.Request) (int, string) { return 200, `{"results":[` + strings.Join(full, ",") + `]}` }
		if ids, more, err := p.source.search(t.Context(), "contacts", "lastmodifieddate", 1, 2, 5); err != nil || len(ids) != mostSearched || !more {
			t.Errorf("a full page: %d IDs, more: %v, %v", len(ids), more, err)
		}
		p.intercept = func(*http.Request) (int, string) { return 200, `{"results":[],"paging":{"next":{"after":"200"}}}` }
		p.Cursors["lead"] = cursors.Text(cursor{Read: 1})
		f := fetch{Source: p.source, stream: streams()[0], now: time.Now().UnixMilli(), cursor: cursor{Read: 1}}
		if _, ok := errors.AsType[*apiclient.LoopError](f.changes(t.Context())); !ok {
			t.Error("empty pages for ever: no LoopError")
		}
	})
}
