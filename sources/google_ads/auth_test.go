package googleads

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// newServiceAccount returns a service account with a new key.
func newServiceAccount(t *testing.T) fake.ServiceAccount {
	t.Helper()
	account, err := fake.NewServiceAccount()
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func TestServiceAccount(t *testing.T) {
	account := newServiceAccount(t)
	file := filepath.Join(t.TempDir(), "key.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.ServiceAccount = account.Public
		withKey := func(o *Options) {
			o.ClientID, o.ClientSecret, o.RefreshToken = "", config.SecretRef{}, config.SecretRef{}
			o.ServiceAccount = config.FileSecret(file)
		}
		write(account.File)
		p.open(withKey)
		p.Poll("spend")
		time.Sleep(30 * time.Minute)
		p.Poll("spend")
		if n := p.server.Requests()["token"]; n != 1 {
			t.Errorf("%d tokens in half an hour, want 1", n)
		}
		time.Sleep(time.Hour)
		p.Poll("spend")
		if n := p.server.Requests()["token"]; n != 2 {
			t.Errorf("%d tokens in an hour and a half, want 2", n)
		}
		for name, bad := range map[string]string{"a key that the vendor does not know": newServiceAccount(t).File, "no key": "SECRET-KEY"} {
			write(bad)
			p.open(withKey)
			err := p.TryPoll("spend")
			if _, ok := errors.AsType[*apiclient.AuthError](err); !ok || strings.Contains(err.Error(), "SECRET-KEY") || strings.Contains(err.Error(), "@") {
				t.Errorf("%s: got %v, want an AuthError without what the file holds", name, err)
			}
		}
		write(account.File)
		p.Poll("spend")
	})
}

func TestRefusedRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.RefreshToken = "another"
		err := p.TryPoll("spend")
		if auth, ok := errors.AsType[*apiclient.AuthError](err); !ok || auth.Code != "invalid_grant" {
			t.Errorf("got %v, want an AuthError with invalid_grant", err)
		}
		if got := p.Check()["credentials"]; !strings.Contains(got, "invalid_grant") {
			t.Errorf("check says %q", got)
		}
	})
}
