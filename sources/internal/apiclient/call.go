package apiclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// mode says how an answer is read.
type mode int

const (
	modeWhole  mode = iota // as a whole
	modeJSON               // as a whole, into a value
	modeStream             // as it arrives
)

// call is one request with its retries. Its methods are called by go-retryablehttp,
// one after the other.
type call struct {
	client   *Client
	mode     mode
	into     any // of modeJSON
	endpoint string
	cost     int

	sent      *http.Request // the last try, with its credentials
	ticket    ticket        // of the last try
	held      bool          // ticket is not released yet
	tries     int
	retries   int
	refreshed bool
	wait      time.Duration // before the next try

	answer *Response
	stream io.ReadCloser
	err    error
	unfit  error // why answer was not decoded
}

// send sends a request until it succeeds or a retry is of no use. In modeStream the
// caller must release the call; in modeJSON into is what the answer is decoded into.
func (c *Client) send(ctx context.Context, req Request, m mode, into any) (*call, error) {
	plain, err := c.build(ctx, req)
	if err != nil {
		return nil, err
	}
	k := &call{client: c, mode: m, into: into, endpoint: endpoint(plain), cost: max(req.Cost, 1)}
	r, err := retryablehttp.FromRequest(plain.WithContext(context.WithValue(ctx, callKey{}, k)))
	if err != nil {
		return nil, fmt.Errorf("%s: make the request: %w", k.endpoint, err)
	}
	if req.Body != nil {
		if err := r.SetBody(req.Body); err != nil {
			return nil, fmt.Errorf("%s: set the request's body: %w", k.endpoint, err)
		}
	}
	if err := k.acquire(ctx); err != nil {
		return nil, err
	}
	timeout := req.Timeout
	if timeout == 0 {
		timeout = c.cfg.Timeout
	}
	// A retryablehttp.Client of its own for each call: its hooks are the call's methods.
	retrying := retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: c.transport, Timeout: timeout, CheckRedirect: checkRedirect},
		RetryMax:     maxRetries + 1, // a refresh of the credentials is a try more; check counts the others
		CheckRetry:   k.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return k.wait },
		PrepareRetry: func(r *http.Request) error { return k.acquire(r.Context()) },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	_, err = retrying.Do(r) //nolint:bodyclose // check has read and closed the body, or kept it in k.stream
	switch {
	case ctx.Err() != nil:
		if k.stream != nil {
			k.stream.Close()
		}
		err = fmt.Errorf("%s: %w", k.endpoint, context.Cause(ctx))
	case k.err != nil:
		err = k.err
	case err != nil:
		err = fmt.Errorf("%s: %w", k.endpoint, c.redact.err(err))
	default:
		return k, nil
	}
	k.release()
	return nil, err
}

func (k *call) acquire(ctx context.Context) error {
	t, err := k.client.limiter.acquire(ctx, k.cost)
	if limited, ok := errors.AsType[*RateLimitedError](err); ok {
		limited.Endpoint = k.endpoint
		k.err = limited
		return limited
	}
	if err != nil {
		return fmt.Errorf("%s: wait for the rate limit: %w", k.endpoint, context.Cause(ctx))
	}
	k.ticket, k.held = t, true
	k.tries++
	return nil
}

func (k *call) release() {
	if k.held {
		k.held = false
		k.client.limiter.release(k.ticket)
	}
}

// check reads an answer and decides whether the request is sent again.
func (k *call) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	k.err = nil
	if ctx.Err() != nil {
		if resp != nil {
			resp.Body.Close()
		}
		k.release()
		return false, ctx.Err()
	}
	if err != nil {
		if resp != nil { // a redirect that is not followed comes with its answer
			resp.Body.Close()
		}
		k.release()
		return k.failed(ctx, err), nil
	}
	r, err := k.read(resp)
	if err != nil {
		k.release()
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		k.err = err
		return k.againIfTruncated(ctx), nil
	}
	if k.stream == nil {
		k.release()
	}
	k.decode(r)
	k.observe(r)
	return k.judge(ctx, r), nil
}

