package apiclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Grant is a way to get access tokens.
type Grant struct {
	// Token asks for a new token. The context carries the HTTP client that must be used
	// (oauth2.HTTPClient).
	Token func(ctx context.Context) (*oauth2.Token, error)
	// Secrets are what Token sends.
	Secrets []SecretFunc
}

// ClientCredentials configures OAuth 2.0's client credentials grant.
type ClientCredentials struct {
	TokenURL string
	ClientID string
	Secret   SecretFunc
	Scopes   []string
	// Params are further parameters of the token request, such as "audience".
	Params url.Values
	// Style says where the client's ID and secret go; in the form where zero.
	Style oauth2.AuthStyle
}

// Grant returns the grant.
func (c ClientCredentials) Grant() Grant {
	return Grant{
		Secrets: []SecretFunc{c.Secret},
		Token: func(ctx context.Context) (*oauth2.Token, error) {
			secret, err := c.Secret()
			if err != nil {
				return nil, fmt.Errorf("read the client secret: %w", err)
			}
			cfg := clientcredentials.Config{
				ClientID: c.ClientID, ClientSecret: secret, TokenURL: c.TokenURL,
				Scopes: c.Scopes, EndpointParams: c.Params, AuthStyle: inForm(c.Style),
			}
			return cfg.Token(ctx)
		},
	}
}

// RefreshToken configures OAuth 2.0's refresh token grant.
type RefreshToken struct {
	TokenURL string
	ClientID string
	Secret   SecretFunc
	// Refresh is the configured refresh token. Where the vendor rotates it, the newest is
	// kept in memory, until the configured one changes.
	Refresh SecretFunc
	// Style says where the client's ID and secret go; in the form where zero.
	Style oauth2.AuthStyle
}

// Grant returns the grant.
func (c RefreshToken) Grant() Grant {
	var (
		mu                  sync.Mutex
		configured, current string
	)
	read := func() (string, error) {
		token, err := c.Refresh()
		if err != nil {
			return "", fmt.Errorf("read the refresh token: %w", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if token != configured {
			configured, current = token, token
		}
		return current, nil
	}
	return Grant{
		Secrets: []SecretFunc{c.Secret, read},
		Token: func(ctx context.Context) (*oauth2.Token, error) {
			secret, err := c.Secret()
			if err != nil {
				return nil, fmt.Errorf("read the client secret: %w", err)
			}
			refresh, err := read()
			if err != nil {
				return nil, err
			}
			cfg := oauth2.Config{
				ClientID: c.ClientID, ClientSecret: secret,
				Endpoint: oauth2.Endpoint{TokenURL: c.TokenURL, AuthStyle: inForm(c.Style)},
			}
			token, err := cfg.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			if token.RefreshToken != "" && current == refresh {
				current = token.RefreshToken
			}
			return token, nil
		},
	}
}

// inForm is the default style: detecting it costs a second, failing request.
func inForm(style oauth2.AuthStyle) oauth2.AuthStyle {
	if style == oauth2.AuthStyleAutoDetect {
		return oauth2.AuthStyleInParams
	}
	return style
}

// tokens is an Auth that sends access tokens.
type tokens struct {
	grant          Grant
	header, prefix string
	// turn lets one request at a time ask for a token; a channel and not a mutex, so that
	// a waiting request can be cancelled.
	turn chan struct{}

	mu      sync.Mutex
	current *oauth2.Token
	renewAt time.Time // zero where the token does not expire
	known   []string  // tokens to redact, newest last
}

// OAuth2 returns an Auth that sends the grant's access tokens in a header:
// ("Authorization", "Bearer "). A token is renewed after 80 % of its life.
func OAuth2(grant Grant, header, prefix string) Auth {
	return &tokens{grant: grant, header: header, prefix: prefix, turn: make(chan struct{}, 1)}
}

func (a *tokens) cached(now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil || !a.renewAt.IsZero() && !now.Before(a.renewAt) {
		return ""
	}
	return a.current.AccessToken
}

func (a *tokens) Apply(r *http.Request) error {
	ctx := r.Context()
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	access := a.cached(time.Now())
	if access == "" {
		token, err := a.grant.Token(ctx)
		if err != nil {
			return err
		}
		access = token.AccessToken
		a.keep(token, time.Now())
	}
	r.Header.Set(a.header, a.prefix+access)
	return nil
}

func (a *tokens) keep(token *oauth2.Token, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current, a.renewAt = token, time.Time{}
	if !token.Expiry.IsZero() {
		a.renewAt = now.Add(token.Expiry.Sub(now) * 4 / 5)
	}
	for _, secret := range []string{token.AccessToken, token.RefreshToken} {
		if secret != "" && !slices.Contains(a.known, secret) {
			a.known = append(a.known, secret)
		}
	}
	if extra := len(a.known) - 4; extra > 0 {
		a.known = slices.Delete(a.known, 0, extra)
	}
}

func (a *tokens) Refresh(refused *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	// Another request may have renewed the token in the meantime.
	if a.current != nil && refused.Header.Get(a.header) == a.prefix+a.current.AccessToken {
		a.current = nil
	}
	return true
}

func (a *tokens) Secrets() []string {
	var secrets []string
	for _, read := range a.grant.Secrets {
		if secret, err := read(); err == nil { // what cannot be read was not sent
			secrets = append(secrets, secret)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return append(secrets, a.known...)
}
