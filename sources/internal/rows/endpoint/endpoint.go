// Package endpoint describes an address that rows are read from over HTTP: its URL,
// its credentials and how long and how large an answer may be.
package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/oauth2"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Options are the settings of an address. Sources inline them into their own options.
type Options struct {
	// URL is the whole address, with its query.
	URL string `yaml:"url"`
	// BearerToken, BasicAuth, OAuth2 and Query are ways to send credentials; at most one
	// of them.
	BearerToken config.SecretRef `yaml:"bearer_token"`
	BasicAuth   *BasicAuth       `yaml:"basic_auth"`
	OAuth2      *OAuth2          `yaml:"oauth2"`
	Query       []Parameter      `yaml:"query"`
	// Headers are sent with each request; their values are kept secret.
	Headers []Parameter `yaml:"headers"`
	// RedirectHosts are hosts, with all below them, that the server may redirect to.
	RedirectHosts []string `yaml:"redirect_hosts"`
	// Timeout is for one request; apiclient.DefaultTimeout where 0.
	Timeout time.Duration `yaml:"timeout"`
	// MaxMegabytes bounds an answer, in units of 2^20 bytes; 64 where 0.
	MaxMegabytes int `yaml:"max_megabytes"`
}

// BasicAuth is a user and a password.
type BasicAuth struct {
	Username string           `yaml:"username" required:"the user's name"`
	Password config.SecretRef `yaml:"password" required:"the password"`
}

// OAuth2 is OAuth 2.0's client credentials grant.
type OAuth2 struct {
	TokenURL     string           `yaml:"token_url" required:"the address that issues tokens"`
	ClientID     string           `yaml:"client_id" required:"the client's ID"`
	ClientSecret config.SecretRef `yaml:"client_secret" required:"the client's secret"`
	Scopes       []string         `yaml:"scopes"`
	// EndpointParams are further parameters of the token request, such as audience.
	EndpointParams map[string]string `yaml:"endpoint_params"`
	// InHeader sends the client's ID and secret by basic authentication instead of in the form.
	InHeader bool `yaml:"in_header"`
}

// Parameter is a header or a parameter of the query, whose value is a secret.
type Parameter struct {
	Name  string           `yaml:"name" required:"the name"`
	Value config.SecretRef `yaml:"value" required:"the value"`
}

// IsSet reports whether any of the options is given.
func (o Options) IsSet() bool {
	return o.URL != "" || o.BearerToken.IsSet() || o.BasicAuth != nil || o.OAuth2 != nil || len(o.Query) > 0 ||
		len(o.Headers) > 0 || len(o.RedirectHosts) > 0 || o.Timeout != 0 || o.MaxMegabytes != 0
}

// Problems returns what cannot be right, by the options' paths.
func (o Options) Problems() []rows.Problem {
	var list []rows.Problem
	add := func(path, format string, args ...any) {
		list = append(list, rows.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
	if _, err := o.base(); err != nil {
		add("url", "%v", err)
	}
	ways := 0
	for _, given := range []bool{o.BearerToken.IsSet(), o.BasicAuth != nil, o.OAuth2 != nil, len(o.Query) > 0} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		add("", "give one of bearer_token, basic_auth, oauth2 and query: the server expects one way")
	}
	if o.OAuth2 != nil {
		if u, err := url.Parse(o.OAuth2.TokenURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			add("oauth2.token_url", "expected an http or https URL with a host")
		}
	}
	for i, h := range o.Headers {
		if !httpguts.ValidHeaderFieldName(h.Name) {
			add(fmt.Sprintf("headers[%d].name", i), "%q is not the name of a header", h.Name)
		}
	}
	for i, host := range o.RedirectHosts {
		if host == "" || strings.ContainsAny(host, "/:*@") || !strings.Contains(host, ".") {
			add(fmt.Sprintf("redirect_hosts[%d]", i), "%q is not a host such as example.com, which stands also for all hosts below it", host)
		}
	}
	if o.Timeout < 0 {
		add("timeout", "must be above 0")
	}
	if o.MaxMegabytes < 0 {
		add("max_megabytes", "must be above 0")
	}
	return list
}

// base returns the scheme and host of the URL. Its errors do not quote the URL, which
// may hold a password.
func (o Options) base() (string, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("expected an http or https URL with a host")
	}
	if u.User != nil || u.Fragment != "" {
		return "", errors.New("the URL must hold no user and no fragment; credentials have their own options")
	}
	return u.Scheme + "://" + u.Host, nil
}

// Name returns the URL without its query, for errors and logs.
func (o Options) Name() string {
	name, _, _ := strings.Cut(o.URL, "?")
	return name
}

// Client returns a client for the address. classify reads the answers; nil for one that
// looks at the status alone.
func (o Options) Client(source, vendor string, deps apiclient.Deps, classify func(*apiclient.Response) apiclient.Verdict) (*apiclient.Client, error) {
	base, err := o.base()
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if len(o.RedirectHosts) > 0 {
		deps.Transport = newRedirects(deps.Transport, o.RedirectHosts)
	}
	return apiclient.New(apiclient.Config{
		Deps: deps, Source: source, Vendor: vendor, BaseURL: base, Auth: o.auth(), Classify: classify,
		Timeout: o.Timeout, MaxBody: int64(o.MaxMegabytes) << 20,
	})
}

// auth returns what adds the credentials and headers; nil where there are none.
func (o Options) auth() apiclient.Auth {
	var list several
	switch {
	case o.BearerToken.IsSet():
		list = append(list, apiclient.Header("Authorization", "Bearer ", apiclient.FromConfig(o.BearerToken)))
	case o.BasicAuth != nil:
		user := func() (string, error) { return o.BasicAuth.Username, nil }
		list = append(list, apiclient.Basic(user, apiclient.FromConfig(o.BasicAuth.Password)))
	case o.OAuth2 != nil:
		list = append(list, apiclient.OAuth2(o.OAuth2.grant(), "Authorization", "Bearer "))
	case len(o.Query) > 0:
		parameters := map[string]apiclient.SecretFunc{}
		for _, p := range o.Query {
			parameters[p.Name] = apiclient.FromConfig(p.Value)
		}
		list = append(list, apiclient.Query(parameters))
	}
	for _, h := range o.Headers {
		list = append(list, apiclient.Header(h.Name, "", apiclient.FromConfig(h.Value)))
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func (o OAuth2) grant() apiclient.Grant {
	params := url.Values{}
	for name, value := range o.EndpointParams {
		params.Set(name, value)
	}
	style := oauth2.AuthStyleInParams
	if o.InHeader {
		style = oauth2.AuthStyleInHeader
	}
	return apiclient.ClientCredentials{
		TokenURL: o.TokenURL, ClientID: o.ClientID, Secret: apiclient.FromConfig(o.ClientSecret),
		Scopes: o.Scopes, Params: params, Style: style,
	}.Grant()
}

// several is an Auth that adds the credentials of all of its parts.
type several []apiclient.Auth

// Apply implements apiclient.Auth.
func (s several) Apply(r *http.Request) error {
	for _, a := range s {
		if err := a.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

// Refresh implements apiclient.Auth.
func (s several) Refresh(refused *http.Request) bool {
	refreshed := false
	for _, a := range s {
		refreshed = a.Refresh(refused) || refreshed
	}
	return refreshed
}

// Secrets implements apiclient.Auth.
func (s several) Secrets() []string {
	var secrets []string
	for _, a := range s {
		secrets = append(secrets, a.Secrets()...)
	}
	return secrets
}
