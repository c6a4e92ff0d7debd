package ga4

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// tokenServer answers token requests and lets everything else see the token.
type tokenServer struct {
	t     *testing.T
	forms []string
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
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	s.forms = append(s.forms, r.PostForm.Get("grant_type")+" "+r.PostForm.Get("assertion")+r.PostForm.Get("refresh_token"))
	_, err := answer.WriteString(`{"access_token":"` + testToken + `","expires_in":3600,"token_type":"Bearer"}`)
	return answer.Result(), err
}

func TestServiceAccount(t *testing.T) {
	account, err := fake.NewServiceAccount()
	if err != nil {
		t.Fatal(err)
	}
	server := &tokenServer{t: t}
	s, err := New("web", testOptions("http://ga4.test", func(o *Options) {
		o.ClientID, o.ClientSecret, o.RefreshToken = "", config.SecretRef{}, config.SecretRef{}
		o.KeyFile = config.LiteralSecret(account.File)
	}), apiclient.Deps{Transport: server})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.first(t.Context(), query{})
	if err != nil || len(server.forms) != 1 || !strings.HasPrefix(server.forms[0], "urn:ietf:params:oauth:grant-type:jwt-bearer ey") {
		t.Errorf("got %.60v, %v", server.forms, err)
	}
}

func TestRefreshToken(t *testing.T) {
	server := &tokenServer{t: t}
	s, err := New("web", testOptions("http://ga4.test", nil), apiclient.Deps{Transport: server})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.first(t.Context(), query{}); err != nil || len(server.forms) != 1 || server.forms[0] != "refresh_token r3fresh" {
		t.Errorf("got %v, %v", server.forms, err)
	}
}
