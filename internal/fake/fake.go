// Package fake holds what the fake vendors have in common: a handler that makes the
// faults that real ones have. The fake vendors themselves are in the folders below, one each;
// tests and the demo run on them.
package fake

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
)

// Fault is a way in which an answer goes wrong. Its zero value is an answer that is
// not changed.
type Fault struct {
	// Status, Header and Body replace the answer where Status is not 0.
	Status int
	Header http.Header
	Body   string
	// Cut leaves out the second half of the body.
	Cut Cut
	// Hang sends the first half of the body and then nothing more.
	Hang bool
	// Repeat gives the answer to the first request with this fault to all that follow.
	Repeat bool
	// Echo answers Status with a body that holds the whole request, as debugging proxies do.
	Echo bool
	// Drop closes the connection without an answer.
	Drop bool
}

// Cut says how an answer ends too early.
type Cut int

// The ways in which an answer ends too early.
const (
	Whole         Cut = iota
	CutConnection     // the connection breaks, so that HTTP can tell
	CutBody           // the body alone is short: HTTP takes it for complete
)

// Faults is a handler that passes requests to a vendor and makes the faults that are
// set. It is safe for concurrent use.
type Faults struct {
	vendor http.Handler
	// Match selects the requests that faults and counts are for; all where nil. It must
	// be set before the first request.
	Match func(*http.Request) bool

	mu       sync.Mutex
	fault    Fault
	after    int // requests that pass before the fault
	times    int // requests that get the fault; negative for all
	requests int
	first    *answer // the answer to repeat
}

// NewFaults returns a Faults without faults.
func NewFaults(vendor http.Handler) *Faults { return &Faults{vendor: vendor} }

// Set makes f the answer to the next requests: after lets that many pass before,
// times is how many get it, all where it is negative.
func (s *Faults) Set(f Fault, after, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.after, s.times, s.first = f, after, times, nil
}

// Clear ends all faults.
func (s *Faults) Clear() { s.Set(Fault{}, 0, 0) }

// Requests returns how many requests came.
func (s *Faults) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// next returns the fault of the request that has come.
func (s *Faults) next() (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	switch {
	case s.after > 0:
		s.after--
	case s.times != 0:
		s.times = max(s.times-1, -1)
		return s.fault, true
	}
	return Fault{}, false
}

func (s *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Match != nil && !s.Match(r) {
		s.vendor.ServeHTTP(w, r)
		return
	}
	f, faulty := s.next()
	switch {
	case !faulty:
		s.vendor.ServeHTTP(w, r)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Echo:
		// Errors of dumping leave the dump empty, which echoes less and harms nothing.
		dump, _ := httputil.DumpRequest(r, true)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		fmt.Fprintf(w, `{"code":"echo","message":%q}`, r.URL.String()+" "+string(dump))
	case f.Status != 0:
		maps.Copy(w.Header(), f.Header)
		w.WriteHeader(f.Status)
		fmt.Fprint(w, f.Body)
	case f.Repeat:
		send(w, s.repeated(r), Fault{}, r)
	default:
		a := newAnswer()
		s.vendor.ServeHTTP(a, r)
		send(w, a, f, r)
	}
}

func (s *Faults) repeated(r *http.Request) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = newAnswer()
		s.vendor.ServeHTTP(s.first, r)
	}
	return s.first
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{status: http.StatusOK, header: http.Header{}} }

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// send sends an answer, or the part of it that the fault leaves.
func send(w http.ResponseWriter, a *answer, f Fault, r *http.Request) {
	body := a.body.Bytes()
	maps.Copy(w.Header(), a.header)
	if f.Cut == CutConnection || f.Hang {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if f.Cut != Whole || f.Hang {
		body = body[:len(body)/2]
	}
	if _, err := w.Write(body); err != nil {
		return // the client has gone
	}
	switch {
	case f.Cut == CutConnection:
		flush(w)
		panic(http.ErrAbortHandler)
	case f.Hang:
		flush(w)
		<-r.Context().Done()
	}
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}
