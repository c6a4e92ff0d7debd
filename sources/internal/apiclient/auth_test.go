package apiclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

const (
	fixtureSecret = "s3cr3t+/=\"&fixture"
	fixtureUser   = "ck_user_7f3a1" // no multiple of three bytes, so that its base64 is no part of a pair's
	fixtureToken  = "tok_9c1e77"
)

// authKinds returns an Auth of every kind that hold the fixture's secrets.
func authKinds() map[string]func() Auth {
	return map[string]func() Auth{
		"bearer": func() Auth { return Header("Authorization", "Bearer ", literal(fixtureSecret)) },
		"header": func() Auth { return Header("X-Api-Key", "", literal(fixtureSecret)) },
		"basic":  func() Auth { return Basic(literal(fixtureUser), literal(fixtureSecret)) },
		"query": func() Auth {
			return Query(map[string]SecretFunc{"consumer_key": literal(fixtureUser), "consumer_secret": literal(fixtureSecret)})
		},
		"key and query": func() Auth {
			return Combine(Header("X-Api-Key", "", literal(fixtureUser)), Query(map[string]SecretFunc{"key": literal(fixtureSecret)}))
		},
		"client credentials": func() Auth {
			return OAuth2(ClientCredentials{
				TokenURL: "http://login.test/token", ClientID: "id", Secret: literal(fixtureSecret),
			}.Grant(), "Authorization", "Bearer ")
		},
		"refresh token": func() Auth {
			return OAuth2(RefreshToken{
				TokenURL: "http://login.test/token", ClientID: "id", Secret: literal(fixtureUser), Refresh: literal(fixtureSecret),
			}.Grant(), "X-Token", "")
		},
	}
}

// echo answers a request with all that it holds.
func echo(status int, r *http.Request) (*http.Response, error) {
	dump, err := httputil.DumpRequest(r, true)
	if err != nil {
		return nil, err
	}
	text := r.URL.String() + " " + string(dump)
	return answer{status: status, header: map[string]string{"X-Request-Id": text}, body: fmt.Sprintf(`{"code":%q,"message":%q}`, text, text)}.response(r)
}

// assertNoSecret looks for the secrets in every spelling that a header or URL gives them.
func assertNoSecret(t *testing.T, what, text string) {
	t.Helper()
	probe := &redactor{}
	probe.add(fixtureSecret, fixtureUser, fixtureToken, fixtureUser+":"+fixtureSecret)
	for _, secret := range probe.secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds the secret as %q:\n%s", what, secret, text)
		}
	}
}

func TestNoSecretInErrorsAndLogs(t *testing.T) {
	token := func(r *http.Request) (*http.Response, error) {
		return answer{
			header: map[string]string{"Content-Type": "application/json"},
			body:   `{"access_token":"` + fixtureToken + `","token_type":"bearer","expires_in":3600}`,
		}.response(r)
	}
	faults := map[string]func(*http.Request) (*http.Response, error){
		"network": func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("dial %s %v", r.URL, r.Header) },
		"HTML": func(r *http.Request) (*http.Response, error) {
			return answer{body: "<html>" + r.URL.String()}.response(r)
		},
		"not JSON":      func(r *http.Request) (*http.Response, error) { return answer{body: r.URL.String()}.response(r) },
		"token network": func(r *http.Request) (*http.Response, error) { return echo(401, r) },
		"token refused": func(r *http.Request) (*http.Response, error) { return echo(401, r) },
		"redirect": func(r *http.Request) (*http.Response, error) {
			return answer{status: 302, header: map[string]string{"Location": "http://other.test/?" + r.URL.RawQuery}}.response(r)
		},
		"bad redirect": func(r *http.Request) (*http.Response, error) {
			return answer{status: 302, header: map[string]string{"Location": "http://other.test/%zz?" + r.URL.RawQuery}}.response(r)
		},
	}
	for _, status := range []int{200, 400, 401, 403, 404, 429, 500, 503} {
		faults[fmt.Sprint("status ", status)] = func(r *http.Request) (*http.Response, error) { return echo(status, r) }
	}
	for kind, auth := range authKinds() {
		for name, fault := range faults {
			t.Run(kind+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var logged strings.Builder
					c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
						if r.URL.Host != "login.test" {
							return fault(r)
						}
						switch name {
						case "token network":
							return nil, fmt.Errorf("dial %s %v", r.URL, r.Header)
						case "token refused":
							return echo(400, r)
						}
						return token(r)
					}), func(c *Config) {
						c.Auth = auth()
						c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
					})
					var into []string
					_, err := c.JSON(t.Context(), Request{Path: "/orders"}, &into)
					if err == nil {
						t.Fatal("no error")
					}
					assertNoSecret(t, "the error", fmt.Sprintf("%v %+v %#v", err, err, err))
					for e := err; e != nil; e = errors.Unwrap(e) {
						assertNoSecret(t, "a wrapped error", fmt.Sprintf("%v %#v", e, e))
					}
					assertNoSecret(t, "the log", logged.String())
				})
			})
		}
	}
}

