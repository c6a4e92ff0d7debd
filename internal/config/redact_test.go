package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requireReloads requires that what Redacted shows means c once the secrets are
// put back.
func requireReloads(t *testing.T, c *Config) {
	t.Helper()
	text, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("elsewhere/b2b.yml", []byte(strings.ReplaceAll(string(text), redacted, "hunter2")), testSchema())
	if err != nil {
		t.Fatalf("load what Redacted shows: %v\n%s", err, text)
	}
	ignoreSecrets := cmp.FilterValues(func(a, b SecretRef) bool { return a.file == "" && b.file == "" && a.IsSet() == b.IsSet() }, cmp.Ignore())
	ignoreLines := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Line" }, cmp.Ignore())
	if diff := cmp.Diff(c, again, equateConfigs(), ignoreSecrets, ignoreLines); diff != "" {
		t.Errorf("configuration after a reload of what Redacted shows (-before +after):\n%s\n%s", diff, text)
	}
}

func TestRedacted(t *testing.T) {
	c, err := Load("testdata/valid.yml", testSchema())
	if err != nil {
		t.Fatal(err)
	}
	requireReloads(t, c)
	text, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"client_secret: <secret>", "NO: Nordics", "pause: 1m30s", "interval: 5m", "amount: 45000.000001", "region: eu"} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("%q is not shown:\n%s", line, text)
		}
	}
}

func TestRedactedIsNotLoadedWithoutItsSecrets(t *testing.T) {
	c, err := Load("testdata/valid.yml", testSchema())
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("b2b.yml", text, testSchema()); err == nil || !strings.Contains(err.Error(), "sources[0].client_secret: <secret> stands for") {
		t.Errorf("error is %v, want one about the secret that is not shown", err)
	}
}

func TestRedactedDefaults(t *testing.T) {
	c, err := Parse("/etc/b2b/b2b.yml", []byte("timezone: UTC\ncurrency: EUR\ncosts: [{name: a, category: sales, amount: 0, period: month, from: 2026-01-01}]"), Schema{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	const want = `timezone: UTC
currency: EUR
history: 1100d
staleness: 26h
ledger:
    path: /etc/b2b/data/b2b.db
customers:
    basis: orders
    inactive_after: 180d
    churn_denominator: start
    lifetime_minimum: 30
orders:
    count: placed
attribution: first_touch
windows:
    - today
    - 1d
    - 7d
    - 30d
    - 90d
    - 365d
    - mtd
    - qtd
    - ytd
costs:
    - name: a
      category: sales
      amount: 0
      currency: EUR
      period: month
      from: 2026-01-01
labels:
    max: 50
marketing_channels:
    - organic_search
    - paid_search
    - display
    - video
    - organic_social
    - paid_social
    - email
    - sms
    - referral
    - affiliate
    - partner
    - event
    - webinar
    - content
    - customer_referral
recurring:
    tiers:
        - 100
        - 1000
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("Redacted (-want +got):\n%s", diff)
	}
}
