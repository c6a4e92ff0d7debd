package googleads

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// newKey returns a key and the JSON that Google Cloud would give for it.
func newKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "exporter@project.example", "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "http://elsewhere.test/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return private, string(text)
}

func TestServiceAccount(t *testing.T) {
	private, text := newKey(t)
	file := filepath.Join(t.TempDir(), "key.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.ServiceAccount = &private.PublicKey
		withKey := func(o *Options) {
			o.ClientID, o.ClientSecret, o.RefreshToken = "", config.SecretRef{}, config.SecretRef{}
			o.ServiceAccount = config.FileSecret(file)
		}
		write(text)
		p.open(withKey)
		p.poll("spend")
		time.Sleep(30 * time.Minute)
		p.poll("spend")
		if n := p.server.Requests()["token"]; n != 1 {
			t.Errorf("%d tokens in half an hour, want 1", n)
		}
		time.Sleep(time.Hour)
		p.poll("spend")
		if n := p.server.Requests()["token"]; n != 2 {
			t.Errorf("%d tokens in an hour and a half, want 2", n)
		}
		// A key that the vendor does not know, and what is no key.
		_, other := newKey(t)
		for name, bad := range map[string]string{
			"another key": other, "no JSON": "SECRET-KEY", "a user's file": `{"type":"authorized_user","client_id":"SECRET-KEY"}`,
			"no PEM": `{"type":"service_account","client_email":"a@b.example","private_key":"SECRET-KEY"}`,
		} {
			write(bad)
			p.open(withKey)
			err := p.tryPoll("spend")
			if _, ok := errors.AsType[*apiclient.AuthError](err); !ok || strings.Contains(err.Error(), "SECRET-KEY") || strings.Contains(err.Error(), "@") {
				t.Errorf("%s: got %v, want an AuthError without what the file holds", name, err)
			}
		}
		write(text)
		p.poll("spend")
	})
}

// A network that fails under a request for a token is no wrong key, and a poll that is
// cancelled ends it.
func TestServiceAccountNetwork(t *testing.T) {
	_, text := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("no route to host")
		grant := serviceAccount(func() (string, error) { return text, nil }, "http://google.test/token")
		client, err := apiclient.New(apiclient.Config{
			Deps:    apiclient.Deps{Transport: transportFunc(func(*http.Request) (*http.Response, error) { return nil, down })},
			BaseURL: "http://google.test", Auth: apiclient.OAuth2(grant, "Authorization", "Bearer "),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Do(t.Context(), apiclient.Request{Path: "/"})
		if _, auth := errors.AsType[*apiclient.AuthError](err); auth || !errors.Is(err, down) {
			t.Errorf("got %v, want the network's error", err)
		}
		client, err = apiclient.New(apiclient.Config{
			Deps: apiclient.Deps{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})},
			BaseURL: "http://google.test", Auth: apiclient.OAuth2(grant, "Authorization", "Bearer "),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := client.Do(ctx, apiclient.Request{Path: "/"}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 6*time.Second {
			t.Errorf("got %v after %v, want the end of the context", err, time.Since(begin))
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRefusedRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.RefreshToken = "another"
		err := p.tryPoll("spend")
		if auth, ok := errors.AsType[*apiclient.AuthError](err); !ok || auth.Code != "invalid_grant" {
			t.Errorf("got %v, want an AuthError with invalid_grant", err)
		}
		if got := p.texts()["credentials"]; !strings.Contains(got, "invalid_grant") {
			t.Errorf("check says %q", got)
		}
	})
}
