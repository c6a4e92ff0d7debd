package apiclient

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// The expected signature was computed by another implementation.
func TestOAuth1Signature(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://Shop.example:80/a%20b/orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	query := r.URL.Query()
	for name, value := range map[string]string{
		"oauth_consumer_key": "ck_1", "oauth_nonce": "n0", "oauth_signature_method": "HMAC-SHA256", "oauth_timestamp": "1764000000",
		"modified_after": "2026-11-21T19:43:40", "note": "a b*~+é", "status": "any",
	} {
		query.Set(name, value)
	}
	if got, want := signature(r, query, "cs_1/ä"), "ATMwYFQ6QTIToOBMHJBCuzQrLIlUMIN9lYfiZJ87X6E="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A nonce is good for one try, and a timestamp for some minutes.
func TestOAuth1SignsEachTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 503}, {status: 503}, {body: "{}"}}}
		c := newClient(t, s, func(c *Config) { c.Auth = OAuth1(literal(fixtureUser), literal(fixtureSecret)) })
		if _, err := c.Do(t.Context(), Request{Path: "/orders", Query: map[string][]string{"status": {"any"}}}); err != nil {
			t.Fatal(err)
		}
		if len(s.requests) != 3 {
			t.Fatalf("%d requests, want 3", len(s.requests))
		}
		nonces := map[string]bool{}
		for _, r := range s.requests {
			query := r.URL.Query()
			nonces[query.Get("oauth_nonce")] = true
			sent := query.Get("oauth_signature")
			query.Del("oauth_signature")
			if want := signature(r, query, fixtureSecret); sent != want || query.Get("status") != "any" || len(query) != 5 {
				t.Errorf("sent the signature %s with %v, want %s", sent, query, want)
			}
		}
		if len(nonces) != 3 {
			t.Errorf("%d nonces for 3 tries", len(nonces))
		}
	})
}

func TestOAuth1KeepsItsSecrets(t *testing.T) {
	for _, status := range []int{400, 401, 403} {
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) { return echo(status, r) }), func(c *Config) {
			c.Auth = OAuth1(literal(fixtureUser), literal(fixtureSecret))
		})
		_, err := c.Do(t.Context(), Request{Path: "/orders"})
		if err == nil {
			t.Fatal("no error")
		}
		assertNoSecret(t, "the error", err.Error())
	}
}

func TestOAuth1UsesARotatedSecretAtOnce(t *testing.T) {
	secret, tries := "old-secret", 0
	c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		tries++
		query := r.URL.Query()
		sent := query.Get("oauth_signature")
		query.Del("oauth_signature")
		if sent != signature(r, query, "new-secret") {
			if strings.HasPrefix(secret, "old") && tries == 1 {
				secret = "new-secret"
			}
			return answer{status: 401}.response(r)
		}
		return answer{body: "{}"}.response(r)
	}), func(c *Config) {
		c.Auth = OAuth1(literal(fixtureUser), func() (string, error) { return secret, nil })
	})
	if _, err := c.Do(t.Context(), Request{}); err != nil || tries != 2 {
		t.Errorf("%v after %d tries", err, tries)
	}
	secret, tries = "wrong", 1
	if _, err := c.Do(t.Context(), Request{}); !is[*AuthError](err) || tries != 2 {
		t.Errorf("%v after %d tries, want an AuthError after one more", err, tries-1)
	}
}
