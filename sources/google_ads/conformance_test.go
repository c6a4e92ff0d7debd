package googleads

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const (
	testSecret   = "GOCSPX-s3cret/with+odd=signs"
	testRefresh  = "1//0refresh/with+odd=signs"
	testToken    = "ya29.t0ken/with+odd=signs"
	testDevToken = "dev-t0ken+odd"
	testCustomer = "1112223333"
)

// testOptions are the defaults with credentials, changed by change.
func testOptions(url string, change func(*Options)) Options {
	o := DefaultOptions()
	o.URL, o.TokenURL = url, url+"/token"
	o.CustomerID, o.ClientID = testCustomer, "id.apps.example"
	o.ClientSecret, o.RefreshToken = config.LiteralSecret(testSecret), config.LiteralSecret(testRefresh)
	if change != nil {
		change(o)
	}
	return *o
}

// failureBody is an error in the vendor's form.
func failureBody(status int, name, family, code, details string) string {
	return fmt.Sprintf(`[{"error":{"code":%d,"message":"it went wrong","status":%q,"details":[{"@type":"type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure",
		"requestId":"Xk3pQ9","errors":[{"errorCode":{%q:%q},"message":"it went wrong"%s}]}]}}]`, status, name, family, code, details)
}

func vendorFault(status int, name, family, code, details string) fake.Fault {
	answered := status
	if name == "INTERNAL" {
		answered = 200
	}
	return fake.Fault{
		Status: answered, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}},
		Body: failureBody(status, name, family, code, details),
	}
}

func quotaDetails(delay string) string {
	return `,"details":{"quotaErrorDetails":{"rateScope":"ACCOUNT","rateName":"Requests per account","retryDelay":"` + delay + `"}}`
}

func TestConformance(t *testing.T) {
	for _, st := range streams() {
		t.Run(string(st.kind), func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Harness{
				Stream: string(st.kind), Account: func() sourcetest.Account { return newAccount(st.kind) },
				Open: func(url string, deps apiclient.Deps) (sources.Source, error) {
					return New("ads", testOptions(url, func(o *Options) {
						o.DeveloperToken = config.LiteralSecret(testDevToken)
						// The suite changes days that are older than a month, and goes on for weeks.
						o.Lookback = window.Span{Days: 60}
					}), deps)
				},
				Secrets: []string{testSecret, testRefresh, testToken, testDevToken},
				// A request may bring more: this keeps all that the suite puts within the look-back, which is
				// read by two requests and more.
				PageSize: perDay * 10,
				Settle:   25 * time.Hour, Interval: 90 * time.Minute, Refreshes: true,
				Data:           func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ":searchStream") },
				Unauthorized:   vendorFault(401, "UNAUTHENTICATED", "authenticationError", "OAUTH_TOKEN_EXPIRED", ""),
				Forbidden:      vendorFault(403, "PERMISSION_DENIED", "authorizationError", "USER_PERMISSION_DENIED", ""),
				Throttled:      vendorFault(429, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", quotaDetails("5s")),
				LongThrottled:  vendorFault(429, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_EXHAUSTED", quotaDetails("86400s")),
				ErrorInside200: vendorFault(500, "INTERNAL", "internalError", "TRANSIENT_ERROR", ""),
				Skip:           map[string]string{},
			})
		})
	}
}

// perDay is how many of the suite's records lie on one day, each of a campaign of its own. The last
// of these campaigns is paused.
const perDay = 3

// account keeps what a ledger should hold, beside the fake that serves it.
type account struct {
	server *fakegoogleads.Server
	kind   record.Kind
	begun  record.Day
	zone   *time.Location
	added  map[int]bool
	want   map[dayKey]record.Record
}

func newAccount(kind record.Kind) sourcetest.Account {
	zone := time.FixedZone("UTC", 0)
	a := &account{kind: kind, zone: zone, added: map[int]bool{}, want: map[dayKey]record.Record{}}
	a.server = newFake(zone)
	a.begun = record.DayOf(time.Now().In(zone))
	return sourcetest.Account{
		Handler: a.server.Handler(), Put: a.put, Want: a.wanted,
		Delete: func(n int, _ time.Time) { a.remove(n) },
		// Platforms merge no days: what is credited to another one leaves a day without a row.
		Merge: func(from, _ int, _ time.Time) { a.remove(from) },
	}
}

