package ga4

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func parseOptions(options string) (*Options, error) {
	return sourcetest.Options(Type, DefaultOptions, options)
}

func TestOptions(t *testing.T) {
	const user = ", client_id: a, client_secret: b, refresh_token: c"
	o, err := parseOptions(", property: 123456789" + user)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultOptions()
	want.Property, want.ClientID, want.ClientSecret, want.RefreshToken = "123456789", "a", o.ClientSecret, o.RefreshToken
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(config.SecretRef{}, config.Secret{})); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
	o, err = parseOptions(`, property: "1", url: "http://mirror.test", token_url: "http://mirror.test/token", daily_share: 0.2, breakdowns: [device],
		channel_by: group, lookback_days: 2, key_event_lookback_days: 2, deep_lookback_days: 90, deep_every: 168h` + user)
	if err != nil {
		t.Fatal(err)
	}
	if o.DeepEvery != 7*24*time.Hour || o.ChannelBy != byGroup || len(o.Breakdowns) != 1 || o.TokenURL != "http://mirror.test/token" {
		t.Errorf("got %+v", o)
	}
	const property = ", property: 1"
	sourcetest.BadOptions(t, Type, DefaultOptions, map[string]string{
		user:                        "property",
		", property: G-ABC1" + user: "property",
		property:                    "key_file",
		property + user + ", key_file: options.go":              "key_file",
		property + ", key_file: missing.json":                   "key_file",
		property + ", client_id: a":                             "client_secret",
		property + ", client_id: a, client_secret: b":           "refresh_token",
		property + ", client_secret: b, refresh_token: c":       "client_id",
		property + user + ", url: ga4.test":                     "url",
		property + user + ", token_url: 'https://a.test?key=1'": "token_url",
		property + user + ", daily_share: 0":                    "daily_share",
		property + user + ", breakdowns: [sex]":                 "breakdowns[0]",
		property + user + ", breakdowns: [age, age]":            "breakdowns",
		property + user + ", channel_by: page":                  "channel_by",
		property + user + ", lookback_days: 1":                  "lookback_days",
		property + user + ", key_event_lookback_days: 2":        "key_event_lookback_days",
		property + user + ", deep_lookback_days: 91":            "deep_lookback_days",
		property + user + ", deep_every: 1h":                    "deep_every",
	})
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"url": func(o *Options) { o.URL = "" }, "key_file": func(o *Options) { o.KeyFile = config.LiteralSecret("x") },
	} {
		_, err := New("web", testOptions("http://ga4.test", change), apiclient.Deps{})
		if err == nil || !strings.HasPrefix(err.Error(), "source web: "+name+": ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
