package apiclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, value := range map[string]func(time.Time) string{
		"seconds":  func(time.Time) string { return "7" },
		"decimals": func(time.Time) string { return "7.0" },
		"date":     func(now time.Time) string { return now.Add(7 * time.Second).UTC().Format(http.TimeFormat) },
		"RFC 3339": func(now time.Time) string { return now.Add(7 * time.Second).Format(time.RFC3339) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := &script{answers: []answer{
					{status: 429, header: map[string]string{"Retry-After": value(start)}}, {body: "{}"},
				}}
				if _, err := newClient(t, s, nil).Do(t.Context(), Request{Path: "/orders"}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < 7*time.Second || took > 8*time.Second {
					t.Errorf("waited %v, want 7 s to 8 s", took)
				}
			})
		})
	}
}

func TestLongRetryAfterEndsTheCall(t *testing.T) {
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s := &script{answers: []answer{{status: status, header: map[string]string{"Retry-After": "86400"}}}}
			_, err := newClient(t, s, nil).Do(t.Context(), Request{Path: "/orders"})
			limited, ok := errors.AsType[*RateLimitedError](err)
			if !ok {
				t.Fatalf("status %d: got %v, want a RateLimitedError", status, err)
			}
			if wait := limited.Until.Sub(start); wait < 24*time.Hour || wait > 24*time.Hour+time.Second {
				t.Errorf("status %d: until %v from now, want 24 h", status, wait)
			}
			if time.Since(start) != 0 || len(s.requests) != 1 {
				t.Errorf("status %d: slept %v and sent %d requests, want no sleep and 1", status, time.Since(start), len(s.requests))
			}
		})
	}
}

func TestThrottledWithoutAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 429}}}
		_, err := newClient(t, s, nil).Do(t.Context(), Request{})
		limited, ok := errors.AsType[*RateLimitedError](err)
		if !ok || len(s.requests) != 4 {
			t.Fatalf("got %v after %d tries, want a RateLimitedError after 4", err, len(s.requests))
		}
		if wait := time.Until(limited.Until); wait != DefaultMaxRetryAfter {
			t.Errorf("until %v from now, want more than the waits that did not help: %v", wait, DefaultMaxRetryAfter)
		}
	})
}

func TestBackoffHasFullJitter(t *testing.T) {
	bounds := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	low, high := make([]time.Duration, 3), make([]time.Duration, 3)
	const runs = 200
	for run := range runs {
		synctest.Test(t, func(t *testing.T) {
			var times []time.Time
			c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				times = append(times, time.Now())
				return answer{status: 500, body: `{"code":"boom","message":"try later"}`}.response(r)
			}), nil)
			_, err := c.Do(t.Context(), Request{Path: "/orders"})
			apiErr, ok := errors.AsType[*APIError](err)
			if !ok || apiErr.Code != "boom" || apiErr.Message != "try later" {
				t.Fatalf("got %v, want an APIError with the vendor's code and text", err)
			}
			if len(times) != 4 {
				t.Fatalf("%d tries, want 4", len(times))
			}
			for i := range bounds {
				wait := times[i+1].Sub(times[i])
				if wait < 0 || wait > bounds[i] {
					t.Errorf("wait %d was %v, want at most %v", i, wait, bounds[i])
				}
				if run == 0 || wait < low[i] {
					low[i] = wait
				}
				high[i] = max(high[i], wait)
			}
		})
	}
	for i, bound := range bounds {
		if low[i] > bound/10 || high[i] < bound*9/10 {
			t.Errorf("waits %d of %d runs were between %v and %v, want them all over 0 to %v", i, runs, low[i], high[i], bound)
		}
	}
}