func newFake(zone *time.Location) *fakegoogleads.Server {
	server := fakegoogleads.New(time.Now, fakegoogleads.Account{ID: testCustomer, Name: "Shop", Currency: "USD", Zone: zone})
	server.AccessToken, server.RefreshToken, server.ClientSecret = testToken, testRefresh, testSecret
	return server
}

func (a *account) key(n int) dayKey {
	return dayKey{int64(20_000 + n%perDay), a.begun - record.Day(n/perDay)}
}

// add adds the campaign of the record number n.
func (a *account) add(n int) string {
	i := n % perDay
	c := fakegoogleads.Campaign{ID: int64(20_000 + i), Name: fmt.Sprintf("Campaign %d", i), Start: a.begun - 40}
	if i == perDay-1 {
		c.Status = "PAUSED"
	}
	if !a.added[i] {
		a.added[i] = true
		a.server.AddCampaign(c)
		a.server.AddKeyword(fakegoogleads.Keyword{ID: c.ID * 10, Campaign: c.ID, AdGroup: 5, Text: "valves"})
		a.server.AddKeyword(fakegoogleads.Keyword{ID: c.ID*10 + 1, Campaign: c.ID, AdGroup: 5, Text: "pipes"})
	}
	return c.Name
}

// put changes the record number n. Ad quality shows its value in the impressions, and has none of
// a value that is null.
func (a *account) put(n int, value record.Amount, _ time.Time) {
	key, name := a.key(n), a.add(n)
	meta := record.Meta{ID: key.String()}
	if a.kind == record.KindSpend {
		a.server.SetDay(key.campaign, key.day, fakegoogleads.Metrics{
			CostMicros: value.Micros, CostUnknown: value.IsNull(), Impressions: 100, Clicks: 7, Conversions: "1.25", Value: "99.5",
		})
		a.want[key] = &record.Spend{
			Meta: meta, Day: key.day, Platform: "google", CampaignID: fmt.Sprint(key.campaign), Currency: "USD",
			Touch: record.Touch{Source: "google", Medium: "cpc", Campaign: name, Channel: "paid_search"},
			Cost:  value, Impressions: record.Micros(100e6), Clicks: record.Micros(7e6),
			Conversions: record.Micros(1_250_000), ConversionValue: record.Micros(99_500_000),
		}
		return
	}
	shown := value.Micros/10_000 + 10
	score := 9
	if value.IsNull() {
		score = 0
	}
	a.server.SetDay(key.campaign, key.day, fakegoogleads.Metrics{Impressions: shown})
	a.server.SetQuality(key.campaign*10, key.day, score, shown)
	a.server.SetQuality(key.campaign*10+1, key.day, score/3, 2*shown)
	delete(a.want, key)
	if score > 0 {
		a.want[key] = &record.AdQuality{
			Meta: meta, Day: key.day, Platform: "google", Campaign: name, Dimension: "quality_score",
			Score: record.Micros(5_000_000), Impressions: record.Micros(3 * shown * 1e6),
		}
	}
}

func (a *account) remove(n int) {
	key := a.key(n)
	a.server.ClearDay(key.campaign, key.day)
	for i := range int64(2) {
		a.server.SetQuality(key.campaign*10+i, key.day, 0, 0)
	}
	delete(a.want, key)
}

// wanted adds the days on which campaigns that run had nothing.
func (a *account) wanted() []record.Record {
	all := maps.Clone(a.want)
	for i := range a.added {
		if a.kind != record.KindSpend || i == perDay-1 {
			continue
		}
		for day := a.begun - 40; day <= record.DayOf(time.Now().In(a.zone)); day++ {
			key := dayKey{int64(20_000 + i), day}
			if all[key] != nil {
				continue
			}
			all[key] = &record.Spend{
				Meta: record.Meta{ID: key.String()}, Day: day, Platform: "google", CampaignID: fmt.Sprint(key.campaign), Currency: "USD",
				Touch: record.Touch{Source: "google", Medium: "cpc", Campaign: fmt.Sprintf("Campaign %d", i), Channel: "paid_search"},
				Cost:  record.Micros(0), Impressions: record.Micros(0), Clicks: record.Micros(0),
				Conversions: record.Micros(0), ConversionValue: record.Micros(0),
			}
		}
	}
	var list []record.Record
	for _, r := range all {
		list = append(list, r)
	}
	return list
}
