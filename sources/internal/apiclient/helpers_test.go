package apiclient

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// answer is what a scripted vendor says.
type answer struct {
	status int
	header map[string]string
	body   string
	err    error
}

func (a answer) response(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{}
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.status == 0 {
		a.status = 200
	}
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Header: h, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: -1, Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// script answers requests in turn; the last answer is repeated.
type script struct {
	mu       sync.Mutex
	answers  []answer
	requests []*http.Request
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := min(len(s.requests), len(s.answers)-1)
	s.requests = append(s.requests, r)
	return s.answers[i].response(r)
}

func newClient(t *testing.T, transport http.RoundTripper, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{Source: "shop", Vendor: "test", BaseURL: "http://api.test/v1"}
	cfg.Transport = transport
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func literal(s string) SecretFunc { return func() (string, error) { return s, nil } }
