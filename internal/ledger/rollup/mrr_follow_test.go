package rollup

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// subscribers commits subscriptions that change at moments that some bound passes on day,
// in two currencies, with trials, ends and owners, and returns those moments that are on it.
func subscribers(t *testing.T, l *ledger.Ledger, day window.Day) []int64 {
	t.Helper()
	c := l.Calendar()
	y, m, d := day.Date()
	at := func(back int, wall time.Duration) record.Instant {
		return record.At(time.UnixMicro(c.Local(y, m, d-back, 0, 0, 0, int(wall.Microseconds()))))
	}
	states := []string{record.SubscriptionActive, record.SubscriptionTrialing, record.SubscriptionEnded, record.SubscriptionPastDue}
	var records []record.Record
	var moments []int64
	n := 0
	for _, back := range append(boundaries(), -90, -91) {
		for _, wall := range walls() {
			n++
			id, when := numbered("s", n), at(back, wall)
			s := &record.Subscription{
				Meta: record.Meta{ID: id}, Customer: record.RefTo(numbered("c", n%17)), State: states[n%4], StartedAt: at(back+20, 0),
				Currency: []string{"EUR", "USD", "EUR"}[n%3],
				History: []record.MRRChange{
					{At: at(back+20, 0), MRR: units(int64(n % 3 * 40))}, {At: when, MRR: units(int64(n % 5 * 30))}, {At: at(back-7, wall), MRR: units(int64(n % 7 * 50))},
				},
			}
			switch n % 6 {
			case 0:
				s.EndedAt = at(back-3, wall)
			case 1:
				s.History[1].MRR = record.Amount{}
			case 2:
				s.History = nil
			}
			records = append(records, s)
			if n%5 == 0 {
				records = append(records, &record.Account{Meta: record.Meta{ID: numbered("c", n%17)}, Owner: numbered("rep", n%4), CreatedAt: when})
			}
			if back == 0 {
				moments = append(moments, when.N)
			}
		}
	}
	for back := range 1200 {
		if back%3 > 0 {
			records = append(records, &record.Rate{
				Meta: record.Meta{ID: numbered("r", back)}, Day: record.Day(day) - record.Day(back), Currency: "USD", Reference: "EUR",
				PerReference: record.Decimal{Coefficient: int64(1000 + back*7%90), Scale: 3, Known: true},
			})
		}
	}
	commit(t, l, records...)
	start, end := c.Start(day), c.Start(day+1)
	return slices.DeleteFunc(moments, func(us int64) bool { return us < start || us >= end })
}

// identityOf is what is wrong with the figures of the windows of a view that e made.
func identityOf(e *Engine, v *View) error {
	b := newMRRBook(e.l.Calendar(), e.rates, &e.tot.mrr)
	for _, w := range v.Windows {
		r := &w.Recurring
		if w.Role.OfDays() || r.Start.Value == nil || r.End.Value == nil || r.Moved[0].Value == nil {
			continue // there are only subscriptions of which nothing is known
		}
		sum := new(big.Rat).Add(r.Start.Value, b.fx(w.Range).Value)
		for m, moved := range r.Moved {
			if m := Movement(m); m == MovementContraction || m == MovementChurn {
				sum.Sub(sum, moved.Value)
			} else {
				sum.Add(sum, moved.Value)
			}
		}
		if sum.Cmp(r.End.Value) != 0 {
			return fmt.Errorf("%s in role %d: start + movements = %s, the end is %s", w.Name, w.Role, sum, r.End.Value)
		}
	}
	return nil
}

