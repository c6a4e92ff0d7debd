package sourcetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// testCase is one case of the suite.
type testCase struct {
	name string
	run  func(*bench)
}

func cases() []testCase {
	return append(faultCases(),
		testCase{"streams and kinds", streams},
		testCase{"check", check},
		testCase{"three pages and more", threePages},
		testCase{"empty account", emptyAccount},
		testCase{"null money", nullMoney},
		testCase{"deletes", deletes},
		testCase{"merges", merges},
		testCase{"restated down", restatedDown},
		testCase{"equal timestamps", equalTimestamps},
		testCase{"writes during paging", writesDuringPaging},
		testCase{"crash between pages", crash},
		testCase{"replay", replay},
		testCase{"cancellation in mid-page", cancellation},
		testCase{"unknown stream", unknownStream},
		testCase{"unreadable cursor", unreadableCursor},
	)
}

func streams(b *bench) {
	names := map[string]bool{}
	for _, s := range b.source.Streams() {
		if s.Name == "" || names[s.Name] {
			b.problem("the stream's name %q is empty or not unique", s.Name)
		}
		names[s.Name] = true
		if len(s.Kinds) == 0 {
			b.problem("stream %s declares no kinds", s.Name)
		}
		for _, k := range s.Kinds {
			if record.New(k) == nil {
				b.problem("stream %s declares %q, which is no kind of record", s.Name, k)
			}
		}
	}
	if b.source.Name() == "" || b.source.Type() == "" {
		b.problem("the source has no name or no type")
	}
}

func check(b *bench) {
	b.fill(3)
	findings := b.source.Check(b.ctx, b.environment())
	if len(findings) == 0 {
		b.problem("Check found nothing on a good account")
	}
	for _, f := range findings {
		b.said = append(b.said, f.Subject+" "+f.Detail)
		b.say(f.Err)
		if f.Err != nil || f.Subject == "" {
			b.problem("Check of a good account: %q: %v", f.Subject, f.Err)
		}
	}
	b.faults.Set(b.Unauthorized, 0, -1)
	failed := false
	for _, f := range b.source.Check(b.ctx, b.environment()) {
		b.said = append(b.said, f.Subject+" "+f.Detail)
		b.say(f.Err)
		failed = failed || f.Err != nil
	}
	if !failed {
		b.problem("Check does not report refused credentials")
	}
}

func threePages(b *bench) {
	b.fill(b.pages(3))
	b.mustFetch()
	b.compare("after the first Fetch")
	if b.faults.Requests() < 4 && b.ledger.pages < 4 {
		b.problem("%d records took %d requests and %d pages: the harness's page size is too small, or the source's too large",
			b.pages(3), b.faults.Requests(), b.ledger.pages)
	}
}

func emptyAccount(b *bench) {
	for range 2 {
		b.mustFetch()
		b.compare("with an empty account")
		time.Sleep(b.Interval)
	}
	b.fill(2)
	b.settle()
	b.compare("after the first records")
}

func nullMoney(b *bench) {
	at := time.Now().Add(-time.Hour)
	b.account.Put(0, record.Amount{}, at)
	b.account.Put(1, record.Micros(0), at.Add(time.Second))
	b.account.Put(2, money(2), at.Add(2*time.Second))
	b.settle()
	b.compare("with one amount null and one zero")
}

func deletes(b *bench) {
	b.fill(b.pages(2))
	b.mustFetch()
	b.compare("before the deletion")
	time.Sleep(b.Interval)
	b.account.Delete(0, time.Now())
	b.account.Delete(b.PageSize, time.Now())
	b.settle()
	b.compare("after the deletion")
}

func merges(b *bench) {
	b.fill(b.pages(2))
	b.mustFetch()
	b.compare("before the merge")
	time.Sleep(b.Interval)
	b.account.Merge(0, b.PageSize, time.Now())
	b.settle()
	b.compare("after the merge")
}

func restatedDown(b *bench) {
	b.fill(b.pages(1))
	b.mustFetch()
	time.Sleep(b.Interval)
	for i := range 2 {
		b.account.Put(i, record.Micros(1_500_000-int64(i)), time.Now())
	}
	b.settle()
	b.compare("after amounts went down")
}

func equalTimestamps(b *bench) {
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	n := b.pages(2)
	for i := range n {
		b.account.Put(i, money(i), at)
	}
	b.mustFetch()
	b.compare("with the same timestamp on every record")
	// The vendor commits one more in the same second, after it was read.
	b.account.Put(n, money(n), at)
	b.settle()
	b.compare("after a late record with the same timestamp")
}

func writesDuringPaging(b *bench) {
	n := b.pages(3)
	b.fill(n)
	b.afterPage = func(page int) error {
		time.Sleep(time.Second)
		if page < 4 {
			b.account.Put(page, money(1000+page), time.Now())
			b.account.Put(n+page, money(n+page), time.Now())
		}
		return nil
	}
	b.mustFetch()
	b.afterPage = nil
	time.Sleep(b.Interval)
	b.settle()
	b.compare("after writes during paging")
}