func TestWhatIsRetried(t *testing.T) {
	broken := io.ErrUnexpectedEOF
	for _, tt := range []struct {
		name  string
		first answer
		tries int
		check func(error) bool
	}{
		{"server error", answer{status: 502}, 4, is[*APIError]},
		{"not implemented", answer{status: 501}, 1, is[*APIError]},
		{"request timeout", answer{status: 408}, 4, is[*APIError]},
		{"throttled", answer{status: 429}, 4, is[*RateLimitedError]},
		{"network", answer{err: broken}, 4, func(err error) bool { return errors.Is(err, broken) }},
		{"bad request", answer{status: 400}, 1, is[*APIError]},
		{"unauthorized", answer{status: 401}, 1, is[*AuthError]},
		{"forbidden", answer{status: 403}, 1, is[*ScopeError]},
		{"not found", answer{status: 404}, 1, is[*APIError]},
		{"truncated JSON", answer{body: `{"orders": [{"id": 1}, {"i`}, 4, is[*TruncatedError]},
		{"no JSON", answer{}, 4, is[*TruncatedError]},
		{"HTML", answer{body: "<!DOCTYPE html><html><body>Log in</body></html>"}, 1, is[*FormatError]},
		{"HTML by header", answer{header: map[string]string{"Content-Type": "text/html"}, body: "Sorry"}, 1, is[*FormatError]},
		{"text", answer{body: "Deprecated: notice in x.php"}, 1, is[*FormatError]},
		{"other type", answer{body: `[1]`}, 1, is[*FormatError]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{tt.first}}
				var into struct{}
				_, err := newClient(t, s, nil).JSON(t.Context(), Request{Path: "/orders"}, &into)
				if !tt.check(err) {
					t.Errorf("got %T: %v", err, err)
				}
				if err != nil && !strings.Contains(err.Error(), "GET /v1/orders") {
					t.Errorf("the error does not say which request failed: %v", err)
				}
				if len(s.requests) != tt.tries {
					t.Errorf("%d tries, want %d", len(s.requests), tt.tries)
				}
				if tt.tries == 1 {
					return
				}
				s = &script{answers: []answer{tt.first, {body: "\xef\xbb\xbf{}"}}}
				if _, err := newClient(t, s, nil).JSON(t.Context(), Request{Path: "/orders"}, &into); err != nil {
					t.Errorf("not recovered by a good answer: %v", err)
				}
			})
		})
	}
}

