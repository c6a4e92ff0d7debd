// Package sourcetest holds the conformance suite that every source passes: what a
// source must do when its vendor pages, throttles, fails, lies and is changed under
// it. Time is simulated, so that hours of waiting cost nothing.
package sourcetest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Account is an account of a fake vendor, as the suite needs it. Its functions are
// called while requests are served. At is never before an earlier one.
type Account struct {
	// Handler serves the vendor's API.
	Handler http.Handler
	// Put adds the record number n (0, 1, 2...) of the stream, or changes it. Value is its
	// money, or where the stream has none, anything that shows in the record; null is the vendor's null.
	Put func(n int, value record.Amount, at time.Time)
	// Delete removes the record number n.
	Delete func(n int, at time.Time)
	// Merge moves the record number from into another one.
	Merge func(from, into int, at time.Time)
	// Want returns the records that a ledger holds when the source has caught up. The
	// harness makes them from what was put, not from what the source makes of it. They are not changed.
	Want func() []record.Record
}

// Harness describes a source, and one of its streams, to the suite.
type Harness struct {
	// Stream is the stream under test.
	Stream string
	// Account returns a new, empty account.
	Account func() Account
	// Open returns a new instance of the source, as after a restart, for the account that
	// is served at url. The source must send all requests by deps.Transport.
	Open func(url string, deps apiclient.Deps) (sources.Source, error)
	// Secrets are the credentials that Open gives to the source, and the tokens that the
	// account issues.
	Secrets []string
	// PageSize is how many records the source gets by one request at most.
	PageSize int
	// Settle is how long it may take until the source has found every change and
	// deletion: its sweep's interval, its look-back's.
	Settle time.Duration
	// Interval is how often it is polled meanwhile; 10 min where 0.
	Interval time.Duration
	// Data selects the requests for records from those for tokens; all where nil.
	Data func(*http.Request) bool
	// Refreshes says that the source can get another token when one is refused.
	Refreshes bool
	// Faults are the vendor's own forms of some faults; plain HTTP where their Status is 0.
	Unauthorized, Forbidden, Throttled, LongThrottled fake.Fault
	// ThrottledFor is how long Throttled asks to wait; 5 s where 0.
	ThrottledFor time.Duration
	// ErrorInside200 is an error that the vendor sends with the status 200.
	ErrorInside200 fake.Fault
	// Skip names the cases that cannot apply, with the reason.
	Skip map[string]string
}

// Run runs every case of the suite as a subtest.
func Run(t *testing.T, h Harness) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range cases() {
		known[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := h.Skip[c.name]; ok {
				if reason == "" {
					t.Fatal("skipped without a reason")
				}
				t.Skip(reason)
			}
			synctest.Test(t, func(t *testing.T) {
				for _, problem := range runCase(t, h, c) {
					t.Error(problem)
				}
			})
		})
	}
	for name := range h.Skip {
		if !known[name] {
			t.Errorf("Skip names %q, which is no case", name)
		}
	}
}

// start is the moment at which every case begins, a Monday.
func start() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }

// runCase runs a case in a synctest bubble and returns what is wrong with the source.
func runCase(t *testing.T, h Harness, c testCase) []string {
	time.Sleep(time.Until(start()))
	b, err := newBench(t.Context(), h.withDefaults())
	if err != nil {
		return []string{err.Error()}
	}
	c.run(b)
	b.close()
	return b.problems
}

func (h Harness) withDefaults() Harness {
	plain := func(f *fake.Fault, status int, header http.Header, body string) {
		if f.Status == 0 {
			*f = fake.Fault{Status: status, Header: header, Body: body}
			if f.Header == nil {
				f.Header = http.Header{}
			}
			f.Header.Set("Content-Type", "application/json")
		}
	}
	if h.ThrottledFor == 0 {
		h.ThrottledFor = 5 * time.Second
	}
	if h.Interval == 0 {
		h.Interval = 10 * time.Minute
	}
	plain(&h.Unauthorized, 401, nil, `{"message":"unauthorized"}`)
	plain(&h.Forbidden, 403, nil, `{"message":"forbidden"}`)
	plain(&h.Throttled, 429, http.Header{"Retry-After": {"5"}}, `{"message":"too many requests"}`)
	plain(&h.LongThrottled, 429, http.Header{"Retry-After": {"86400"}}, `{"message":"too many requests today"}`)
	return h
}