// failed handles a request without an answer.
func (k *call) failed(ctx context.Context, err error) bool {
	if auth, ok := errors.AsType[*AuthError](err); ok {
		k.err = auth
		return false
	}
	if redirect, ok := errors.AsType[*redirectError](err); ok {
		k.err = &FormatError{Endpoint: k.endpoint, Detail: redirect.detail}
		return false
	}
	k.err = fmt.Errorf("%s: no answer in %d tries: %w; check the address, and that the vendor can be reached from here", k.endpoint, k.tries, k.client.redact.err(err))
	// The default policy knows the errors that stay: bad certificates, wrong schemes.
	retry, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, err)
	return retry && k.again(ctx, reasonNetwork, jitter(k.retries))
}

// read reads the answer, or its beginning in modeStream. It closes the body unless
// that is kept in k.stream.
func (k *call) read(resp *http.Response) (*Response, error) {
	r := &Response{Status: resp.StatusCode, Header: resp.Header}
	ok := resp.StatusCode < 300
	if k.mode == modeStream && ok {
		body := bufio.NewReaderSize(resp.Body, 4096)
		start, err := body.Peek(512)
		if err != nil && err != io.EOF {
			resp.Body.Close()
			return nil, k.bodyError(err, int64(len(start)))
		}
		r.Body = start
		k.stream = struct {
			io.Reader
			io.Closer
		}{body, resp.Body}
		return r, nil
	}
	defer resp.Body.Close()
	limit := k.client.cfg.MaxBody
	if !ok {
		limit = maxErrorBody
	}
	// One byte more than allowed tells a long answer from one of just that length.
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case !ok: // what arrived of an error is enough to describe it
		body = body[:min(int64(len(body)), limit)]
	case err != nil:
		return nil, k.bodyError(err, int64(len(body)))
	case int64(len(body)) > limit:
		return nil, k.bodyError(errTooLong, limit)
	case resp.ContentLength > int64(len(body)) && !resp.Uncompressed:
		return nil, k.bodyError(io.ErrUnexpectedEOF, int64(len(body)))
	}
	r.Body = body
	resp.Body = io.NopCloser(bytes.NewReader(nil))
	return r, nil
}

// decode decodes the body, before anybody judges by it: it is parsed this one time.
func (k *call) decode(r *Response) {
	k.unfit = nil
	if k.mode != modeJSON {
		return
	}
	if into := reflect.ValueOf(k.into); into.Kind() == reflect.Pointer && !into.IsNil() {
		into.Elem().SetZero() // of what an earlier try has left
	}
	if r.Status == http.StatusNotModified || r.Status == http.StatusNoContent {
		return
	}
	if k.unfit = json.Unmarshal(trimBOM(r.Body), k.into); k.unfit == nil {
		r.Decoded = k.into
	}
}

// observe hands what the answer says about limits to the limiter.
func (k *call) observe(r *Response) {
	if k.client.cfg.Signals == nil {
		return
	}
	signals := k.client.cfg.Signals(r)
	k.client.limiter.observe(k.ticket, signals)
	for _, s := range signals {
		if s.Size > 0 && s.Remaining >= 0 {
			k.client.metrics.remaining(s.Quota, min(float64(s.Remaining)/float64(s.Size), 1))
		}
	}
}

