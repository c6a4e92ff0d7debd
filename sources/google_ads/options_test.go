package googleads

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func parseOptions(options string) (*Options, error) {
	return sourcetest.Options(Type, DefaultOptions, options)
}

func TestOptions(t *testing.T) {
	const credentials = ", client_id: i, client_secret: s, refresh_token: r"
	o, err := parseOptions(", customer_id: 111-222-3333" + credentials)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultOptions()
	want.CustomerID, want.ClientID, want.ClientSecret, want.RefreshToken = testCustomer, "i", o.ClientSecret, o.RefreshToken
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(config.SecretRef{}, config.Secret{})); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
	o, err = parseOptions(`, customer_id: 1112223333, login_customer_id: "9998887777", service_account: '{}', developer_token: d,
		url: "http://a.test", token_url: "http://b.test/token", api_version: v27, lookback: 90d, lookback_every: 6h, experiments: false,
		daily_operations: 15000, daily_share: 0.9`)
	if err != nil {
		t.Fatal(err)
	}
	if o.CustomerID != testCustomer || o.LoginCustomerID != "9998887777" || o.Experiments || o.DailyOperations != 15_000 ||
		o.Lookback != (window.Span{Days: 90}) || o.LookbackEvery != 6*time.Hour || o.APIVersion != "v27" {
		t.Errorf("got %+v", o)
	}
	good := ", customer_id: 1112223333" + credentials
	sourcetest.BadOptions(t, Type, DefaultOptions, map[string]string{
		credentials:                                                 "customer_id",
		", customer_id: 12" + credentials:                           "customer_id",
		", customer_id: shop" + credentials:                         "customer_id",
		", customer_id: 1112223333":                                 "client_id",
		", customer_id: 1112223333, client_id: i, client_secret: s": "refresh_token",
		", customer_id: 1112223333, client_id: i, refresh_token: s": "client_secret",
		good + ", service_account: k":                               "service_account",
		good + ", login_customer_id: 7":                             "login_customer_id",
		good + ", url: google.test":                                 "url",
		good + ", token_url: google.test":                           "token_url",
		good + ", api_version: '26'":                                "api_version",
		good + ", lookback: 91d":                                    "lookback",
		good + ", lookback: 36h":                                    "lookback",
		good + ", lookback_every: 5m":                               "lookback_every",
		good + ", daily_operations: 0":                              "daily_operations",
		good + ", daily_share: 1.5":                                 "daily_share",
		good + ", campaigns: all":                                   "campaigns",
	})
	bad := testOptions("http://google.test", func(o *Options) { o.DailyShare = 0 })
	if _, err := New("ads", bad, apiclient.Deps{}); err == nil || !strings.Contains(err.Error(), "daily_share") {
		t.Errorf("New: got %v, want an error at daily_share", err)
	}
}

// texts returns what Check finds, by its subject.
func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Name: "Valves", Start: today - 90})
		p.server.SetDay(1, today-1, cost(3))
		p.server.SetDay(1, today-2, cost(3))
		span := (today - 6).String() + " to " + today.String()
		want := map[string]string{
			"account":           testCustomer,
			"time zone":         "the account's days are in America/New_York, the reports' in UTC: they are taken as they are, so that they begin and end at other times",
			"currency":          "the account's costs are in USD and are converted into EUR: a source of exchange rates is needed",
			"stream spend":      "2 records of 1 campaigns from " + span,
			"stream ad_quality": "0 records of 0 campaigns from " + span,
		}
		if diff := cmp.Diff(want, p.Check()); diff != "" {
			t.Errorf("findings differ (-want +got):\n%s", diff)
		}
		env := p.environment()
		env.Zone, env.Currency = newYork(t), "USD"
		for _, f := range p.source.Check(t.Context(), env) {
			if f.Subject == "time zone" && f.Detail != "America/New_York" || f.Subject == "currency" && f.Detail != "USD" {
				t.Errorf("%s: %q, want only its name", f.Subject, f.Detail)
			}
		}
		// One stream that fails leaves the other one alone.
		p.intercept = func(r *http.Request) (int, string) {
			if strings.Contains(readBody(t, r), "experiment_arm") {
				return 400, failureBody(400, "INVALID_ARGUMENT", "queryError", "UNRECOGNIZED_FIELD", "")
			}
			return 0, ""
		}
		p.open(nil)
		got := p.Check()
		if !strings.Contains(got["stream spend"], "the option experiments") || got["stream ad_quality"] != want["stream ad_quality"] {
			t.Errorf("without experiments: %v", got)
		}
		p.answerSpend(spendRow(today, "SEARCH", `{"costMicros":"1.5"}`))
		if got := p.Check()["stream spend"]; !strings.Contains(got, "1 rows would be rejected") || !strings.Contains(got, "metrics.cost_micros") {
			t.Errorf("a bad row: %q", got)
		}
	})
}

func TestCheckManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.use(fakegoogleads.Account{ID: testCustomer, Currency: "USD", Zone: newYork(t), Manager: true})
		for _, id := range []string{"4445556666", "3335556666"} {
			p.server.AddClient(fakegoogleads.Account{ID: id, Name: "Client", Currency: "USD", Zone: newYork(t)})
		}
		p.server.AddClient(fakegoogleads.Account{ID: "5555556666", Currency: "USD", Zone: newYork(t), Manager: true})
		want := map[string]string{"account": "ERROR customer_id 1112223333 is a manager account, which has no campaigns; " +
			"make a source of each of its accounts (3335556666, 4445556666), with 1112223333 as login_customer_id"}
		if diff := cmp.Diff(want, p.Check()); diff != "" {
			t.Errorf("findings differ (-want +got):\n%s", diff)
		}
		if err := p.TryPoll("spend"); err == nil || !strings.Contains(err.Error(), "customer_id is a manager account") {
			t.Errorf("got %v, want an error that says what to do", err)
		}
	})
}

func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.Poll("spend")
		if h := p.last.Header; h.Get("Login-Customer-Id") != "" || h.Get("Developer-Token") != "" || h.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", h)
		}
		if p.last.URL.Path != "/v26/customers/1112223333/googleAds:searchStream" {
			t.Errorf("path %s", p.last.URL.Path)
		}
		p.server.Manager = "9998887777"
		if got := p.Check()["account"]; !strings.Contains(got, "login_customer_id") {
			t.Errorf("without login_customer_id: %q", got)
		}
		p.open(func(o *Options) {
			o.LoginCustomerID, o.DeveloperToken, o.APIVersion = "9998887777", config.LiteralSecret(testDevToken), "v25"
		})
		p.Poll("spend")
		if h := p.last.Header; h.Get("Login-Customer-Id") != "9998887777" || h.Get("Developer-Token") != testDevToken {
			t.Errorf("headers %v", h)
		}
	})
}