var errCrash = errors.New("crash of the suite's ledger")

// crash lets the process die at each page, before and after its commit, and starts it anew.
func crash(b *bench) {
	b.fill(b.pages(3))
	for _, committed := range []bool{false, true} {
		for at := 0; ; at++ {
			if err := b.newLedger(); err != nil {
				b.problem("%v", err)
				return
			}
			die := func(n int) error {
				if n == at {
					return errCrash
				}
				return nil
			}
			when := "a crash before"
			if b.onPage, b.afterPage = die, nil; committed {
				when = "a crash after"
				b.onPage, b.afterPage = nil, die
			}
			err := b.fetch()
			b.onPage, b.afterPage = nil, nil
			if err == nil && b.ledger.pages > at {
				b.problem("Fetch returned nil for the error of Emit")
			}
			if err != nil && !errors.Is(err, errCrash) {
				b.problem("Fetch returned %v for the error of Emit", err)
			}
			crashed := err != nil
			if err := b.restart(); err != nil {
				b.problem("%v", err)
			}
			time.Sleep(b.Interval)
			b.settle()
			b.compare(when + " the commit of a page and a restart")
			if len(b.problems) > 0 || !crashed {
				if at < 2 && len(b.problems) == 0 {
					b.problem("only %d pages: there is nothing between which to crash", at)
				}
				break
			}
		}
	}
}

func replay(b *bench) {
	b.fill(b.pages(3))
	b.mustFetch()
	b.compare("after the first Fetch")
	cursors := append([]string{""}, b.ledger.cursors...)
	for _, cursor := range cursors {
		time.Sleep(b.Interval)
		if err := b.restart(); err != nil {
			b.problem("%v", err)
			return
		}
		b.ledger.cursor, b.ledger.changes = cursor, 0
		b.mustFetch()
		if b.ledger.changes > 0 {
			b.problem("a replay from the cursor %q changed %d records", cursor, b.ledger.changes)
		}
		b.compare("after a replay")
	}
}

func unknownStream(b *bench) {
	b.fill(3)
	const name = "no such stream"
	pages := 0
	err := b.source.Fetch(b.ctx, sources.Request{Environment: b.environment(), Stream: name}, func(context.Context, sources.Page) error {
		pages++
		return nil
	})
	b.say(err)
	if err == nil || !strings.Contains(err.Error(), name) || pages > 0 {
		b.problem("Fetch of a stream that the source does not have: got %v and %d pages, want an error with its name", err, pages)
	}
}

// unreadableCursor wants that a cursor of which nothing can be made is an error, or that
// everything is read.
func unreadableCursor(b *bench) {
	b.fill(3)
	b.ledger.cursor = "{"
	err := b.fetch()
	if err == nil {
		b.compare("after a Fetch from a cursor that cannot be read")
		return
	}
	if !strings.Contains(err.Error(), "cursor") || !strings.Contains(err.Error(), b.Stream) || b.ledger.pages > 0 {
		b.problem("Fetch from a cursor that cannot be read: got %v and %d pages, want an error with the stream's name", err, b.ledger.pages)
	}
}

func cancellation(b *bench) {
	b.fill(b.pages(3))
	for after := range 2 {
		b.faults.Set(fake.Fault{Hang: true}, after, 1)
		ctx, cancel := context.WithCancel(b.ctx)
		const patience = 20 * time.Second // shorter than any timeout of a request
		begin := time.Now()
		time.AfterFunc(patience, cancel)
		err := b.fetchCtx(ctx)
		cancel()
		if took := time.Since(begin); took > patience+time.Second {
			b.problem("Fetch returned %v after its context was cancelled", took-patience)
		} else if took >= patience && !errors.Is(err, context.Canceled) {
			b.problem("cancelled in mid-page, Fetch returned %v, which is not context.Canceled", err)
		}
		b.faults.Clear()
	}
	b.settle()
	b.compare("after cancelled Fetches")
}

// failing polls under a fault and reports where the error is not of type E, or the
// ledger was changed.
func failing[E error](b *bench, name string, f fake.Fault) (failure E) {
	before := b.ledger.changes
	b.faults.Set(f, 0, -1)
	sent := b.faults.Requests()
	err := b.fetch()
	failure, ok := errors.AsType[E](err)
	if !ok {
		b.problem("%s: Fetch returned %T (%v), want %T", name, err, err, failure)
	}
	if b.ledger.changes != before {
		b.problem("%s: the ledger was changed by a Fetch that failed", name)
	}
	// One try, three retries, one refresh: and some more for a source that asks for
	// settings first.
	if n := b.faults.Requests() - sent; n > 12 {
		b.problem("%s: %d requests to a vendor that refuses", name, n)
	}
	b.faults.Clear()
	return failure
}

// recovered polls without faults.
func recovered(b *bench, name string) {
	time.Sleep(b.Interval)
	b.settle()
	b.compare("after " + name)
}
