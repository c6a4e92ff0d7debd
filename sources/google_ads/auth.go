package googleads

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// scope is the only one that the API has: what may be done is decided by the user's access level
// in the account.
const scope = "https://www.googleapis.com/auth/adwords"

// auth returns what adds the credentials to requests.
func (o *Options) auth() apiclient.Auth {
	grant := apiclient.RefreshToken{
		TokenURL: o.TokenURL, ClientID: o.ClientID,
		Secret: apiclient.FromConfig(o.ClientSecret), Refresh: apiclient.FromConfig(o.RefreshToken),
	}.Grant()
	if o.ServiceAccount.IsSet() {
		grant = serviceAccount(apiclient.FromConfig(o.ServiceAccount), o.TokenURL)
	}
	tokens := apiclient.OAuth2(grant, "Authorization", "Bearer ")
	if !o.DeveloperToken.IsSet() {
		return tokens
	}
	return both{tokens, apiclient.Header("Developer-Token", "", apiclient.FromConfig(o.DeveloperToken))}
}

// both is an Auth that adds the credentials of two.
type both [2]apiclient.Auth

func (b both) Apply(r *http.Request) error {
	for _, a := range b {
		if err := a.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

func (b both) Refresh(refused *http.Request) bool {
	first, second := b[0].Refresh(refused), b[1].Refresh(refused)
	return first || second
}

func (b both) Secrets() []string { return append(b[0].Secrets(), b[1].Secrets()...) }

// key is what is needed of a service account's JSON key.
type key struct {
	Type  string `json:"type"`
	Email string `json:"client_email"`
	ID    string `json:"private_key_id"`
	Key   string `json:"private_key"`
}

func readKey(secret apiclient.SecretFunc) (key, error) {
	var k key
	text, err := secret()
	if err != nil {
		return k, fmt.Errorf("read the service account's key: %w", err)
	}
	// The decoder's error would quote the text.
	bad := json.Unmarshal([]byte(text), &k) != nil
	if block, _ := pem.Decode([]byte(k.Key)); bad || block == nil || k.Type != "service_account" || k.Email == "" {
		return k, errors.New("the service account's key is not the JSON file that Google Cloud has created (type service_account, client_email, private_key)")
	}
	return k, nil
}

// serviceAccount returns the grant of access tokens for a JSON key.
func serviceAccount(secret apiclient.SecretFunc, tokenURL string) apiclient.Grant {
	return apiclient.Grant{
		Secrets: []apiclient.SecretFunc{func() (string, error) {
			k, err := readKey(secret)
			return k.Key, err
		}},
		Token: func(ctx context.Context) (*oauth2.Token, error) {
			k, err := readKey(secret)
			if err != nil {
				return nil, err
			}
			cfg := jwt.Config{Email: k.Email, PrivateKey: []byte(k.Key), PrivateKeyID: k.ID, Scopes: []string{scope}, TokenURL: tokenURL}
			bound := &boundTransport{ctx: ctx}
			if client, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok {
				bound.next = client.Transport
			}
			token, err := cfg.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: bound})).Token()
			if err != nil && bound.err != nil {
				return nil, bound.err
			}
			return token, err
		},
	}
}

// boundTransport gives requests the context that package jwt does not, and keeps the error that it
// flattens into text.
type boundTransport struct {
	ctx  context.Context
	next http.RoundTripper
	err  error
}

func (t *boundTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r.WithContext(t.ctx))
	if err != nil {
		t.err = &url.Error{Op: r.Method, URL: r.URL.String(), Err: err}
	}
	return resp, err
}
