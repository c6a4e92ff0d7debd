package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func TestInvalid(t *testing.T) {
	paths, err := filepath.Glob("testdata/invalid-*.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	wanted := invalidFiles()
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "testdata/invalid-"), ".yml")
		t.Run(name, func(t *testing.T) {
			lines, ok := wanted[name]
			if !ok {
				t.Fatal("the file has no entry in invalidFiles")
			}
			c, err := Load(path, testSchema())
			if c != nil {
				t.Error("an invalid file gave a configuration")
			}
			if _, ok := errors.AsType[*Errors](err); !ok {
				t.Fatalf("error is %v, want *Errors", err)
			}
			want := path + ":" + strings.Join(lines, "\n"+path+":")
			got := strings.ReplaceAll(err.Error(), dir+"/", "")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
		delete(wanted, name)
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		t.Errorf("invalidFiles has an entry %s without a file", name)
	}
}

func TestLoadAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b2b.yml")
	_, err := Load(path, testSchema())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v, want one that the file does not exist", err)
	}
}

func TestProblems(t *testing.T) {
	_, err := Parse("etc/b2b.yml", []byte("timezone: UTC\ncurrency: eur\norder: {}\n"), Schema{})
	got, ok := errors.AsType[*Errors](err)
	if !ok {
		t.Fatalf("error is %v, want *Errors", err)
	}
	want := []Problem{
		{"etc/b2b.yml", 2, "currency", `unknown currency "eur"; use an ISO 4217 code in upper case such as EUR`},
		{"etc/b2b.yml", 3, "order", "unknown key; did you mean orders?"},
	}
	if diff := cmp.Diff(want, got.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// equateConfigs compares what a configuration means.
func equateConfigs() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreUnexported(Config{}, shopOptions{}),
		cmp.AllowUnexported(SecretRef{}, Secret{}),
		cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b *regexp.Regexp) bool { return a == b || a != nil && b != nil && a.String() == b.String() }),
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestDefaults(t *testing.T) {
	got, err := Parse("/etc/b2b/b2b.yml", []byte("timezone: Europe/Berlin\ncurrency: EUR\nrates: [{currency: USD, per_reference: 1.1}]"), Schema{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Timezone:  zone(t, "Europe/Berlin"),
		Currency:  "EUR",
		History:   window.Span{Days: 1100},
		Staleness: 26 * time.Hour,
		Ledger:    Ledger{Path: "/etc/b2b/data/b2b.db"},
		Customers: Customers{
			Basis: BasisOrders, InactiveAfter: window.Span{Days: 180}, ChurnDenominator: ChurnStart, LifetimeMinimum: 30,
		},
		Orders:      Orders{Count: CountPlaced},
		Attribution: FirstTouch,
		Windows:     window.Names(),
		Rates: []record.Rate{{
			Meta: record.Meta{ID: "USD@0001-01-01"}, Day: record.DateDay(1, time.January, 1),
			Currency: "USD", Reference: "EUR", PerReference: record.Decimal{Coefficient: 11, Scale: 1, Known: true},
		}},
		Labels: Labels{Max: 50},
		Marketing: []string{
			"organic_search", "paid_search", "display", "video", "organic_social", "paid_social", "email", "sms", "referral",
			"affiliate", "partner", "event", "webinar", "content", "customer_referral",
		},
		Recurring: Recurring{Tiers: []record.Amount{record.Micros(100_000_000), record.Micros(1_000_000_000)}},
	}
	if diff := cmp.Diff(want, got, equateConfigs()); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestValid(t *testing.T) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	token := FileSecret(filepath.Join(dir, "secrets/token"))
	since := record.DateDay(2024, time.February, 29)
	anchored := func(text string) *regexp.Regexp { return regexp.MustCompile(`(?i)\A(?:` + text + `)\z`) }
	decimal := func(text string) record.Decimal {
		d, err := record.ParseDecimal(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := &Config{
		Timezone:  zone(t, "Europe/Berlin"),
		Currency:  "EUR",
		History:   window.Span{Days: 730},
		Staleness: 36 * time.Hour,
		Ledger:    Ledger{Path: filepath.Join(dir, "ledger/b2b.db"), Key: token},
		Customers: Customers{
			Basis: BasisBoth, InactiveAfter: window.Span{Days: 90}, ChurnDenominator: ChurnRemaining,
			FreeMail: []string{"example.com", "xn--mller-kva.example"}, LifetimeMinimum: 10,
		},
		Orders:      Orders{Count: CountPaid},
		Attribution: LastTouch,
		Windows:     []window.Name{window.Days30, window.Days90, window.YTD},
		Sources: []Source{
			{
				Name: "eu-shop", Type: "shop", Interval: 5 * time.Minute, Line: 20,
				Options: &shopOptions{
					URL: "https://shop.example", ClientID: "1234567890", ClientSecret: LiteralSecret("hunter2"),
					Webhook: token, Region: "us", PageSize: 250, Budget: 0.25, Sandbox: true, Lag: window.Span{Days: 3},
					Paging: paging{Pause: 90 * time.Second}, Retries: &retries{Max: 3},
				},
			},
			{
				Name: "us-shop", Type: "shop", Line: 34,
				Options: &shopOptions{
					URL: "https://shop.example", ClientSecret: token, Region: "eu", PageSize: 100, Budget: 0.5,
				},
			},
			{
				Name: "erp", Type: "csv", Line: 38,
				Options: &csvOptions{Files: []csvFile{
					{
						Path:     filepath.Join(dir, "orders-*.csv"),
						Columns:  map[string]string{"id": "Invoice", "placed_at": "Invoice: date", "currency": "=GBP"},
						Timezone: zone(t, "Europe/London"), Pattern: regexp.MustCompile("^[A-Z]+$"), Since: &since,
					},
					{Path: "/data/refunds.csv"},
				}},
			},
		},
		Channels: record.ChannelRules{
			{Source: anchored("newsletter.*"), Medium: anchored("email|mail"), Campaign: anchored("20[0-9]+"), Class: record.Class{Channel: "email"}},
			{Campaign: anchored("2026"), Class: record.Class{Channel: "event", Program: "fairs"}},
			{Campaign: anchored("spring.*"), Class: record.Class{Campaign: "Spring"}},
		},
		Territories: map[string]string{"DE": "DACH", "NO": "Nordics", "yes": "12"},
		Costs: []record.Cost{
			{
				Meta: record.Meta{ID: "sdr-team@2026-01-01"}, Name: "sdr-team", Category: record.CostSales,
				Amount: record.Micros(42_000_000_000), Currency: "USD", Period: record.PeriodMonth,
				From: record.DateDay(2026, time.January, 1), To: record.NoDay,
			},
			{
				Meta: record.Meta{ID: "sdr-team@2026-07-01"}, Name: "sdr-team", Category: record.CostSales,
				Amount: record.Micros(45_000_000_001), Currency: "EUR", Period: record.PeriodMonth,
				From: record.DateDay(2026, time.July, 1), To: record.DateDay(2026, time.December, 31),
			},
			{
				Meta: record.Meta{ID: "fair"}, Name: "fair", Category: record.CostMarketing,
				Amount: record.Micros(9_007_199_254_740_993_000), Currency: "EUR", Period: record.PeriodOnce,
				From: record.DateDay(2026, time.March, 1), To: record.DateDay(2026, time.March, 3),
				Channel: "event", Program: "Fairs", Campaign: "Spring fair",
			},
		},
		Rates: []record.Rate{
			{
				Meta: record.Meta{ID: "USD@0001-01-01"}, Day: record.DateDay(1, time.January, 1),
				Currency: "USD", Reference: "EUR", PerReference: decimal("1.1"),
			},
			{
				Meta: record.Meta{ID: "USD@2026-01-01"}, Day: record.DateDay(2026, time.January, 1),
				Currency: "USD", Reference: "EUR", PerReference: decimal("1.123456789012345"),
			},
			{
				Meta: record.Meta{ID: "GBP@0001-01-01"}, Day: record.DateDay(1, time.January, 1),
				Currency: "GBP", Reference: "USD", PerReference: decimal("0.80"),
			},
		},
		Thresholds: []Threshold{
			{KPI: "b2b_customer_churn_ratio", Window: window.Days90, Warning: decimal("0.05"), Critical: decimal("0.08")},
			{KPI: "b2b_mrr", Critical: decimal("-10.5")},
		},
		Labels:    Labels{Max: 20},
		Marketing: []string{"email", "event"},
		CAC:       CAC{Lag: window.Span{Days: 30}},
		Funnel:    Funnel{Site: "eu-shop"},
		Recurring: Recurring{Tiers: []record.Amount{record.Micros(50_000_000), record.Micros(500_500_000)}},
	}
	got, err := Load("testdata/valid.yml", testSchema())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, equateConfigs()); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if derived := got.Sources[0].Options.(*shopOptions).derived; derived != "https://shop.example/api" {
		t.Errorf("Validate set derived to %q", derived)
	}
}

func TestChannelRulesMatchWholeTexts(t *testing.T) {
	c, err := Load("testdata/valid.yml", testSchema())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		touch record.Touch
		want  string
	}{
		{record.Touch{Source: "Newsletter-DE", Medium: "MAIL", Campaign: "202611"}, "email"},
		{record.Touch{Source: "Newsletter-DE", Medium: "voicemail", Campaign: "202611"}, record.ChannelOther},
		{record.Touch{Source: "partner", Medium: "offline", Campaign: "2026"}, "event"},
		{record.Touch{Source: "partner", Medium: "offline", Campaign: "2026\n"}, "offline"},
	} {
		if got := c.Channels.Classify(tt.touch).Channel; got != tt.want {
			t.Errorf("channel of %+v is %s, want %s", tt.touch, got, tt.want)
		}
	}
}

type badOptions struct {
	Callback func() `yaml:"callback"`
}

func (*badOptions) Validate(*Validator) {}

func TestUnsupportedOptionType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an option of type func() did not panic")
		}
	}()
	schema := Schema{Sources: map[string]func() Options{"bad": func() Options { return &badOptions{} }}}
	_, err := Parse("b2b.yml", []byte("timezone: UTC\ncurrency: EUR\nsources: [{name: a, type: bad, callback: f}]"), schema)
	t.Errorf("Parse returned %v", err)
}

func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("testdata/fuzz.yml", data, testSchema())
		if err != nil {
			errs, ok := errors.AsType[*Errors](err)
			if !ok || len(errs.Problems) == 0 || strings.Count(err.Error(), "\n") != len(errs.Problems)-1 {
				t.Fatalf("error is %q, want *Errors with a line for each problem", err)
			}
			return
		}
		requireReloads(t, c)
	})
}
