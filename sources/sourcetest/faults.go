package sourcetest

import (
	"net/http"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// faultCases are the cases of vendors that refuse or fail.
func faultCases() []testCase {
	html := fake.Fault{
		Status: 200, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Body: "<!DOCTYPE html><html><body>Please log in</body></html>",
	}
	return []testCase{
		{"expired token", expiredToken},
		{"missing scope", func(b *bench) {
			b.fill(3)
			_ = failing[*apiclient.ScopeError](b, "a missing scope", b.Forbidden)
			recovered(b, "a missing scope")
		}},
		{"throttling", throttling},
		{"long Retry-After", longRetryAfter},
		{"errors inside a 200", func(b *bench) {
			if b.ErrorInside200.Status == 0 {
				b.problem("the harness gives no ErrorInside200 and does not skip the case")
				return
			}
			b.fill(3)
			_ = failing[error](b, "an error inside a 200", b.ErrorInside200)
			recovered(b, "an error inside a 200")
		}},
		{"server and network errors", serverErrors},
		{"truncated answer", func(b *bench) {
			b.fill(b.PageSize)
			_ = failing[*apiclient.TruncatedError](b, "a broken connection in mid-answer", fake.Fault{Cut: fake.CutConnection})
			_ = failing[*apiclient.TruncatedError](b, "an answer cut short", fake.Fault{Cut: fake.CutBody})
			recovered(b, "truncated answers")
		}},
		{"HTML instead of data", func(b *bench) {
			b.fill(3)
			_ = failing[*apiclient.FormatError](b, "an HTML page", html)
			recovered(b, "an HTML page")
		}},
		{"the same cursor for ever", sameCursor},
		{"secrets", func(b *bench) { // what was said is searched when the case ends
			b.fill(3)
			for _, status := range []int{400, 401, 403, 429, 500} {
				_ = failing[error](b, "an error that repeats the request", fake.Fault{Echo: true, Status: status})
				time.Sleep(time.Hour)
			}
			_ = failing[error](b, "a network error", fake.Fault{Drop: true})
			recovered(b, "errors that repeat the request")
		}},
	}
}

func expiredToken(b *bench) {
	b.fill(3)
	if b.Refreshes {
		b.mustFetch()
		time.Sleep(b.Interval)
		b.account.Put(0, money(100), time.Now())
		b.faults.Set(b.Unauthorized, 0, 1)
		b.mustFetch()
		recovered(b, "a token that was refused once")
	}
	_ = failing[*apiclient.AuthError](b, "refused credentials", b.Unauthorized)
	recovered(b, "refused credentials")
}

func throttling(b *bench) {
	b.fill(b.pages(2))
	b.faults.Set(b.Throttled, 0, 2)
	begin := time.Now()
	b.mustFetch()
	if took := time.Since(begin); took < 2*b.ThrottledFor {
		b.problem("throttled twice for %v, Fetch took %v", b.ThrottledFor, took)
	}
	b.compare("after throttled requests")
	if b.ledger.pages > 0 {
		b.ledger.cursor = ""
	}
	_ = failing[*apiclient.RateLimitedError](b, "throttled for ever", b.Throttled)
	recovered(b, "throttled requests")
}

func longRetryAfter(b *bench) {
	b.fill(3)
	begin := time.Now()
	limited := failing[*apiclient.RateLimitedError](b, "a long Retry-After", b.LongThrottled)
	if took := time.Since(begin); took > 2*time.Minute {
		b.problem("Fetch slept %v instead of returning when to come again", took)
	}
	if limited != nil && limited.Until.Sub(begin) < time.Hour {
		b.problem("told to come again after a day, the error says %v", limited.Until.Sub(begin))
	}
	if limited != nil {
		time.Sleep(time.Until(limited.Until))
	}
	recovered(b, "a long Retry-After")
}

func serverErrors(b *bench) {
	b.fill(b.pages(2))
	b.faults.Set(fake.Fault{Status: 503}, 1, 2)
	b.mustFetch()
	b.compare("after two answers with status 503")
	b.faults.Set(fake.Fault{Drop: true}, 0, 1)
	b.mustFetch()
	_ = failing[*apiclient.APIError](b, "a vendor that is down", fake.Fault{Status: 500})
	_ = failing[error](b, "a network that is down", fake.Fault{Drop: true})
	recovered(b, "server and network errors")
}

func sameCursor(b *bench) {
	b.fill(b.pages(3))
	b.faults.Set(fake.Fault{Repeat: true}, 0, -1)
	sent := b.faults.Requests()
	if err := b.fetch(); err == nil {
		b.problem("the vendor gives the same page for ever, and Fetch returned nil")
	}
	if n := b.faults.Requests() - sent; n > 20 {
		b.problem("%d requests for the same page", n)
	}
	b.faults.Clear()
	recovered(b, "the same cursor for ever")
}
