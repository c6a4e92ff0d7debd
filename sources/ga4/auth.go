package ga4

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// scope only reads.
const scope = "https://www.googleapis.com/auth/analytics.readonly"

// grant returns how access tokens are got.
func (o Options) grant() apiclient.Grant {
	if o.RefreshToken.IsSet() {
		return apiclient.RefreshToken{
			TokenURL: o.TokenURL, ClientID: o.ClientID,
			Secret: apiclient.FromConfig(o.ClientSecret), Refresh: apiclient.FromConfig(o.RefreshToken),
		}.Grant()
	}
	file := apiclient.FromConfig(o.KeyFile)
	private := func() (string, error) {
		k, err := readKey(file)
		return k.PrivateKey, err
	}
	return apiclient.Grant{
		Secrets: []apiclient.SecretFunc{file, private},
		Token: func(ctx context.Context) (*oauth2.Token, error) {
			k, err := readKey(file)
			if err != nil {
				return nil, err
			}
			return k.token(ctx, o.TokenURL)
		},
	}
}

// key is the JSON key of a service account.
type key struct {
	Type         string `json:"type"`
	Email        string `json:"client_email"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
}

// readKey reads a key. Its errors do not quote it.
func readKey(file apiclient.SecretFunc) (key, error) {
	text, err := file()
	if err != nil {
		return key{}, err
	}
	var k key
	switch err := json.Unmarshal([]byte(text), &k); {
	case err != nil:
		return key{}, errors.New("key_file is not JSON; download the service account's key as JSON")
	case k.Type != "service_account" || k.Email == "" || k.PrivateKey == "":
		return key{}, errors.New("key_file is not the key of a service account (type, client_email, private_key); create one under IAM > Service Accounts > Keys")
	}
	return k, nil
}

// token asks for an access token with a signed assertion.
func (k key) token(ctx context.Context, tokenURL string) (*oauth2.Token, error) {
	// The jwt package flattens network errors to text, which would look like refused credentials.
	watch := &watched{next: http.DefaultTransport}
	if client, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok {
		watch.next = client.Transport
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: watch})
	cfg := jwt.Config{
		Email: k.Email, PrivateKey: []byte(k.PrivateKey), PrivateKeyID: k.PrivateKeyID,
		Scopes: []string{scope}, TokenURL: tokenURL,
	}
	token, err := cfg.TokenSource(ctx).Token()
	if err == nil {
		return token, nil
	}
	if watch.err != nil {
		return nil, &url.Error{Op: "Post", URL: tokenURL, Err: watch.err}
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
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

// watched is a transport that remembers its error.
type watched struct {
	next http.RoundTripper
	err  error
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	w.err = err
	return resp, err
}
