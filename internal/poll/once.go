// Package poll reads sources into the ledger.
package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// Observer hears what a poll does. Its methods are called by the goroutine that polls.
type Observer interface {
	// Committed: a page of a stream was committed. Progress is the share of the stream that
	// has been read, negative where the source cannot tell.
	Committed(source, stream string, progress float64, counts ledger.Counts)
	// Ended: a stream was read to its end, or failed.
	Ended(source, stream string, counts ledger.Counts, rounded int, took time.Duration, err error)
}

// Poller reads sources into one ledger.
type Poller struct {
	Ledger   *ledger.Ledger
	Log      *slog.Logger
	Observer Observer
	Zone     *time.Location
	Currency string
	Now      func() time.Time
}

// Once reads every stream of a source until it is caught up. A stream that fails does
// not keep the others from being read; the error names each that did.
func (p *Poller) Once(ctx context.Context, src sources.Source) error {
	var errs []error
	for _, stream := range src.Streams() {
		if err := p.stream(ctx, src, stream); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// reading is the reading of one stream.
type reading struct {
	p       *Poller
	src     sources.Source
	stream  sources.Stream
	session *ledger.Session

	counts    ledger.Counts
	rounded   int
	truncated bool
	told      map[string]bool // reasons of rejections that were logged
}

func (p *Poller) stream(ctx context.Context, src sources.Source, stream sources.Stream) error {
	began := p.Now()
	session, err := p.Ledger.Begin(ctx, src.Name(), stream.Name, stream.Kinds, stream.Whole, began)
	if err != nil {
		return err
	}
	r := &reading{p: p, src: src, stream: stream, session: session, counts: ledger.Counts{}, told: map[string]bool{}}
	err = src.Fetch(ctx, sources.Request{
		Environment: sources.Environment{Zone: p.Zone, Currency: p.Currency, Now: began},
		Stream:      stream.Name,
		Cursor:      session.Cursor,
	}, r.emit)
	if err != nil {
		err = fmt.Errorf("source %s, stream %s: %w", src.Name(), stream.Name, err)
	}
	// How the reading ended is noted also when it was cancelled.
	if endErr := session.End(context.WithoutCancel(ctx), p.Now(), err, r.truncated); endErr != nil {
		err = errors.Join(err, endErr)
	}
	p.Observer.Ended(src.Name(), stream.Name, r.counts, r.rounded, p.Now().Sub(began), err)
	return err
}

func (r *reading) emit(ctx context.Context, page sources.Page) error {
	batch := ledger.Batch{Records: page.Records, Cursor: page.Cursor, Sweep: page.Sweep, Truncated: page.Truncated}
	for _, rejection := range page.Rejected {
		r.reject(ctx, rejection)
		if rejection.ID != "" {
			batch.Kept = append(batch.Kept, ledger.Kept{Kind: rejection.Kind, ID: rejection.ID})
		}
	}
	res, err := r.session.Commit(ctx, batch)
	if err != nil {
		return err
	}
	for _, i := range res.Duplicates {
		duplicate := sources.Rejection{
			Kind: page.Records[i].RecordKind(), Reason: "duplicate id",
			Detail: "an earlier record of this listing has the same id and another content; the earlier one counts",
		}
		if page.Where != nil {
			duplicate.Where = page.Where(i)
		}
		r.reject(ctx, duplicate)
	}
	for _, rejection := range page.Rejected {
		res.Counts.Add(rejection.Kind, ledger.Rejected, 1)
	}
	r.counts.Merge(res.Counts)
	r.rounded += page.Rounded
	r.truncated = r.truncated || page.Truncated
	r.p.Observer.Committed(r.src.Name(), r.stream.Name, page.Progress, res.Counts)
	return nil
}

// reject logs the first rejection of each reason.
func (r *reading) reject(ctx context.Context, rejection sources.Rejection) {
	r.p.Log.DebugContext(ctx, "record rejected", "source", r.src.Name(), "stream", r.stream.Name, "record", rejection.Kind,
		"reason", rejection.Reason, "where", rejection.Where, "detail", rejection.Detail)
	if r.told[rejection.Reason] {
		return
	}
	r.told[rejection.Reason] = true
	r.p.Log.WarnContext(ctx, "record rejected, like all of the same reason that follow", "source", r.src.Name(),
		"stream", r.stream.Name, "record", rejection.Kind, "reason", rejection.Reason, "where", rejection.Where, "detail", rejection.Detail)
}