// judge acts on the source's reading of an answer.
func (k *call) judge(ctx context.Context, r *Response) bool {
	v := k.client.cfg.Classify(r)
	if v.Class == ClassOK {
		k.answer = r
		return k.complete(ctx, r)
	}
	if k.stream != nil {
		k.stream.Close()
		k.stream = nil
		k.release()
	}
	f := k.client.failure(k.endpoint, r, v)
	now := time.Now()
	hint := v.RetryAfter
	if hint == 0 {
		hint, _ = RetryAfter(r.Header, now)
	}
	hint = min(max(hint, 0), maxHint)
	switch v.Class {
	case ClassAuth:
		k.err = &AuthError{Failure: f}
		if k.refreshed || k.sent == nil || k.client.cfg.Auth == nil || !k.client.cfg.Auth.Refresh(k.sent) {
			return false
		}
		k.refreshed, k.wait = true, 0
		k.client.logger.Debug("credentials were refused, refreshing them once", "endpoint", k.endpoint)
		return true
	case ClassScope:
		k.err = &ScopeError{Failure: f, Scope: v.Scope}
		return false
	case ClassThrottled:
		wait := hint + jitter(0)/10 // enough to part those who wait for the same moment
		if hint == 0 {
			wait = backoffBase + jitter(k.retries)
		}
		limited := &RateLimitedError{Failure: f, Quota: v.Quota, Until: now.Add(wait)}
		k.err = limited
		if hint > k.client.cfg.MaxRetryAfter {
			return false
		}
		k.client.limiter.pause(now.Add(wait))
		if k.again(ctx, reasonThrottled, wait) {
			return true
		}
		if hint == 0 { // the waits that were tried did not do
			limited.Until = now.Add(k.client.cfg.MaxRetryAfter)
		}
		return false
	case ClassRetry:
		if hint > k.client.cfg.MaxRetryAfter {
			k.err = &RateLimitedError{Failure: f, Until: now.Add(hint)}
			return false
		}
		k.err = &APIError{Failure: f}
		return k.again(ctx, reasonServerError, hint+jitter(k.retries))
	}
	k.err = &APIError{Failure: f}
	return false
}

// complete looks into an answer that the source takes for a success.
func (k *call) complete(ctx context.Context, r *Response) bool {
	if isHTML(r) && r.Status != http.StatusNotModified { // no API answers with a page
		if k.stream != nil {
			k.stream.Close()
			k.stream = nil
			k.release()
		}
		k.err = &FormatError{Endpoint: k.endpoint, ContentType: r.Header.Get("Content-Type"), Detail: "an HTML page"}
		return false
	}
	if k.unfit == nil {
		return false
	}
	k.err = k.client.notJSON(k.endpoint, r, k.unfit)
	return k.againIfTruncated(ctx)
}

func (k *call) againIfTruncated(ctx context.Context) bool {
	_, truncated := errors.AsType[*TruncatedError](k.err)
	return truncated && k.again(ctx, reasonNetwork, jitter(k.retries))
}

// again plans one more try after wait, if there is one left and time for it.
func (k *call) again(ctx context.Context, reason string, wait time.Duration) bool {
	deadline, limited := ctx.Deadline()
	if k.retries >= maxRetries || limited && deadline.Before(time.Now().Add(wait)) {
		return false
	}
	k.retries++
	k.wait = wait
	k.client.metrics.retry(reason)
	k.client.logger.Debug("sending a request again", "endpoint", k.endpoint, "reason", reason, "wait", wait, "err", k.err)
	return true
}

// jitter returns a random wait before the retry number n, counted from 0: between
// nothing and an exponentially growing bound, so that clients part.
func jitter(n int) time.Duration {
	return rand.N(min(backoffBase<<n, backoffMax) + 1)
}

var errTooLong = errors.New("the answer is longer than allowed")

// bodyError makes a typed error of what ended the reading of an answer.
func (k *call) bodyError(err error, read int64) error {
	if errors.Is(err, errTooLong) {
		return &FormatError{Endpoint: k.endpoint, Detail: fmt.Sprintf("longer than %d bytes", k.client.cfg.MaxBody)}
	}
	return &TruncatedError{Endpoint: k.endpoint, Read: read, Detail: k.client.redact.err(err).Error()}
}

// boundedReader reads at most left bytes and remembers the error that ended it.
type boundedReader struct {
	from io.Reader
	left int64
	read int64
	err  error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// A document of just the allowed length ends here.
		if n, err := b.from.Read(make([]byte, 1)); n == 0 && err != nil {
			return 0, b.end(err)
		}
		return 0, b.end(errTooLong)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.read += int64(n)
	return n, b.end(err)
}

func (b *boundedReader) end(err error) error {
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return err
}
