package ga4

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// tokenServer answers token requests and lets everything else see the token.
type tokenServer struct {
	t      *testing.T
	status int
	body   string
	drop   bool
	forms  []string
}

func (s *tokenServer) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/token" {
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			answer.WriteHeader(http.StatusUnauthorized)
		}
		_, err := answer.WriteString(`{"kind":"analyticsData#runReport"}`)
		return answer.Result(), err
	}
	if s.drop {
		return nil, io.ErrUnexpectedEOF
	}
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	s.forms = append(s.forms, r.PostForm.Get("grant_type")+" "+r.PostForm.Get("assertion")+r.PostForm.Get("refresh_token"))
	answer.WriteHeader(s.status)
	_, err := answer.WriteString(s.body)
	return answer.Result(), err
}

func TestServiceAccount(t *testing.T) {
	text, private := newKey(t)
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	good := `{"access_token":"` + testToken + `","expires_in":3600,"token_type":"Bearer"}`
	for name, tc := range map[string]struct {
		key    config.SecretRef
		server tokenServer
		check  func(t *testing.T, err error)
	}{
		"good": {key: config.FileSecret(file), server: tokenServer{status: 200, body: good}, check: func(t *testing.T, err error) {
			if err != nil {
				t.Error(err)
			}
		}},
		"refused": {
			key: config.LiteralSecret(text), server: tokenServer{status: 400, body: `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`},
			check: func(t *testing.T, err error) {
				refused, ok := errors.AsType[*apiclient.AuthError](err)
				if !ok || refused.Code != "invalid_grant" || !strings.Contains(err.Error(), "Invalid JWT Signature") {
					t.Errorf("got %v", err)
				}
			},
		},
		"no network": {key: config.LiteralSecret(text), server: tokenServer{drop: true}, check: func(t *testing.T, err error) {
			if _, refused := errors.AsType[*apiclient.AuthError](err); refused || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, which blames the credentials", err)
			}
		}},
		"not JSON": {key: config.LiteralSecret("abc"), check: func(t *testing.T, err error) {
			if _, refused := errors.AsType[*apiclient.AuthError](err); !refused || !strings.Contains(err.Error(), "key_file is not JSON") {
				t.Errorf("got %v", err)
			}
		}},
		"another key": {key: config.LiteralSecret(`{"type":"authorized_user"}`), check: func(t *testing.T, err error) {
			if _, refused := errors.AsType[*apiclient.AuthError](err); !refused || !strings.Contains(err.Error(), "not the key of a service account") {
				t.Errorf("got %v", err)
			}
		}},
		"a broken key": {
			key: config.LiteralSecret(`{"type":"service_account","client_email":"a","private_key":"MIIEvg-private"}`), check: func(t *testing.T, err error) {
				if _, refused := errors.AsType[*apiclient.AuthError](err); !refused || strings.Contains(err.Error(), "MIIEvg") {
					t.Errorf("got %v", err)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // retries wait
				server := tc.server
				server.t = t
				var logs strings.Builder
				s, err := New("web", testOptions("http://ga4.test", func(o *Options) {
					o.ClientID, o.ClientSecret, o.RefreshToken, o.KeyFile = "", config.SecretRef{}, config.SecretRef{}, tc.key
				}), apiclient.Deps{Transport: &server, Logger: slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				if err != nil {
					t.Fatal(err)
				}
				_, err = s.first(t.Context(), query{})
				tc.check(t, err)
				for _, form := range server.forms {
					if !strings.HasPrefix(form, "urn:ietf:params:oauth:grant-type:jwt-bearer ey") {
						t.Errorf("token request: %.60s", form)
					}
				}
				if err != nil && strings.Contains(err.Error()+logs.String(), strings.Split(private, "\n")[1]) {
					t.Error("the private key is shown")
				}
			})
		})
	}
}

func TestRefreshToken(t *testing.T) {
	server := &tokenServer{t: t, status: 200, body: `{"access_token":"` + testToken + `","expires_in":3600,"token_type":"Bearer"}`}
	s, err := New("web", testOptions("http://ga4.test", nil), apiclient.Deps{Transport: server})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.first(t.Context(), query{}); err != nil || len(server.forms) != 1 || server.forms[0] != "refresh_token r3fresh" {
		t.Errorf("got %v, %v", server.forms, err)
	}
}
