// Package sources defines what a source of records is and lists the types that
// the exporter knows.
package sources

import (
	"context"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Source reads the records of one configured system. Implementations only read;
// they know neither the ledger nor Prometheus.
type Source interface {
	// Name is the configured, unique name: the label "source".
	Name() string
	// Type is the configured type: the label "vendor".
	Type() string
	// Streams lists what the source delivers; each is fetched by itself.
	Streams() []Stream
	// Fetch reads what is new in one stream since req.Cursor and emits it in pages. It
	// returns nil when the stream is caught up. Each emitted page is committed, with its
	// cursor, before Emit returns; an error of Emit must be returned.
	Fetch(ctx context.Context, req Request, emit Emit) error
	// Check tries the source without keeping anything: credentials, scopes, time zone,
	// currency, one page.
	Check(ctx context.Context, env Environment) []Finding
}

// Stream is a part of a source that succeeds or fails by itself.
type Stream struct {
	Name  string
	Kinds []record.Kind // what its pages may hold
	// Whole: every Fetch that emits anything lists all of the stream, each record once, so
	// that a second one with the same ID is a mistake in the data.
	Whole bool
}

// Environment is what a source needs to know about the company.
type Environment struct {
	Zone     *time.Location // the report zone
	Currency string         // the reporting currency
	Now      time.Time
	// Windows are the windows that KPIs are wanted for: what cannot be summed from days is
	// asked for exactly these.
	Windows []window.Name
	// History is how far back daily figures and activities are read, counted from Now; all
	// there is where it is zero.
	History window.Span
}

// Request asks for one stream.
type Request struct {
	Environment
	Stream string
	// Cursor is the cursor committed last for the stream; empty before the first. It is
	// opaque to everything but the source.
	Cursor string
}

// Page is a part of a stream that is committed in one transaction.
type Page struct {
	Records []record.Record
	// Where says which record the i-th of Records was (file and line); nil where the source
	// cannot tell. It is called while the page is being emitted.
	Where    func(i int) string
	Rejected []Rejection
	// Rounded counts amounts finer than 10^-6 that were rounded half to even.
	Rounded int
	// Cursor, where not empty, is committed with the records.
	Cursor string
	// Progress is the share of the stream that has been read, 0 to 1; negative where unknown.
	Progress float64
	// Sweep says that this Fetch has listed everything the stream has: the ledger deletes
	// the stream's records that none of its pages held or rejected by ID.
	Sweep bool
	// SweepFrom, where not zero, says that this Fetch has listed only what is dated then or later:
	// records whose earliest date is before it, or that have none, are not deleted.
	SweepFrom time.Time
	// Truncated says that the vendor cut its answer short, so that KPIs on it cannot be trusted.
	Truncated bool
}

// Rejection is a vendor's record that could not be understood. Detail and Where
// must not hold personal data.
type Rejection struct {
	Kind record.Kind
	// ID is the record's ID where it could be read: what is held under it stays.
	ID string
	// Reason is one of a small set of constants, such as "bad amount": it is logged once.
	Reason string
	// Where says which record it was: file and line, or page and index.
	Where string
	// Detail says what was wrong and with which field.
	Detail string
}

// Emit hands a page over.
type Emit func(ctx context.Context, page Page) error

// Finding is one line of a check.
type Finding struct {
	Subject string // what was tried: "credentials", "stream order", a file
	Err     error  // nil where it is well
	Detail  string // what was found
}
