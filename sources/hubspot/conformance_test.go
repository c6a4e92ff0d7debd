package hubspot

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const testToken = "pat-eu1-t0ken/with+odd=signs"

// testOptions are the defaults with a token, changed by change.
func testOptions(url string, change func(*Options)) Options {
	o := DefaultOptions()
	o.URL = url
	o.AccessToken = config.LiteralSecret(testToken)
	if change != nil {
		change(o)
	}
	return *o
}

func openDefault(url string, deps apiclient.Deps) (sources.Source, error) {
	return New("crm", testOptions(url, nil), deps)
}

func errorBody(category, more string) string {
	return `{"status":"error","message":"it went wrong","correlationId":"aeb5f871-7f07-4993-9211-075dc63e7cbf","category":"` + category + `"` + more + `}`
}

func vendorFault(status int, category, more string) fake.Fault {
	return fake.Fault{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: errorBody(category, more)}
}

func TestConformance(t *testing.T) {
	for _, st := range streams() {
		t.Run(string(st.kind), func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Harness{
				Stream: string(st.kind), Account: func() sourcetest.Account { return newAccount(st) }, Open: openDefault,
				// The address is none, but has no business in a log either.
				Secrets: []string{testToken, "buyer0@firm0.example.com"}, PageSize: committed,
				Settle: 25 * time.Hour, Interval: 25 * time.Hour / 2,
				Data: func(r *http.Request) bool {
					return strings.Contains(r.URL.Path, "/objects/") && strings.Contains(r.URL.Path, st.object)
				},
				Unauthorized: vendorFault(401, "EXPIRED_AUTHENTICATION", ""),
				Forbidden: vendorFault(403, "MISSING_SCOPES",
					`,"errors":[{"message":"m","context":{"requiredGranularScopes":["crm.objects.`+st.object+`.read"]}}]`),
				Throttled:      vendorFault(429, "RATE_LIMITS", `,"errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"`),
				ThrottledFor:   10 * time.Second,
				LongThrottled:  vendorFault(429, "RATE_LIMITS", `,"errorType":"RATE_LIMIT","policyName":"DAILY"`),
				ErrorInside200: vendorFault(200, "INTERNAL_ERROR", ""),
				Skip:           map[string]string{},
			})
		})
	}
}

// account keeps what a ledger should hold, beside the fake that serves it.
type account struct {
	server *fakehubspot.Server
	stream stream
	want   map[int]record.Record
}

func newAccount(st stream) sourcetest.Account {
	a := &account{server: fakehubspot.New(time.Now), stream: st, want: map[int]record.Record{}}
	a.server.Token = testToken
	a.server.IndexLag = 20 * time.Second
	a.server.PutOwner(fakehubspot.Owner{ID: "71", FirstName: "Ann", LastName: "Seller", Email: "ann@example.com"})
	a.server.PutPipeline(salesPipeline())
	a.server.Put(fakehubspot.Companies, 900_001, time.Now(), map[string]string{"name": "Customer"})
	if st.kind == record.KindAccount {
		a.server.Purge(fakehubspot.Companies, 900_001)
	}
	return sourcetest.Account{Handler: a.server, Put: a.put, Delete: a.remove, Merge: a.merge, Want: a.wanted}
}

func salesPipeline() fakehubspot.Pipeline {
	return fakehubspot.Pipeline{ID: "default", Label: "Sales", Stages: []fakehubspot.Stage{
		{ID: "qualifiedtobuy", Label: "Qualified", Probability: "0.4"},
		{ID: "closedwon", Label: "Won", Probability: "1.0", Closed: true},
		{ID: "closedlost", Label: "Lost", Probability: "0.0", Closed: true},
	}}
}

func decimalText(a record.Amount) string {
	if a.IsNull() {
		return ""
	}
	return fmt.Sprintf("%d.%06d", a.Micros/1e6, a.Micros%1e6)
}

func (a *account) object() fakehubspot.Object { return fakehubspot.Object(a.stream.object) }

// put changes the record number n. A lead shows its value as the campaign, an account as the tier.
func (a *account) put(n int, value record.Amount, at time.Time) {
	id, text := uint64(1000+n), decimalText(value)
	created := at
	switch old := a.want[n].(type) {
	case *record.Lead:
		created = time.UnixMicro(old.CreatedAt.N)
	case *record.Account:
		created = time.UnixMicro(old.CreatedAt.N)
	case *record.Deal:
		created = time.UnixMicro(old.CreatedAt.N)
	}
	meta := record.Meta{ID: strconv.FormatUint(id, 10)}
	createdAt := record.At(created.Truncate(time.Millisecond))
	properties := map[string]string{"hubspot_owner_id": "71"}
	switch a.stream.kind {
	case record.KindLead:
		properties["email"] = fmt.Sprintf("buyer%d@firm%d.example.com", n, n)
		properties["hs_analytics_source"], properties["hs_analytics_source_data_1"] = "PAID_SEARCH", text
		a.want[n] = &record.Lead{
			Meta: meta, Keys: record.Keys{Email: properties["email"]}, CreatedAt: createdAt, Owner: "Ann Seller",
			Touch: record.Touch{Medium: "cpc", Campaign: text, Channel: "paid_search"},
		}
	case record.KindAccount:
		properties["domain"], properties["hs_ideal_customer_profile"] = fmt.Sprintf("firm%d.example", n), text
		properties["hs_is_target_account"] = "true"
		a.want[n] = &record.Account{
			Meta: meta, Keys: record.Keys{Domain: properties["domain"]}, CreatedAt: createdAt, Owner: "Ann Seller", Target: true, Tier: text,
		}
	case record.KindDeal:
		properties["pipeline"], properties["dealstage"], properties["amount"] = "default", "qualifiedtobuy", text
		properties["deal_currency_code"] = "USD"
		a.want[n] = &record.Deal{
			Meta: meta, Account: record.RefTo("900001"), Pipeline: "Sales", Stage: "Qualified", Probability: record.Micros(400_000),
			CreatedAt: createdAt, State: record.DealOpen, Currency: "USD", Amount: value, Owner: "Ann Seller",
		}
	}
	a.server.Put(a.object(), id, at, properties)
	if a.stream.kind == record.KindDeal {
		a.server.Associate(fakehubspot.Deals, id, fakehubspot.Companies, 900_001, true, at)
	}
}

// remove purges the record 0 and archives the others.
func (a *account) remove(n int, at time.Time) {
	if id := uint64(1000 + n); n == 0 {
		a.server.Purge(a.object(), id)
	} else {
		a.server.Archive(a.object(), id, at)
	}
	delete(a.want, n)
}

func (a *account) merge(from, into int, at time.Time) {
	a.server.Merge(a.object(), uint64(1000+from), uint64(1000+into), at)
	delete(a.want, from)
}

func (a *account) wanted() []record.Record { return slices.Collect(maps.Values(a.want)) }
