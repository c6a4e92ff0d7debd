package apiclient

import (
	"fmt"
	"net/http"

	"github.com/b2bexporter/b2b_exporter/internal/config"
)

// SecretFunc reads a secret. It is called for each request, so that a rotated file
// is used without a restart.
type SecretFunc func() (string, error)

// FromConfig returns a SecretFunc that reads ref.
func FromConfig(ref config.SecretRef) SecretFunc {
	return func() (string, error) {
		secret, err := ref.Get()
		if err != nil {
			return "", err
		}
		return secret.Reveal(), nil
	}
}

// Auth adds credentials to requests, below everything that logs or retries. It is
// safe for concurrent use.
type Auth interface {
	// Apply adds the credentials to r, which is the caller's own copy.
	Apply(r *http.Request) error
	// Refresh is told a request, as Apply left it, that the vendor refused. It reports
	// whether Apply would now add something else.
	Refresh(refused *http.Request) bool
	// Secrets returns what must never be printed, after Apply.
	Secrets() []string
}

// static is an Auth that adds secrets as they are configured.
type static struct {
	secrets []SecretFunc
	apply   func(r *http.Request, values []string)
	// sent returns what apply added to r, to see whether a secret was rotated since.
	sent func(r *http.Request) string
	// derived returns what else must not be printed.
	derived func(values []string) []string
}

// Header returns an Auth that sends prefix and secret in the header name:
// ("Authorization", "Bearer "), ("X-Shopify-Access-Token", "").
func Header(name, prefix string, secret SecretFunc) Auth {
	return &static{
		secrets: []SecretFunc{secret},
		apply:   func(r *http.Request, v []string) { r.Header.Set(name, prefix+v[0]) },
		sent:    func(r *http.Request) string { return r.Header.Get(name) },
	}
}

// Basic returns an Auth that sends user and password by HTTP's basic authentication.
func Basic(user, password SecretFunc) Auth {
	return &static{
		secrets: []SecretFunc{user, password},
		apply:   func(r *http.Request, v []string) { r.SetBasicAuth(v[0], v[1]) },
		sent:    func(r *http.Request) string { return r.Header.Get("Authorization") },
		derived: func(v []string) []string { return []string{v[0] + ":" + v[1]} },
	}
}

// Query returns an Auth that sends secrets as parameters of the query, for vendors
// that know nothing better: nothing above it ever sees the URL with them.
func Query(parameters map[string]SecretFunc) Auth {
	var names []string
	s := &static{}
	for name, secret := range parameters {
		names = append(names, name)
		s.secrets = append(s.secrets, secret)
	}
	s.apply = func(r *http.Request, values []string) {
		query := r.URL.Query()
		for i, name := range names {
			query.Set(name, values[i])
		}
		r.URL.RawQuery = query.Encode()
	}
	s.sent = func(r *http.Request) string { return r.URL.RawQuery }
	return s
}

func (s *static) values() ([]string, error) {
	values := make([]string, len(s.secrets))
	for i, secret := range s.secrets {
		v, err := secret()
		if err != nil {
			return nil, fmt.Errorf("read a secret: %w", err)
		}
		values[i] = v
	}
	return values, nil
}

func (s *static) Apply(r *http.Request) error {
	values, err := s.values()
	if err != nil {
		return err
	}
	s.apply(r, values)
	return nil
}

func (s *static) Refresh(refused *http.Request) bool {
	again := refused.Clone(refused.Context())
	if err := s.Apply(again); err != nil {
		return false
	}
	return s.sent(again) != s.sent(refused)
}

func (s *static) Secrets() []string {
	values, err := s.values()
	if err != nil {
		return nil // there was nothing to send either
	}
	if s.derived != nil {
		values = append(values, s.derived(values)...)
	}
	return values
}

// combined is an Auth that adds the credentials of several.
type combined []Auth

// Combine returns an Auth that adds the credentials of all auths, in their order, for
// vendors that want more than one: a token and a key of the developer.
func Combine(auths ...Auth) Auth { return combined(auths) }

func (c combined) Apply(r *http.Request) error {
	for _, a := range c {
		if err := a.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

func (c combined) Refresh(refused *http.Request) bool {
	changed := false
	for _, a := range c {
		changed = a.Refresh(refused) || changed
	}
	return changed
}

func (c combined) Secrets() []string {
	var secrets []string
	for _, a := range c {
		secrets = append(secrets, a.Secrets()...)
	}
	return secrets
}
