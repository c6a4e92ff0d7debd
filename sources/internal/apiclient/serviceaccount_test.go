package apiclient

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
)

// accountClient returns a client with the credentials of a service account.
func accountClient(t *testing.T, key SecretFunc, logged io.Writer, token http.RoundTripper) *Client {
	return newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "login.test" {
			return token.RoundTrip(r)
		}
		if r.Header.Get("Authorization") != "Bearer "+fixtureToken {
			return answer{status: 401}.response(r)
		}
		return answer{body: "{}"}.response(r)
	}), func(c *Config) {
		grant := ServiceAccount{TokenURL: "http://login.test/token", Key: key, Scope: "https://scopes.test/read"}.Grant()
		c.Auth = OAuth2(grant, "Authorization", "Bearer ")
		c.Logger = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
}

func TestServiceAccount(t *testing.T) {
	account, err := fake.NewServiceAccount()
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("none")})))
	json := map[string]string{"Content-Type": "application/json"}
	good := answer{header: json, body: `{"access_token":"` + fixtureToken + `","expires_in":3600,"token_type":"Bearer"}`}
	for name, test := range map[string]struct {
		file  string
		token answer
		// want is in the text of an AuthError; there is none where it is empty.
		want string
	}{
		"good":             {file: account.File, token: good},
		"refused":          {account.File, answer{status: 400, header: json, body: `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`}, "code invalid_grant: Invalid JWT Signature."},
		"not JSON":         {"SECRET-KEY", good, "not the JSON file that Google Cloud creates"},
		"a user's file":    {`{"type":"authorized_user","client_id":"SECRET-KEY"}`, good, "not the JSON file"},
		"no PEM":           {`{"type":"service_account","client_email":"a@b.example","private_key":"SECRET-KEY"}`, good, "not the JSON file"},
		"no RSA key":       {fmt.Sprintf(`{"type":"service_account","client_email":"a@b.example","private_key":%q}`, broken), good, "access token"},
		"without an email": {fmt.Sprintf(`{"type":"service_account","private_key":%q}`, broken), good, "client_email"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // retries wait
				var logged strings.Builder
				var forms []string
				c := accountClient(t, literal(test.file), &logged, roundTripper(func(r *http.Request) (*http.Response, error) {
					if err := r.ParseForm(); err != nil {
						t.Error(err)
					}
					forms = append(forms, r.PostForm.Get("grant_type")+" "+r.PostForm.Get("assertion"))
					return test.token.response(r)
				}))
				_, err := c.Do(t.Context(), Request{})
				if test.want == "" && err != nil {
					t.Error(err)
				}
				if test.want != "" && (!is[*AuthError](err) || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("got %v, want an AuthError with %q", err, test.want)
				}
				if err == nil && len(forms) != 1 {
					t.Errorf("%d token requests, want 1", len(forms))
				}
				for _, form := range forms {
					if !strings.HasPrefix(form, "urn:ietf:params:oauth:grant-type:jwt-bearer ey") {
						t.Errorf("token request: %.60s", form)
					}
				}
				shown := logged.String()
				if err != nil {
					shown += err.Error()
				}
				for _, secret := range []string{"SECRET-KEY", strings.Split(broken, "\n")[1], strings.Split(account.Private, "\n")[1], "b.example", "project.example"} {
					if strings.Contains(shown, secret) {
						t.Errorf("%q is shown: %s", secret, shown)
					}
				}
			})
		})
	}
}

// A network that fails under a request for a token is no wrong key, and the end of the
// context ends it.
func TestServiceAccountNetwork(t *testing.T) {
	account, err := fake.NewServiceAccount()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("no route to host")
		c := accountClient(t, literal(account.File), io.Discard, roundTripper(func(*http.Request) (*http.Response, error) { return nil, down }))
		if _, err := c.Do(t.Context(), Request{}); is[*AuthError](err) || !errors.Is(err, down) {
			t.Errorf("got %v, want the network's error", err)
		}
		c = accountClient(t, literal(account.File), io.Discard, roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := c.Do(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 6*time.Second {
			t.Errorf("got %v after %v, want the end of the context", err, time.Since(begin))
		}
	})
}
