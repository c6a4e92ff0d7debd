package apiclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// authTransport adds the credentials: the layers above it retry, log and make errors
// of requests without them.
type authTransport struct {
	next   http.RoundTripper
	auth   Auth
	origin *url.URL
	redact *redactor
}

// callKey is the context key of a *call.
type callKey struct{}

func (t *authTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	// An absolute URL of an answer (a report to download, a redirect) may lead elsewhere:
	// the credentials do not go with it.
	if t.auth == nil || !sameOrigin(r.URL, t.origin) {
		return t.next.RoundTrip(r)
	}
	ctx := context.WithValue(r.Context(), oauth2.HTTPClient, &http.Client{Transport: t.next})
	sent := r.Clone(ctx)
	err := t.auth.Apply(sent)
	t.redact.add(t.auth.Secrets()...)
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return t.noCredentials(r, err)
	}
	if k, ok := r.Context().Value(callKey{}).(*call); ok {
		k.sent = sent
	}
	resp, err := t.next.RoundTrip(sent)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// noCredentials tells a token endpoint that is down, which a retry may help, from
// credentials that are missing or refused.
func (t *authTransport) noCredentials(r *http.Request, err error) (*http.Response, error) {
	f := Failure{Endpoint: endpoint(r)}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		status := refused.Response.StatusCode
		if status == http.StatusTooManyRequests || status >= 500 {
			// The token endpoint's answer stands for the API's: it is retried by the same rules.
			return &http.Response{
				Status: refused.Response.Status, StatusCode: status,
				Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
				Header: refused.Response.Header, Request: r, ContentLength: int64(len(refused.Body)),
				Body: io.NopCloser(bytes.NewReader(refused.Body)),
			}, nil
		}
		f.Endpoint += " (token request)"
		f.Status, f.Code = status, t.redact.message(refused.ErrorCode)
		f.Message = t.redact.message(refused.ErrorDescription)
		return nil, &AuthError{Failure: f}
	}
	if _, network := errors.AsType[*url.Error](err); network || r.Context().Err() != nil {
		return nil, err
	}
	return nil, &AuthError{Failure: f, Err: t.redact.err(err)}
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// countTransport counts what goes over the wire, token requests and redirects too.
type countTransport struct {
	next    http.RoundTripper
	metrics *sourceMetrics
}

func (t *countTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.next.RoundTrip(r)
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	t.metrics.request(status, time.Since(start))
	return resp, err
}

// redirectError is a redirect that is not followed.
type redirectError struct{ detail string }

func (e *redirectError) Error() string { return e.detail }

const maxRedirects = 5

// checkRedirect stays on the host: a redirect elsewhere is a login page or a shop
// that moved, and its configuration should say so.
func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return &redirectError{"too many redirects"}
	case !sameOrigin(r.URL, via[0].URL):
		return &redirectError{"redirected to " + r.URL.Scheme + "://" + r.URL.Host + ": configure that address if it is right"}
	}
	return nil
}

func endpoint(r *http.Request) string { return r.Method + " " + r.URL.Path }