func TestCredentialsStayOnTheirHost(t *testing.T) {
	for kind, auth := range authKinds() {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				switch r.URL.Host {
				case "login.test":
					return answer{header: map[string]string{"Content-Type": "application/json"}, body: `{"access_token":"` + fixtureToken + `"}`}.response(r)
				case "files.test":
					dump, err := httputil.DumpRequest(r, true)
					if err != nil {
						return nil, err
					}
					assertNoSecret(t, kind+": a request to another host", string(dump)+r.URL.String())
				}
				return answer{body: "{}"}.response(r)
			}), func(c *Config) { c.Auth = auth() })
			for _, path := range []string{"/orders", "http://files.test/report", "https://api.test/v1"} {
				if _, err := c.Do(t.Context(), Request{Path: path}); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			}
		})
	}
}

// tokenVendor is an API that accepts one access token, and its token endpoint.
type tokenVendor struct {
	mu       sync.Mutex
	issued   int
	valid    string
	refuse   []answer // by the token endpoint, before it issues one
	requests int
	refresh  string // the refresh token, which changes with each use
}

func (v *tokenVendor) RoundTrip(r *http.Request) (*http.Response, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.URL.Host == "login.test" {
		if len(v.refuse) > 0 {
			a := v.refuse[0]
			v.refuse = v.refuse[1:]
			return a.response(r)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if v.refresh != "" {
			if !strings.Contains(string(body), "refresh_token="+v.refresh+"&") && !strings.HasSuffix(string(body), "refresh_token="+v.refresh) {
				return answer{status: 400, body: `{"error":"invalid_grant"}`}.response(r)
			}
			v.refresh = fmt.Sprint("refresh-", v.issued+1)
		}
		v.issued++
		v.valid = fmt.Sprint("token-", v.issued)
		return answer{
			header: map[string]string{"Content-Type": "application/json"},
			body:   fmt.Sprintf(`{"access_token":%q,"expires_in":3600,"refresh_token":%q}`, v.valid, v.refresh),
		}.response(r)
	}
	v.requests++
	if v.valid == "" || r.Header.Get("Authorization") != "Bearer "+v.valid {
		return answer{status: 401}.response(r)
	}
	return answer{body: "{}"}.response(r)
}

func (v *tokenVendor) client(t *testing.T) *Client {
	return newClient(t, v, func(c *Config) {
		c.Auth = authKinds()["client credentials"]()
		c.Concurrency = 4
	})
}

func TestAnExpiredTokenIsRefreshedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &tokenVendor{}
		c := v.client(t)
		do := func() error { _, err := c.Do(t.Context(), Request{}); return err }
		if err := do(); err != nil || v.issued != 1 {
			t.Fatalf("first request: %v, %d tokens", err, v.issued)
		}
		v.valid = "revoked"
		start := time.Now()
		if err := do(); err != nil || v.issued != 2 || time.Since(start) != 0 {
			t.Errorf("after revocation: %v, %d tokens, %v; want success at once with the second token", err, v.issued, time.Since(start))
		}
		time.Sleep(47 * time.Minute)
		if err := do(); err != nil || v.issued != 2 {
			t.Errorf("after 47 min: %v, %d tokens, want 2", err, v.issued)
		}
		time.Sleep(2 * time.Minute) // 80 % of an hour are over
		if err := do(); err != nil || v.issued != 3 {
			t.Errorf("after 49 min: %v, %d tokens, want 3", err, v.issued)
		}
		// Requests at the same time share one new token.
		v.valid = "revoked"
		done := make(chan error)
		for range 4 {
			go func() { done <- do() }()
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if v.issued != 4 {
			t.Errorf("%d tokens for 4 concurrent requests, want one more: 4", v.issued)
		}
	})
}

func TestRefreshingTwiceAtOnce(t *testing.T) {
	v := &tokenVendor{}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: v})
	auth := authKinds()["client credentials"]()
	request := func() *http.Request {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Apply(r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	first, second := request(), request()
	if !auth.Refresh(first) || !auth.Refresh(second) {
		t.Error("a refused token cannot be refreshed")
	}
	third := request()
	if !auth.Refresh(second) { // its refusal comes late: the new token stays
		t.Error("a refused token cannot be refreshed")
	}
	if got := request().Header.Get("Authorization"); got != third.Header.Get("Authorization") || v.issued != 2 {
		t.Errorf("got %s after %d tokens, want the second one", got, v.issued)
	}
}

func TestRefusedCredentialsAreNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "login.test" {
				return (&tokenVendor{}).RoundTrip(r)
			}
			requests++
			return answer{status: 401, body: `{"message":"invalid"}`}.response(r)
		}), func(c *Config) { c.Auth = authKinds()["client credentials"]() })
		if _, err := c.Do(t.Context(), Request{}); !is[*AuthError](err) || requests != 2 {
			t.Errorf("got %v after %d requests, want an AuthError after 2", err, requests)
		}
		v := &tokenVendor{refuse: []answer{{status: 401, body: `{"error":"invalid_client"}`}}}
		_, err := v.client(t).Do(t.Context(), Request{})
		auth, ok := errors.AsType[*AuthError](err)
		if !ok || auth.Code != "invalid_client" || v.requests != 0 {
			t.Errorf("got %v, want an AuthError with the token endpoint's code", err)
		}
	})
}

func TestATokenEndpointThatIsDownIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &tokenVendor{refuse: []answer{
			{status: 503}, {status: 429, header: map[string]string{"Retry-After": "20"}}, {err: io.ErrUnexpectedEOF},
		}}
		start := time.Now()
		if _, err := v.client(t).Do(t.Context(), Request{}); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) < 20*time.Second {
			t.Errorf("took %v, want the 20 s of Retry-After at least", time.Since(start))
		}
		v = &tokenVendor{refuse: []answer{{status: 429, header: map[string]string{"Retry-After": "7200"}}}}
		if _, err := v.client(t).Do(t.Context(), Request{}); !is[*RateLimitedError](err) {
			t.Errorf("got %v, want a RateLimitedError", err)
		}
	})
}

func TestRotatedRefreshTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &tokenVendor{refresh: "configured"}
		secret := "configured"
		c := newClient(t, v, func(c *Config) {
			c.Auth = OAuth2(RefreshToken{
				TokenURL: "http://login.test/token", ClientID: "id", Secret: literal("secret"),
				Refresh: func() (string, error) { return secret, nil },
			}.Grant(), "Authorization", "Bearer ")
		})
		for i := range 3 {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			v.valid = "revoked"
		}
		// Somebody logs in anew: the file's new token replaces the one in memory.
		secret, v.refresh = "new-login", "new-login"
		if _, err := c.Do(t.Context(), Request{}); err != nil {
			t.Error(err)
		}
	})
}

func TestARotatedSecretIsUsedAtOnce(t *testing.T) {
	secret := "old-key"
	var sent []string
	c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Header.Get("X-Key"))
		if r.Header.Get("X-Key") != "new-key" {
			secret = "new-key" // as if an operator wrote the file just now
			return answer{status: 401}.response(r)
		}
		return answer{body: "{}"}.response(r)
	}), func(c *Config) {
		c.Auth = Header("X-Key", "", func() (string, error) { return secret, nil })
	})
	if _, err := c.Do(t.Context(), Request{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(sent, " "); got != "old-key new-key" {
		t.Errorf("sent %q", got)
	}
}

func TestAMissingSecretSaysSo(t *testing.T) {
	missing := errors.New("read /run/secrets/key: no such file")
	s := &script{answers: []answer{{body: "{}"}}}
	c := newClient(t, s, func(c *Config) {
		c.Auth = Header("X-Key", "", func() (string, error) { return "", missing })
	})
	_, err := c.Do(t.Context(), Request{})
	if !is[*AuthError](err) || !errors.Is(err, missing) || !strings.Contains(err.Error(), "/run/secrets/key") {
		t.Errorf("got %v, want an AuthError that names the file", err)
	}
	if len(s.requests) != 0 {
		t.Error("a request was sent without credentials")
	}
}

func TestRedirects(t *testing.T) {
	redirect := func(to string) *script {
		return &script{answers: []answer{{status: 302, header: map[string]string{"Location": to}}, {body: "{}"}}}
	}
	if _, err := newClient(t, redirect("/v2/orders"), nil).Do(t.Context(), Request{Path: "/orders"}); err != nil {
		t.Errorf("a redirect on the same host: %v", err)
	}
	s := redirect("https://login.test/sso?next=1")
	_, err := newClient(t, s, nil).Do(t.Context(), Request{Path: "/orders"})
	if !is[*FormatError](err) || !strings.Contains(err.Error(), "https://login.test") || len(s.requests) != 1 {
		t.Errorf("a redirect to another host: got %v after %d requests", err, len(s.requests))
	}
}

func TestRedaction(t *testing.T) {
	r := newRedactor()
	r.add("abc", "topsecret", "topsecret-longer")
	for in, want := range map[string]string{
		"key topsecret-longer, topsecret":          "key [redacted], [redacted]",
		"abc is too short to be a secret":          "abc is too short to be a secret",
		"see https://x.test/a?token=1&b=2 for it":  "see https://x.test/a?[redacted] for it",
		"customer jane.doe@mail.example.com is no": "customer [address] is no",
	} {
		if got := r.text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := r.message(strings.Repeat("ä", 400)); len(got) > maxMessage+3 || !strings.HasSuffix(got, "ä...") {
		t.Errorf("a long message became %d bytes, %q", len(got), got[len(got)-8:])
	}
	if err := r.err(fmt.Errorf("get: %w", context.Canceled)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v lost its sentinel", err)
	}
}
