package sourcetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

const (
	baseURL = "http://vendor.test"
	// maxRequests is more than any case needs: a source that sends more does not end.
	maxRequests = 2000
	// longestFetch bounds a Fetch in simulated time.
	longestFetch = time.Hour
)

var errEndless = errors.New("the source sends requests without an end")

// bench is one run of a case: an account, a source and a ledger.
type bench struct {
	Harness
	account Account
	faults  *fake.Faults
	server  *server
	source  sources.Source
	ledger  *ledger
	logs    *lockedBuffer
	said    []string // errors, rejections and findings, to look for secrets in
	// onPage is called before a page is committed, with the number of pages that were;
	// its error is Emit's.
	onPage func(n int) error
	// afterPage is the same after the commit.
	afterPage func(n int) error

	ctx      context.Context
	giveUp   context.CancelCauseFunc
	problems []string
}

// lockedBuffer is where the source logs to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newBench(ctx context.Context, h Harness) (*bench, error) {
	b := &bench{Harness: h, account: h.Account(), logs: &lockedBuffer{}}
	b.ctx, b.giveUp = context.WithCancelCause(ctx)
	b.faults = fake.NewFaults(b.account.Handler)
	b.faults.Match = h.Data
	b.server = startServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.faults.Requests() > maxRequests {
			b.giveUp(errEndless)
		}
		b.faults.ServeHTTP(w, r)
	}))
	if err := b.restart(); err != nil {
		b.server.close()
		return nil, err
	}
	if err := b.newLedger(); err != nil {
		b.server.close()
		return nil, err
	}
	return b, nil
}

// restart replaces the source by a new instance, which knows only the ledger's cursor.
func (b *bench) restart() error {
	source, err := b.Open(baseURL, apiclient.Deps{
		Transport: b.server.transport,
		Logger:    slog.New(slog.NewTextHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		return fmt.Errorf("open the source: %w", err)
	}
	b.source = source
	return nil
}

// newLedger replaces the ledger by an empty one.
func (b *bench) newLedger() error {
	for _, s := range b.source.Streams() {
		if s.Name == b.Stream {
			l, err := newLedger(b.source.Name(), s)
			b.ledger = l
			return err
		}
	}
	return fmt.Errorf("the source has no stream %q", b.Stream)
}

// close ends the case and looks for the secrets in all that the source has said.
func (b *bench) close() {
	b.giveUp(nil)
	b.server.close()
	for i, text := range append(b.said, b.logs.String()) {
		what := "an error or finding"
		if i == len(b.said) {
			what = "the log"
		}
		for _, secret := range b.Secrets {
			for _, spelling := range spellings(secret) {
				if strings.Contains(text, spelling) {
					b.problem("%s holds the secret: %s", what, strings.ReplaceAll(text, spelling, "<the secret>"))
				}
			}
		}
	}
}

// spellings returns a secret as it may appear in text.
func spellings(secret string) []string {
	quoted, err := json.Marshal(secret)
	if err != nil {
		quoted = nil // a string always marshals
	}
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
	}
	if q := strings.Trim(string(quoted), `"`); q != "" {
		all = append(all, q)
	}
	return all
}

func (b *bench) problem(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// say keeps what the source has said.
func (b *bench) say(err error) {
	for ; err != nil; err = errors.Unwrap(err) {
		b.said = append(b.said, fmt.Sprintf("%v %#v", err, err))
	}
}

func (b *bench) environment() sources.Environment {
	return sources.Environment{Zone: time.UTC, Currency: "EUR", Now: time.Now()}
}

// emit is the Emit that the source gets.
func (b *bench) emit(_ context.Context, page sources.Page) error {
	n := b.ledger.pages
	if b.onPage != nil {
		if err := b.onPage(n); err != nil {
			return err
		}
	}
	for _, r := range page.Rejected {
		b.said = append(b.said, r.Reason+" "+r.Where+" "+r.Detail)
		b.problem("a good record was rejected: %s %s: %s: %s", r.Kind, r.ID, r.Reason, r.Detail)
	}
	if err := b.ledger.commit(page); err != nil {
		b.problem("a bad page: %v", err)
		return err
	}
	if b.afterPage != nil {
		return b.afterPage(n)
	}
	return nil
}

// fetch polls the stream once.
func (b *bench) fetch() error { return b.fetchCtx(b.ctx) }

func (b *bench) fetchCtx(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longestFetch)
	defer cancel()
	b.ledger.begin()
	done := make(chan error, 1)
	go func() {
		done <- b.source.Fetch(ctx, sources.Request{Environment: b.environment(), Stream: b.Stream, Cursor: b.ledger.cursor}, b.emit)
	}()
	var err error
	select {
	case err = <-done:
	case <-time.After(longestFetch + time.Minute):
		b.problem("Fetch has not returned a minute after its deadline")
		b.server.close()
		err = <-done
	}
	b.say(err)
	if errors.Is(context.Cause(b.ctx), errEndless) {
		b.problem("%v: more than %d", errEndless, maxRequests)
	}
	return err
}

// mustFetch polls once and reports an error.
func (b *bench) mustFetch() {
	if err := b.fetch(); err != nil {
		b.problem("Fetch: %v", err)
	}
}

// settle polls until every change must have been found.
func (b *bench) settle() {
	until := time.Now().Add(b.Settle)
	for {
		b.mustFetch()
		if len(b.problems) > 0 || !time.Now().Before(until) {
			return
		}
		time.Sleep(b.Interval)
	}
}

// compare reports how the ledger differs from what the account holds.
func (b *bench) compare(when string) {
	diff, err := b.ledger.diff(b.account.Want())
	if err != nil {
		b.problem("%v", err)
	}
	if diff != "" {
		b.problem("%s: the ledger differs from the account:%s", when, diff)
	}
}

// fill puts n records, a second apart, the last of them a minute ago.
func (b *bench) fill(n int) {
	at := time.Now().Add(-time.Minute - time.Duration(n)*time.Second)
	for i := range n {
		b.account.Put(i, money(i), at.Add(time.Duration(i)*time.Second))
	}
}

// pages returns a number of records that takes at least n requests.
func (b *bench) pages(n int) int { return n*b.PageSize + 1 }

// money returns an amount with cents that differs for each n.
func money(n int) record.Amount { return record.Micros(int64(n+1)*10_010_000 + 250_000) }