// TestMRRFollowed goes through a day on which clocks change, and one without: as time passes and
// as subscriptions change, the figures are those of an engine that has just been started.
func TestMRRFollowed(t *testing.T) {
	for _, day := range []window.Day{window.DateDay(2024, time.March, 31), window.DateDay(2024, time.July, 10)} {
		t.Run(day.String(), func(t *testing.T) {
			t.Parallel()
			loc := zone(t, "Europe/Berlin")
			l := newLedger(t, loc)
			o := options(window.Span{Days: 180})
			o.Tiers = []record.Amount{units(50), units(200)}
			sources := []string{"shop"}
			e := New(l, o, sources)
			moments := subscribers(t, l, day)
			for _, us := range slices.Clone(moments) {
				moments = append(moments, us-1, us+1)
			}
			slices.Sort(moments)
			moments = slices.Compact(moments)
			check := func(when string, us int64) {
				t.Helper()
				v := view(t, e, us)
				compareViews(t, when+" at "+show(loc, us), v, view(t, newEngine(l, o, sources), us))
				if err := identityOf(e, v); err != nil {
					t.Fatalf("%s at %s: %v", when, show(loc, us), err)
				}
			}
			for i, us := range moments {
				check("as time passed", us)
				if i%5 != 0 {
					continue
				}
				changed := &record.Subscription{
					Meta: record.Meta{ID: numbered("s", 1+i)}, Customer: record.RefTo(numbered("c", i%3)), State: record.SubscriptionActive, Currency: "USD",
					History: []record.MRRChange{{At: record.At(time.UnixMicro(us)), MRR: units(int64(i))}},
				}
				commit(t, l, changed, &record.Customer{Meta: record.Meta{ID: numbered("c", i%3)}, Owner: numbered("rep", i%5)})
				check("as a subscription changed", us)
			}
			commit(t, l, &record.Rate{
				Meta: record.Meta{ID: "r1"}, Day: record.Day(day) - 1, Currency: "USD", Reference: "EUR",
				PerReference: record.Decimal{Coefficient: 2, Known: true},
			})
			check("as a rate changed", moments[len(moments)-1])
			check("after the clock was set back", moments[0])
		})
	}
}

// Where nobody has a subscription, nothing is kept or computed for any.
func TestNoMRR(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	commit(t, l, shopOrder("o1", "acme", 1, 100, "USD"), &record.Account{Meta: record.Meta{ID: "acme"}, Owner: "ada"})
	v := view(t, e, noon())
	kept := &e.tot.mrr
	if n := len(kept.sums) + len(kept.singles) + len(kept.tiers) + len(kept.owners); n > 0 {
		t.Errorf("%d sums are kept", n)
	}
	for _, tier := range v.Recurring.ByTier {
		if got := tier.Revenue.text(); got != "0.00" {
			t.Errorf("tier %s: %s", tier.Name, got)
		}
	}
	if got := v.Moments[Now].MRR.text(); got != "0.00" || len(v.Recurring.ByRep) > 0 {
		t.Errorf("MRR is %s, by representative %v", got, v.Recurring.ByRep)
	}
}

// A commit costs what it changes: the day's sums and the standing of its customer.
func TestMRRCostsWhatChanged(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	sub := func(customer int, mrr int64) *record.Subscription {
		return &record.Subscription{
			Meta: record.Meta{ID: numbered("s", customer)}, Customer: record.RefTo(numbered("c", customer)), State: record.SubscriptionActive,
			Currency: "EUR", History: []record.MRRChange{{At: record.At(time.UnixMicro(noon() - 3600e6)), MRR: units(mrr)}},
		}
	}
	var all []record.Record
	for i := range 50 {
		all = append(all, sub(i, 10))
	}
	commit(t, l, all...)
	view(t, e, noon())
	kept := e.tot
	commit(t, l, sub(7, 25))
	v := view(t, e, noon()+60e6)
	if e.tot != kept {
		t.Error("everything was read again")
	}
	if got := v.Moments[Now].MRR.text(); got != "515.00" {
		t.Errorf("MRR is %s, want 515.00", got)
	}
	if got := v.Recurring.ByTier[0].Revenue.text(); got != "515.00" {
		t.Errorf("the lowest tier brings %s, want 515.00", got)
	}
}