func TestErrorsInsideA200(t *testing.T) {
	classify := func(r *Response) Verdict {
		if strings.Contains(string(r.Body), "THROTTLED") {
			return Verdict{Class: ClassThrottled, RetryAfter: 4 * time.Second, Quota: "points"}
		}
		return ClassifyStatus(r)
	}
	throttled := answer{body: `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := newClient(t, &script{answers: []answer{throttled, {body: "{}"}}}, func(cfg *Config) { cfg.Classify = classify })
		var into struct{}
		if _, err := c.JSON(t.Context(), Request{Method: "POST", Path: "/graphql", Body: []byte("{}")}, &into); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 4*time.Second {
			t.Errorf("waited %v, want 4 s", took)
		}
		c = newClient(t, &script{answers: []answer{throttled}}, func(cfg *Config) { cfg.Classify = classify })
		_, err := c.JSON(t.Context(), Request{Path: "/graphql"}, &into)
		limited, ok := errors.AsType[*RateLimitedError](err)
		if !ok || limited.Quota != "points" || limited.Message != "Throttled" {
			t.Errorf("got %v, want a RateLimitedError of the quota points", err)
		}
	})
}

func TestBodyIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, string(b))
			return answer{status: 500}.response(r)
		}), nil)
		if _, err := c.Do(t.Context(), Request{Method: "POST", Path: "/q", Body: []byte("query")}); err == nil {
			t.Fatal("no error")
		}
		if got := strings.Join(bodies, ","); got != "query,query,query,query" {
			t.Errorf("bodies %q", got)
		}
	})
}

func TestCancellation(t *testing.T) {
	stop := errors.New("stopped")
	for name, tt := range map[string]struct {
		transport http.RoundTripper
		change    func(*Config)
	}{
		"in the back-off": {&script{answers: []answer{{status: 429, header: map[string]string{"Retry-After": "50"}}}}, nil},
		"in the limiter": {
			&script{answers: []answer{{body: "{}"}}},
			func(c *Config) { c.Limits = []Limit{Bucket("requests", 1, 0.05)} },
		},
		"in the request": {roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, tt.transport, tt.change)
				ctx, cancel := context.WithCancelCause(t.Context())
				start := time.Now()
				time.AfterFunc(5*time.Second, func() { cancel(stop) })
				var err error
				for err == nil {
					_, err = c.Do(ctx, Request{Path: "/orders"})
				}
				if !errors.Is(err, stop) {
					t.Errorf("got %v, want the context's cause", err)
				}
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("returned after %v, want 5 s", took)
				}
			})
		})
	}
}

func TestDeadlineEndsTheCallEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s := &script{answers: []answer{{status: 429, header: map[string]string{"Retry-After": "30"}}}}
		start := time.Now()
		_, err := newClient(t, s, nil).Do(ctx, Request{Path: "/orders"})
		if !is[*RateLimitedError](err) || time.Since(start) != 0 {
			t.Errorf("got %v after %v, want a RateLimitedError at once: the wait would outlast the deadline", err, time.Since(start))
		}
	})
}

func TestEachTryHasItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer{body: "{}"}.response(r)
		}), func(c *Config) { c.Timeout = 10 * time.Second })
		start := time.Now()
		if _, err := c.Do(t.Context(), Request{Path: "/orders"}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); tries != 2 || took < 10*time.Second || took > 12*time.Second {
			t.Errorf("%d tries in %v, want 2 in 10 s and the back-off", tries, took)
		}
	})
}

func TestAnswersThatAreTooLongOrTooShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		small := func(c *Config) { c.MaxBody = 10 }
		if _, err := newClient(t, &script{answers: []answer{{body: "0123456789"}}}, small).Do(t.Context(), Request{}); err != nil {
			t.Errorf("an answer of the allowed length: %v", err)
		}
		if _, err := newClient(t, &script{answers: []answer{{body: "0123456789x"}}}, small).Do(t.Context(), Request{}); !is[*FormatError](err) {
			t.Errorf("an answer too long by one byte: got %v", err)
		}
		short := roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := answer{body: "{}"}.response(r)
			resp.ContentLength = 100
			return resp, err
		})
		if _, err := newClient(t, short, nil).Do(t.Context(), Request{}); !is[*TruncatedError](err) {
			t.Errorf("an answer shorter than its content length: got %v", err)
		}
		long := answer{status: 400, body: `{"message":"` + strings.Repeat("x", 1<<20) + `"}`}
		_, err := newClient(t, &script{answers: []answer{long}}, nil).Do(t.Context(), Request{})
		if !is[*APIError](err) || len(err.Error()) > 500 {
			t.Errorf("a long error: got %T of %d bytes", err, len(err.Error()))
		}
	})
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := strings.Repeat("0123456789", 10_000)
		c := newClient(t, &script{answers: []answer{{status: 503}, {body: big}}}, nil)
		var got strings.Builder
		err := c.Stream(t.Context(), Request{Path: "/report"}, func(r io.Reader) error {
			_, err := io.Copy(&got, r)
			return err
		})
		if err != nil || got.String() != big {
			t.Fatalf("got %d bytes and %v, want %d", got.Len(), err, len(big))
		}
		// The slot is free again, after success and after each failure.
		refuse := errors.New("bad row")
		if err := c.Stream(t.Context(), Request{}, func(io.Reader) error { return refuse }); !errors.Is(err, refuse) {
			t.Errorf("got %v, want the reader's own error", err)
		}
		cut := roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := answer{}.response(r)
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(big), failing{io.ErrUnexpectedEOF}))
			return resp, err
		})
		copyAll := func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
		c = newClient(t, cut, nil)
		for range 2 {
			if err := c.Stream(t.Context(), Request{}, copyAll); !is[*TruncatedError](err) {
				t.Errorf("got %v, want a TruncatedError", err)
			}
		}
		c = newClient(t, &script{answers: []answer{{body: big}}}, func(c *Config) { c.MaxBody = 100 })
		if err := c.Stream(t.Context(), Request{}, copyAll); !is[*FormatError](err) {
			t.Errorf("got %v, want a FormatError for a long answer", err)
		}
		c = newClient(t, &script{answers: []answer{{body: "<html>log in</html>"}}}, nil)
		for range 2 {
			if err := c.Stream(t.Context(), Request{}, copyAll); !is[*FormatError](err) {
				t.Errorf("got %v, want a FormatError for a page", err)
			}
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			running.Add(-1)
			return answer{body: "{}"}.response(r)
		}), func(c *Config) { c.Concurrency = 3 })
		done := make(chan error)
		for range 12 {
			go func() { _, err := c.Do(t.Context(), Request{}); done <- err }()
		}
		start := time.Now()
		for range 12 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if most.Load() != 3 || time.Since(start) != 4*time.Second {
			t.Errorf("%d at once, done in %v; want 3 and 4 s", most.Load(), time.Since(start))
		}
	})
}

func TestBuild(t *testing.T) {
	s := &script{answers: []answer{{body: "{}"}}}
	c := newClient(t, s, func(c *Config) {
		c.UserAgent = "b2b_exporter/1"
		c.Header = http.Header{"x-api-version": {"7"}}
	})
	for path, want := range map[string]string{
		"/orders":                   "http://api.test/v1/orders?after=x+y&limit=5",
		"orders?limit=9&page=2":     "http://api.test/v1/orders?after=x+y&limit=5&page=2",
		"/a%2Fb/c":                  "http://api.test/v1/a%2Fb/c?after=x+y&limit=5",
		"http://api.test/next?p=3":  "http://api.test/next?after=x+y&limit=5&p=3",
		"https://files.test/report": "https://files.test/report?after=x+y&limit=5",
	} {
		s.requests = nil
		if _, err := c.Do(t.Context(), Request{Path: path, Query: url.Values{"limit": {"5"}, "after": {"x y"}}}); err != nil {
			t.Fatal(err)
		}
		r := s.requests[0]
		if got := r.URL.String(); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
		if r.Header.Get("X-Api-Version") != "7" || r.UserAgent() != "b2b_exporter/1" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	for _, bad := range []string{"", "api.test", "ftp://api.test", "http://user:pw@api.test", "http://api.test?key=1", "http://api.test/%zz?pw"} {
		_, err := New(Config{BaseURL: bad})
		if err == nil {
			t.Errorf("base URL %q: no error", bad)
		} else if strings.Contains(err.Error(), "pw") {
			t.Errorf("base URL %q: its password is in the error %v", bad, err)
		}
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics()
		s := &script{answers: []answer{{status: 500}, {status: 429}, {err: io.ErrUnexpectedEOF}, {body: "{}"}}}
		c := newClient(t, s, func(c *Config) {
			c.Metrics = m
			c.Signals = func(*Response) []Signal {
				return []Signal{{Quota: "requests", Size: 40, Remaining: 10}}
			}
		})
		if _, err := c.Do(t.Context(), Request{}); err != nil {
			t.Fatal(err)
		}
		want := `
# HELP b2b_api_quota_remaining_ratio What is left of a limit of the vendor's API by its last answer, as a share of the limit.
# TYPE b2b_api_quota_remaining_ratio gauge
b2b_api_quota_remaining_ratio{quota="requests",source="shop",vendor="test"} 0.25
# HELP b2b_api_requests_total Requests sent to the vendor's API, token requests included, by the class of the answer's status (code: 2xx, 3xx, 4xx, 5xx, or none where no answer came).
# TYPE b2b_api_requests_total counter
b2b_api_requests_total{code="2xx",source="shop",vendor="test"} 1
b2b_api_requests_total{code="3xx",source="shop",vendor="test"} 0
b2b_api_requests_total{code="4xx",source="shop",vendor="test"} 1
b2b_api_requests_total{code="5xx",source="shop",vendor="test"} 1
b2b_api_requests_total{code="none",source="shop",vendor="test"} 1
# HELP b2b_api_retries_total Requests that were sent again, by reason: throttled, server_error or network.
# TYPE b2b_api_retries_total counter
b2b_api_retries_total{reason="network",source="shop",vendor="test"} 1
b2b_api_retries_total{reason="server_error",source="shop",vendor="test"} 1
b2b_api_retries_total{reason="throttled",source="shop",vendor="test"} 1
`
		err := testutil.CollectAndCompare(m, strings.NewReader(want),
			"b2b_api_requests_total", "b2b_api_retries_total", "b2b_api_quota_remaining_ratio")
		if err != nil {
			t.Error(err)
		}
		if problems, err := testutil.CollectAndLint(m); err != nil || len(problems) > 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
		m.Forget("shop")
		if n := testutil.CollectAndCount(m, "b2b_api_requests_total", "b2b_api_retries_total", "b2b_api_quota_remaining_ratio"); n != 0 {
			t.Errorf("%d series are left of a source that is gone", n)
		}
	})
}

func ExampleRateLimitedError() {
	err := &RateLimitedError{
		Failure: Failure{Endpoint: "GET /v1/orders", Status: 429, Code: "RATE_LIMIT"},
		Until:   time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Quota: "daily",
	}
	fmt.Println(err)
	// Output: GET /v1/orders: rate limited by the limit daily until 2026-03-02T12:00:00Z (status 429, code RATE_LIMIT)
}
