package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// patience is a context that is cancelled when it has been asked whether it has ended so
// many times: each statement of a transaction asks, and each row.
type patience struct {
	context.Context
	cancel context.CancelFunc
	asked  atomic.Int64
	last   int64
}

func newPatience(parent context.Context, last int64) *patience {
	p := &patience{last: last}
	p.Context, p.cancel = context.WithCancel(parent)
	return p
}

func (p *patience) Err() error {
	if p.asked.Add(1) == p.last {
		p.cancel()
	}
	return p.Context.Err()
}

// page is a batch of orders of new and old customers, with refunds, keys, deals and a
// rate: number n of a series in which each page edits what the one before wrote.
func page(n int) ledger.Batch {
	b := ledger.Batch{Cursor: fmt.Sprintf("page %d", n)}
	for i := range 6 {
		id := fmt.Sprintf("%d-%d", n, i)
		o := order(id, fmt.Sprintf("c%d", (n+i)%9), 10*n+i)
		o.Country = fmt.Sprintf("country %d", n)
		edited := order(fmt.Sprintf("%d-%d", n-1, i), fmt.Sprintf("c%d", i), 10*n+i)
		b.Records = append(b.Records, o, edited,
			customer(fmt.Sprintf("c%d", (n+i)%9), n, email(fmt.Sprintf("x@d%d.example", (n*i)%5))),
			&record.Refund{Meta: meta(id), Order: fmt.Sprintf("%d-%d", n-1, i), At: moment(n), Amount: record.Micros(int64(i))},
			&record.Deal{Meta: meta(id), Lead: "l", Order: "1-1", State: record.DealWon, ClosedAt: moment(n), CreatedAt: moment(n - 1)},
		)
	}
	b.Records = append(b.Records, lead("l", n, record.Keys{}), deleted(order(fmt.Sprintf("%d-0", n-1), "", 0)),
		&record.Rate{Meta: meta("r"), Day: record.Day(n), Currency: "USD", Reference: "EUR"})
	return b
}

// A commit that fails changes nothing, and one that succeeds is told: also where the
// context ends at any of its statements.
func TestCancelledCommit(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path, basis(ledger.BasisBoth))
	feed := newTell(t)
	l.SetFeed(feed)
	// The same commits, undisturbed.
	calm := openReady(t, newPath(t), basis(ledger.BasisBoth))

	s, calmly := begin(t.Context(), t, l, "shop", false), begin(t.Context(), t, calm, "shop", false)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	cancelled, before := 0, look(t.Context(), t, l)
	for n, last := 0, int64(1); n < scaled(12, 3); {
		ctx := newPatience(t.Context(), last)
		cursor := s.Cursor
		res, err := s.Commit(ctx, page(n))
		ctx.cancel()
		if err != nil {
			cancelled++
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("page %d, statement %d: %v", n, last, err)
			}
			if s.Cursor != cursor || res.Counts != nil {
				t.Fatalf("page %d: a failed commit has the cursor %q and counts %v", n, s.Cursor, res.Counts)
			}
			if random.IntN(10) == 0 {
				if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
					t.Fatalf("page %d: a failed commit left something (-before +after):\n%s", n, diff)
				}
			}
			last += 1 + random.Int64N(60)
			continue
		}
		want := commitBatch(t.Context(), t, calmly, page(n))
		if diff := cmp.Diff(want, res); diff != "" {
			t.Fatalf("page %d: result of a commit after failed ones (-want +got):\n%s", n, diff)
		}
		before = look(t.Context(), t, l)
		if diff := cmp.Diff(look(t.Context(), t, calm), before); diff != "" {
			t.Fatalf("page %d: after failed commits the ledger differs (-want +got):\n%s", n, diff)
		}
		n, last = n+1, 1
	}
	if cancelled < scaled(30, 5) {
		t.Errorf("only %d commits were cancelled", cancelled)
	}
	if begun := begin(t.Context(), t, l, "shop", false); begun.Cursor != calmly.Cursor {
		t.Errorf("the cursor is %q, want %q", begun.Cursor, calmly.Cursor)
	}
	feed.compare(t.Context(), t, l)
}

// A sweep looks at all that the stream holds: the end of the context is not waited for until then.
func TestCancelledSweep(t *testing.T) {
	l := openReady(t, newPath(t))
	s := begin(t.Context(), t, l, "shop", false)
	var b ledger.Batch
	for i := range 500 {
		b.Records = append(b.Records, order(fmt.Sprint(i), "a", i))
	}
	commitBatch(t.Context(), t, s, b)
	if _, err := s.Commit(newPatience(t.Context(), 100), ledger.Batch{Sweep: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("after 100 of 500 records: %v", err)
	}
}

// The records of a batch can be committed again after a failure.
func TestCommitTheSameRecordsAgain(t *testing.T) {
	l := openReady(t, newPath(t), basis(ledger.BasisDeals))
	s := begin(t.Context(), t, l, "crm", false)
	batch := ledger.Batch{Records: []record.Record{
		lead("jane@example.com", 1, email("jane@example.com")),
		&record.Deal{Meta: meta("1"), Lead: "jane@example.com", State: record.DealWon, ClosedAt: moment(2), CreatedAt: moment(2)},
	}}
	for last := int64(1); ; last++ {
		ctx := newPatience(t.Context(), last)
		_, err := s.Commit(ctx, batch)
		ctx.cancel()
		if err == nil {
			break
		}
		if got := partition(t, l); got != nil {
			t.Fatalf("a cancelled commit left %v", got)
		}
	}
	wantPartition(t, l, "1 2")
	if n := commitBatch(t.Context(), t, s, batch).Counts.Changed(); n != 0 {
		t.Errorf("the same records once more change %d", n)
	}
}

func TestCommitOfAReader(t *testing.T) {
	path := newPath(t)
	s := begin(t.Context(), t, openReady(t, path), "shop", false)
	commitBatch(t.Context(), t, s, page(1))
	reader := openReady(t, path, readOnly)
	if _, err := reader.Begin(t.Context(), "shop", "all", nil, false, time.Unix(0, 0)); err == nil {
		t.Error("a ledger that is open for reading only begins a session")
	}
}

func TestUseAfterClose(t *testing.T) {
	l := openReady(t, newPath(t))
	s := begin(t.Context(), t, l, "shop", false)
	closeLedger(t, l)
	if _, err := s.Commit(t.Context(), page(1)); err == nil {
		t.Error("a closed ledger commits")
	}
	if _, err := l.Snapshot(t.Context(), nil); err == nil {
		t.Error("a closed ledger gives a snapshot")
	}
	if _, err := l.Stale(t.Context()); err == nil {
		t.Error("a closed ledger says whether it is stale")
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
