package ledger_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// TestMain lets the test binary be the process that TestKill kills.
func TestMain(m *testing.M) {
	if path := os.Getenv(killEnv); path != "" {
		if err := readUntilKilled(context.Background(), path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Each check opens ledgers, which takes its time. The command line comes after this.
	if err := flag.Set("rapid.checks", strconv.Itoa(scaled(60, 8))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// scaled returns how much of something a test does: less of it under the race detector.
func scaled(usual, race int) int {
	if raceEnabled {
		return race
	}
	return usual
}

// moment returns the instant that many hours after the start of 2024.
func moment(hours int) record.Instant {
	return record.At(time.Date(2024, time.January, 1, hours, 0, 0, 0, time.UTC))
}

func meta(id string) record.Meta { return record.Meta{ID: id} }

func order(id, customer string, hours int) *record.Order {
	return &record.Order{
		Meta: meta(id), Customer: record.RefTo(customer), PlacedAt: moment(hours), Currency: "EUR", Gross: record.Micros(100e6),
	}
}

func customer(id string, hours int, keys record.Keys) *record.Customer {
	return &record.Customer{Meta: meta(id), CreatedAt: moment(hours), Keys: keys}
}

func company(id string, hours int, keys record.Keys) *record.Customer {
	c := customer(id, hours, keys)
	c.Company = true
	return c
}

func lead(id string, hours int, keys record.Keys) *record.Lead {
	return &record.Lead{Meta: meta(id), CreatedAt: moment(hours), Keys: keys}
}

func domain(d string) record.Keys           { return record.Keys{Domain: d} }
func email(e string) record.Keys            { return record.Keys{Email: e} }
func external(ids ...string) record.Keys    { return record.Keys{ExternalIDs: ids} }
func deleted(r record.Record) record.Record { r.RecordMeta().Deleted = true; return r }

// clone copies a record, which sealing changes.
func clone(r record.Record) record.Record {
	c := reflect.New(reflect.TypeOf(r).Elem())
	c.Elem().Set(reflect.ValueOf(r).Elem())
	return c.Interface().(record.Record)
}

// newPath returns where a test's ledger goes.
func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

type option func(*ledger.Options)

func readOnly(o *ledger.Options) { o.ReadOnly = true }

func keyFile(path string) option { return func(o *ledger.Options) { o.KeyFile = path } }

func settings(change func(*ledger.Settings)) option {
	return func(o *ledger.Options) { change(&o.Settings) }
}

func basis(b ledger.Basis) option { return settings(func(s *ledger.Settings) { s.Basis = b }) }

// tryOpen opens the ledger at path, which it does not make ready.
func tryOpen(ctx context.Context, path string, options ...option) (*ledger.Ledger, error) {
	o := ledger.Options{Path: path, Settings: ledger.Settings{Zone: time.UTC, Currency: "EUR", Basis: ledger.BasisOrders}}
	for _, set := range options {
		set(&o)
	}
	return ledger.Open(ctx, o)
}

// openReady opens a ledger, makes it ready, and closes it when the test is over.
func openReady(t testing.TB, path string, options ...option) *ledger.Ledger {
	t.Helper()
	l, err := tryOpen(t.Context(), path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeLedger(t, l) })
	if err := l.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// closeLedger closes l, which may be closed already.
func closeLedger(t rapid.TB, l *ledger.Ledger) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func begin(ctx context.Context, t rapid.TB, l *ledger.Ledger, source string, whole bool) *ledger.Session {
	t.Helper()
	s, err := l.Begin(ctx, source, "all", record.Kinds(), whole, time.Unix(0, 0))
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return s
}

func commitBatch(ctx context.Context, t rapid.TB, s *ledger.Session, b ledger.Batch) ledger.Result {
	t.Helper()
	res, err := s.Commit(ctx, b)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return res
}

// put commits records of one source in one transaction of a session of its own.
func put(t testing.TB, l *ledger.Ledger, source string, records ...record.Record) ledger.Counts {
	t.Helper()
	return commitBatch(t.Context(), t, begin(t.Context(), t, l, source, false), ledger.Batch{Records: records}).Counts
}

// outcomes writes counts of one kind as text: "inserted 2, updated 1".
func outcomes(counts ledger.Counts, k record.Kind) string {
	var texts []string
	for o, n := range counts[k] {
		texts = append(texts, fmt.Sprintf("%s %d", o, n))
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// view is what the KPIs are computed from: the events of each customer and those of
// nobody, as texts that do not depend on how the ledger numbers things.
type view struct {
	Customers [][]string
	Nobody    []string
}

func look(ctx context.Context, t rapid.TB, l *ledger.Ledger) view {
	t.Helper()
	s, err := l.Snapshot(ctx, nil)
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Fatalf("close snapshot: %v", err)
		}
	}()
	var v view
	if err := s.Each(ctx, func(u ledger.Unit) error {
		texts, err := eventTexts(s.Text, u)
		switch {
		case err != nil || len(texts) == 0:
			return err
		case u.ID < 0:
			v.Nobody = append(v.Nobody, texts...)
		default:
			v.Customers = append(v.Customers, texts)
		}
		return nil
	}); err != nil {
		t.Fatalf("read units: %v", err)
	}
	slices.Sort(v.Nobody)
	slices.SortFunc(v.Customers, slices.Compare)
	return v
}

// eventTexts returns the events of a unit, sorted.
func eventTexts(text func(history.Dict) string, u ledger.Unit) ([]string, error) {
	kinds := []string{"", "order", "refund", "known", "lead", "live", "checkout", "quote", "step", "won", "answer", "revenue", "subscribed", "owned"}
	var texts []string
	for _, h := range u.Histories {
		events, _, err := history.Decode(h, nil, nil)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			line := fmt.Sprintf("%s of %s", kinds[e.Kind], text(e.Source))
			if !e.Has(history.Always) {
				line += " " + when(e.T)
			}
			if e.Kind == history.Live || e.Kind == history.Checkout || e.Kind == history.Subscribed {
				line += " to " + when(e.End)
			}
			for _, part := range []struct {
				name string
				set  bool
				text string
			}{
				{"step", e.Kind == history.Step, fmt.Sprint(e.Label)},
				{"state", e.Kind == history.Subscribed, fmt.Sprint(e.Label)},
				{"rank", e.Kind == history.Owned, fmt.Sprint(e.Ref)},
				{"label", e.Label != 0 && e.Kind != history.Step && e.Kind != history.Subscribed, strings.ReplaceAll(text(e.Label), history.Separator, "/")},
				{"territory", e.Territory != 0, text(e.Territory)},
				{"gross", e.Has(history.HasMoney), fmt.Sprint(e.Gross, text(e.Currency))},
				{"discount", e.Has(history.HasDiscount), fmt.Sprint(e.Discount)},
				{"profit", e.Has(history.HasCost), fmt.Sprint(e.Profit, "/", e.Costed)},
				{"of", e.Has(history.OfStore), "store"},
				{"of", e.Has(history.OfCustomer), "customer"},
			} {
				if part.set {
					line += fmt.Sprintf(" %s=%s", part.name, part.text)
				}
			}
			texts = append(texts, line)
		}
	}
	slices.Sort(texts)
	return texts, nil
}

// when shows a moment as what moment was given, where that is possible.
func when(us int64) string {
	base := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	if d := time.UnixMicro(us).Sub(base); d%time.Hour == 0 {
		return fmt.Sprintf("@%d", d/time.Hour)
	}
	return time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
}

// partition returns the moments of each customer's events, which tell the customers
// apart where every record has a moment of its own.
func partition(t testing.TB, l *ledger.Ledger) []string {
	t.Helper()
	var groups []string
	for _, events := range look(t.Context(), t, l).Customers {
		var hours []string
		for _, e := range events {
			if _, rest, ok := strings.Cut(e, "@"); ok {
				hours = append(hours, strings.Fields(rest)[0])
			}
		}
		slices.Sort(hours)
		groups = append(groups, strings.Join(slices.Compact(hours), " "))
	}
	slices.Sort(groups)
	return groups
}

func wantPartition(t testing.TB, l *ledger.Ledger, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, partition(t, l)); diff != "" {
		t.Errorf("customers, by the moments of their events (-want +got):\n%s", diff)
	}
}
