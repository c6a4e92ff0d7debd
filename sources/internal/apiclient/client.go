// Package apiclient is the one HTTP client of all sources: credentials, limits,
// retries, typed errors without secrets, and the counting of requests. It wraps
// hashicorp/go-retryablehttp.
package apiclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-cleanhttp"
)

// Deps is what every source with a client is given.
type Deps struct {
	// Metrics counts the requests; nil for a source that is only tried.
	Metrics *Metrics
	// Logger gets retries at the level debug; nil for none.
	Logger *slog.Logger
	// UserAgent is sent with every request.
	UserAgent string
	// Transport sends the requests; a pool of connections of its own where nil.
	Transport http.RoundTripper
}

// SourceLogger returns the logger for what a source says itself, with its name; it is
// never nil.
func (d Deps) SourceLogger(name string) *slog.Logger {
	if d.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Logger.With("source", name)
}

// Defaults of Config.
const (
	DefaultTimeout       = 60 * time.Second
	DefaultStreamTimeout = 10 * time.Minute
	DefaultMaxRetryAfter = 60 * time.Second
	DefaultMaxBody       = 64 << 20

	maxRetries   = 3
	backoffBase  = time.Second
	backoffMax   = 30 * time.Second
	maxErrorBody = 64 << 10
)

// Config describes a vendor's API and an account of it.
type Config struct {
	Deps
	// Source and Vendor are the source's name and type.
	Source, Vendor string
	// BaseURL is what the paths of requests are relative to, and the only place that
	// credentials are sent to.
	BaseURL string
	// Auth adds the credentials; nil for none.
	Auth Auth
	// Header is sent with every request: versions, formats.
	Header http.Header
	// Classify reads the vendor's answers; ClassifyStatus where nil.
	Classify func(*Response) Verdict
	// Limits are the account's limits.
	Limits []Limit
	// Signals reads what an answer says about the limits; nil where it says nothing.
	Signals func(*Response) []Signal
	// Concurrency is how many requests may be under way; 1 where 0.
	Concurrency int
	// Timeout is for one try of one request; DefaultTimeout where 0.
	Timeout time.Duration
	// MaxRetryAfter is the longest wait inside the client; DefaultMaxRetryAfter where 0.
	MaxRetryAfter time.Duration
	// MaxBody is the longest answer in bytes; DefaultMaxBody where 0.
	MaxBody int64
}

// Client sends requests to one account of one vendor. It is safe for concurrent use.
type Client struct {
	cfg       Config
	base      *url.URL
	transport http.RoundTripper
	limiter   *limiter
	redact    *redactor
	metrics   *sourceMetrics
	logger    *slog.Logger
}

// ParseBaseURL reads the URL of an API as a configuration gives it. Its errors do not
// quote the text, which may hold a password.
func ParseBaseURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("expected an http or https URL with a host")
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the URL must hold no user, query or fragment; credentials have their own options")
	}
	return base, nil
}

// New returns a Client.
func New(cfg Config) (*Client, error) {
	base, err := ParseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if cfg.Classify == nil {
		cfg.Classify = ClassifyStatus
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	if cfg.Transport == nil {
		cfg.Transport = cleanhttp.DefaultPooledTransport()
	}
	cfg.Concurrency = max(cfg.Concurrency, 1)
	setDefault(&cfg.Timeout, DefaultTimeout)
	setDefault(&cfg.MaxRetryAfter, DefaultMaxRetryAfter)
	setDefault(&cfg.MaxBody, DefaultMaxBody)

	c := &Client{
		cfg: cfg, base: base, redact: newRedactor(),
		// A tenth more: a limiter waits a little longer than a vendor's window or Retry-After.
		limiter: newLimiter(cfg.Limits, cfg.Concurrency, cfg.MaxRetryAfter*11/10),
		metrics: cfg.Metrics.forSource(cfg.Source, cfg.Vendor),
		logger:  cfg.SourceLogger(cfg.Source),
	}
	c.transport = &authTransport{
		next: &countTransport{next: cfg.Transport, metrics: c.metrics},
		auth: cfg.Auth, origin: base, redact: c.redact,
	}
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Request is one request. Every request must only read, because it may be sent again.
type Request struct {
	// Method is GET where empty.
	Method string
	// Path is relative to the base URL, or a whole URL from an answer.
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
	// Cost is in the units of the limits; 1 where 0.
	Cost int
	// Timeout is for one try; the client's where 0.
	Timeout time.Duration
}

// Do sends a request and returns the answer, which was read as a whole: 2xx or 304,
// unless the source classifies otherwise.
func (c *Client) Do(ctx context.Context, req Request) (*Response, error) {
	k, err := c.send(ctx, req, modeWhole, nil)
	if err != nil {
		return nil, err
	}
	return k.answer, nil
}

// JSON is Do for an answer that is JSON, which it decodes into the value that into
// points to; what that holds is replaced. Fields for numbers that are money must be json.Number or
// pointers to it.
func (c *Client) JSON(ctx context.Context, req Request, into any) (*Response, error) {
	k, err := c.send(ctx, req, modeJSON, into)
	if err != nil {
		return nil, err
	}
	return k.answer, nil
}

// Stream sends a request and lets read consume the answer as it arrives. Only what
// comes before the answer's first byte is retried. A read error that is not read's own, such as an
// answer cut short, is returned as a typed error; another error of read is returned as it is.
func (c *Client) Stream(ctx context.Context, req Request, read func(io.Reader) error) error {
	if req.Timeout == 0 {
		req.Timeout = max(DefaultStreamTimeout, c.cfg.Timeout)
	}
	k, err := c.send(ctx, req, modeStream, nil)
	if err != nil {
		return err
	}
	defer k.release()
	defer k.stream.Close()
	body := &boundedReader{from: k.stream, left: c.cfg.MaxBody}
	err = read(body)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", k.endpoint, context.Cause(ctx))
	}
	if body.err != nil {
		return k.bodyError(body.err, body.read)
	}
	return err
}

// build makes the request, without credentials.
func (c *Client) build(ctx context.Context, req Request) (*http.Request, error) {
	target, err := url.Parse(req.Path)
	if err != nil {
		return nil, errors.New("make a request: its path is not a URL")
	}
	if !target.IsAbs() {
		relative := target
		target = c.base.JoinPath(relative.EscapedPath())
		target.RawQuery = relative.RawQuery
	}
	if len(req.Query) > 0 {
		query := target.Query()
		maps.Copy(query, req.Query)
		target.RawQuery = query.Encode()
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", c.redact.err(err))
	}
	for _, header := range []http.Header{c.cfg.Header, req.Header} {
		for name, values := range header {
			r.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if ua := strings.TrimSpace(c.cfg.UserAgent); ua != "" {
		r.Header.Set("User-Agent", ua)
	}
	return r, nil
}
