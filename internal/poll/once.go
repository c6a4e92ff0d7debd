// Package poll reads sources into the ledger, each on its own schedule, tells how
// that goes, and has the KPIs computed again when something changed or time passed.
package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// Observer hears what a poll does. Its methods are called by the goroutine that polls
// the source, and hold it up: those of different sources call at the same time.
type Observer interface {
	Committed(Commit)
	Ended(End)
}

// Commit is a page of a stream that was committed.
type Commit struct {
	Source, Stream string
	// Progress is the share of the stream that has been read, 0 to 1; negative where the
	// source cannot tell.
	Progress float64
	Counts   ledger.Counts
	// DataTime is the newest business time of the page's records that is not in the future;
	// zero where they have none.
	DataTime  time.Time
	Truncated bool
}

// End is how the reading of a stream ended.
type End struct {
	Source, Stream string
	At             time.Time
	Took           time.Duration
	Counts         ledger.Counts
	Rounded        int // amounts that were rounded
	Truncated      bool
	Err            error // nil where the stream was read to its end
}

// Poller reads sources into one ledger. Its methods are safe for concurrent use, but
// one source must not be read twice at a time.
type Poller struct {
	Ledger   *ledger.Ledger
	Log      *slog.Logger
	Observer Observer // may be nil
	Now      func() time.Time
	// Windows and History are what sources are asked for (sources.Environment).
	Windows []window.Name
	History window.Span

	told sync.Map // rejectionKeys that were logged
}

// Once reads every stream of a source until it is caught up. A stream that fails does
// not keep the others from being read; the error names each that did. A stream of
// which no page comes for half an hour has failed.
func (p *Poller) Once(ctx context.Context, src sources.Source) error {
	var errs []error
	for _, stream := range src.Streams() {
		if err := p.read(ctx, &reading{src: src, stream: stream, timeout: minTimeout}); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// read reads one stream and tells the observer how it ended.
func (p *Poller) read(ctx context.Context, r *reading) error {
	r.p = p
	r.end = End{Source: r.src.Name(), Stream: r.stream.Name, Counts: ledger.Counts{}}
	began := p.Now()
	r.end.Err = r.run(ctx, began)
	r.end.At = p.Now()
	r.end.Took = r.end.At.Sub(began)
	if p.Observer != nil {
		p.Observer.Ended(r.end)
	}
	return r.end.Err
}

func (r *reading) run(ctx context.Context, began time.Time) error {
	name := r.src.Name()
	session, err := r.p.Ledger.Begin(ctx, name, r.stream.Name, r.stream.Kinds, r.stream.Whole, began)
	if err != nil {
		return err
	}
	r.session = session
	settings := r.p.Ledger.Settings()
	err = r.fetch(ctx, sources.Request{
		Environment: sources.Environment{
			Zone: settings.Zone, Currency: settings.Currency, Now: began, Windows: r.p.Windows, History: r.p.History,
		},
		Stream: r.stream.Name,
		Cursor: session.Cursor,
	})
	if err != nil {
		err = fmt.Errorf("source %s, stream %s: %w", name, r.stream.Name, err)
		if ctx.Err() != nil {
			// Whoever polls was stopped. That is no failure of the source to be remembered.
			return err
		}
	}
	// What has been read to its end is noted as that also when a stop comes now.
	if endErr := session.End(context.WithoutCancel(ctx), r.p.Now(), err, r.end.Truncated); endErr != nil {
		err = errors.Join(err, endErr)
	}
	return err
}
