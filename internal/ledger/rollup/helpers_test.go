package rollup

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"reflect"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's time zones

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func options(inactive window.Span) Options {
	return Options{Windows: window.Names(), Currency: "EUR", InactiveAfter: inactive}
}

// newLedger opens an empty ledger.
func newLedger(t testing.TB, loc *time.Location) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{
		Path:     filepath.Join(t.TempDir(), "b2b.db"),
		Settings: ledger.Settings{Zone: loc, Currency: "EUR", Basis: ledger.BasisOrders},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := l.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// commit writes records of the shop.
func commit(t testing.TB, l *ledger.Ledger, records ...record.Record) {
	t.Helper()
	session, err := l.Begin(t.Context(), "shop", "all", record.Kinds(), false, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Commit(t.Context(), ledger.Batch{Records: records}); err != nil {
		t.Fatal(err)
	}
	// While a stream is read for the first time, figures are not followed but made anew.
	if err := session.End(t.Context(), time.Unix(0, 0), nil, false); err != nil {
		t.Fatalf("end: %v", err)
	}
}

func view(t testing.TB, e *Engine, asOf int64) *View {
	t.Helper()
	v, err := e.View(context.WithoutCancel(t.Context()), asOf)
	if err != nil {
		t.Fatal(err)
	}
	// Labels under which nothing counts any longer say nothing.
	for i := range v.Windows {
		w := &v.Windows[i]
		maps.DeleteFunc(w.Checkouts, func(_ string, n int64) bool { return n == 0 })
		maps.DeleteFunc(w.Quotes, func(_ SalesKey, n int64) bool { return n == 0 })
	}
	maps.DeleteFunc(v.Moments[Now].ByChannel, func(_ string, l Lifetime) bool {
		return l.Active == 0 && l.AtStart == 0 && l.Lost == 0 && l.Quarter.Records == 0
	})
	return v
}

// compareViews fails where an engine's figures are not those of one that reads everything.
func compareViews(t testing.TB, when string, got, want *View) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Window{}), cmp.Comparer(func(a, b *big.Rat) bool {
		return a == b || a != nil && b != nil && a.Cmp(b) == 0
	}))
	if diff != "" {
		t.Fatalf("%s (-read afresh +followed):\n%s", when, diff)
	}
}

func show(loc *time.Location, us int64) string {
	return time.UnixMicro(us).In(loc).Format("2006-01-02T15:04:05.999999Z07:00")
}

func numbered(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, n) }

func units(n int64) record.Amount { return record.Micros(n * record.MicrosPerUnit) }
