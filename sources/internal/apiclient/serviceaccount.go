package apiclient

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
)

// ServiceAccount configures the grant for a service account of Google Cloud: an
// assertion that is signed with the account's key (RFC 7523).
type ServiceAccount struct {
	TokenURL string
	// Key is the JSON file that Google Cloud creates for the account.
	Key   SecretFunc
	Scope string
}

// Grant returns the grant.
func (c ServiceAccount) Grant() Grant {
	private := func() (string, error) {
		k, err := readAccountKey(c.Key)
		return k.Private, err
	}
	return Grant{
		Secrets: []SecretFunc{c.Key, private},
		Token: func(ctx context.Context) (*oauth2.Token, error) {
			k, err := readAccountKey(c.Key)
			if err != nil {
				return nil, err
			}
			return c.token(ctx, k)
		},
	}
}

// accountKey is what is needed of the JSON file.
type accountKey struct {
	Type    string `json:"type"`
	Email   string `json:"client_email"`
	ID      string `json:"private_key_id"`
	Private string `json:"private_key"`
}

func readAccountKey(secret SecretFunc) (accountKey, error) {
	var k accountKey
	text, err := secret()
	if err != nil {
		return k, fmt.Errorf("read the service account's key: %w", err)
	}
	// The decoder's error would quote the text.
	bad := json.Unmarshal([]byte(text), &k) != nil
	if block, _ := pem.Decode([]byte(k.Private)); bad || block == nil || k.Type != "service_account" || k.Email == "" {
		return k, errors.New("the service account's key is not the JSON file that Google Cloud creates (type service_account, client_email, private_key); " +
			"create one under IAM > Service Accounts > Keys")
	}
	return k, nil
}

func (c ServiceAccount) token(ctx context.Context, k accountKey) (*oauth2.Token, error) {
	bound := &boundTransport{ctx: ctx, next: http.DefaultTransport}
	if client, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok {
		bound.next = client.Transport
	}
	cfg := jwt.Config{Email: k.Email, PrivateKey: []byte(k.Private), PrivateKeyID: k.ID, Scopes: []string{c.Scope}, TokenURL: c.TokenURL}
	token, err := cfg.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: bound})).Token()
	if err == nil {
		return token, nil
	}
	if bound.err != nil {
		return nil, bound.err
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		// Package jwt leaves the answer's fields empty.
		var body struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		if json.Unmarshal(refused.Body, &body) == nil {
			refused.ErrorCode, refused.ErrorDescription = body.Code, body.Description
		}
		return nil, refused
	}
	return nil, fmt.Errorf("get an access token for the service account: %w", err)
}

// boundTransport gives requests the context that package jwt does not, and keeps the
// error that it flattens into text.
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
