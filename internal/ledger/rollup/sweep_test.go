package rollup

import (
	"slices"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// walls are the wall clocks at which things happen in a swept world: a day's first and last
// moments, and those around the usual changes of clocks.
func walls() []time.Duration {
	return []time.Duration{
		0, time.Minute, 90 * time.Minute, 2 * time.Hour, 150 * time.Minute, 3 * time.Hour, 12 * time.Hour,
		23*time.Hour + 30*time.Minute, 24*time.Hour - time.Microsecond,
	}
}

// boundaries are how many days before the swept day things happen: where windows, what
// they are compared with, activity and the days of at risk begin and end.
func boundaries() []int {
	return []int{-1, 0, 1, 2, 7, 14, 15, 30, 31, 60, 90, 180, 181, 365, 366, 545}
}

// boundaryWorld commits a few customers whose orders, refunds, leads, checkouts, quotes
// and subscriptions lie exactly at moments that some bound passes on day, and returns those
// moments that are on it.
func boundaryWorld(t *testing.T, l *ledger.Ledger, day window.Day) []int64 {
	c := l.Calendar()
	y, m, d := day.Date()
	at := func(back int, wall time.Duration) record.Instant {
		return record.At(time.UnixMicro(c.Local(y, m, d-back, 0, 0, 0, int(wall.Microseconds()))))
	}
	var records []record.Record
	n := 0
	for i, back := range boundaries() {
		for k, wall := range walls() {
			n++
			id, customer, when := numbered("x", n), record.RefTo(numbered("c", (i*5+k)%11)), at(back, wall)
			if n%9 == 0 {
				customer = record.Ref{}
			}
			o := &record.Order{
				Meta: record.Meta{ID: id}, Customer: customer, PlacedAt: when, Currency: "EUR", Gross: units(int64(n)), Country: numbered("country", n%3),
				Touch: record.Touch{Channel: []string{"email", "event", ""}[n%3]},
			}
			if n%2 == 0 {
				o.Cost = units(int64(n / 2))
			}
			records = append(records, o)
			if n%4 == 0 {
				records = append(records, &record.Refund{Meta: record.Meta{ID: id}, Order: id, At: at(back-1, wall), Amount: units(1)})
			}
			if n%3 == 0 {
				started := at(back, wall-time.Hour)
				records = append(records, &record.Checkout{Meta: record.Meta{ID: id}, StartedAt: started, ChangedAt: when},
					&record.Checkout{Meta: record.Meta{ID: id + "b"}, StartedAt: started})
			}
			if n%5 == 0 {
				records = append(records, &record.Quote{Meta: record.Meta{ID: id}, State: record.QuoteAccepted, SentAt: when, DecidedAt: at(back-1, wall)})
			}
			if n%6 == 0 { // a customer known from a lead or account on, and one whose channel comes later
				lead := &record.Lead{
					Meta: record.Meta{ID: id}, CreatedAt: when, Keys: record.Keys{ExternalIDs: []string{numbered("c", n%11)}}, Touch: record.Touch{Channel: "webinar"},
					MQLAt: at(back-1, wall), OpportunityAt: at(back-3, wall),
				}
				if n%4 == 0 {
					lead.Keys, lead.CustomerAt = record.Keys{}, at(back-4, wall)
				}
				records = append(records, lead,
					&record.Activity{Meta: record.Meta{ID: id}, Type: record.ActivityCall, Lead: id, At: at(back, wall+time.Hour)},
					&record.Activity{Meta: record.Meta{ID: "b" + id}, Type: record.ActivityEmail, Lead: id, At: at(back-1, wall)},
					&record.Deal{Meta: record.Meta{ID: id}, Lead: numbered("x", n-6), State: record.DealWon, ClosedAt: at(back-2, wall)},
					&record.Account{Meta: record.Meta{ID: "a" + id}, Target: true, CreatedAt: when})
			}
			if n%7 == 0 {
				records = append(records, &record.Subscription{
					Meta: record.Meta{ID: id}, Customer: record.RefTo(numbered("s", n%4)), StartedAt: at(back+40, wall), EndedAt: when, State: record.SubscriptionEnded,
				})
			}
		}
	}
	// What costs and visits are by day.
	for i, back := range boundaries() {
		on := record.Day(day) - record.Day(back)
		records = append(records,
			&record.Spend{Meta: record.Meta{ID: numbered("s", i)}, Day: on, Platform: "google", Currency: "EUR", Cost: units(int64(i)), Touch: record.Touch{Channel: "display"}},
			&record.Cost{Meta: record.Meta{ID: numbered("k", i)}, Category: record.CostSales, Period: record.PeriodOnce, From: on, To: on + 1, Amount: units(int64(i))},
			&record.Users{Meta: record.Meta{ID: numbered("u", i)}, Kind: record.UsersTotal, Start: on, End: record.Day(day), Users: units(int64(i))})
	}
	// Customers that have ordered once: their activity ends when a single bound passes.
	for i, back := range append(boundaries(), 32, 61, 210, 211, 270, 272, 360, 730) {
		for _, wall := range []time.Duration{2 * time.Hour, 12 * time.Hour} {
			id := numbered(numbered("once", i), int(wall.Hours()))
			records = append(records, &record.Order{Meta: record.Meta{ID: id}, Customer: record.RefTo(id), PlacedAt: at(back, wall), Currency: "EUR"})
		}
	}
	// Customers that come to be at risk on the day: orders 10 days apart, the last 15 days before,
	// and, active by a subscription only, orders 200 days apart, the last 300 days before.
	for k, wall := range walls() {
		for i, back := range []int{35, 25, 15} {
			records = append(records, &record.Order{Meta: record.Meta{ID: numbered(numbered("risk", k), i)}, Customer: record.RefTo(numbered("risk", k)), PlacedAt: at(back, wall), Currency: "EUR", Gross: units(1)})
		}
		for i, back := range []int{700, 500, 300} {
			records = append(records, &record.Order{Meta: record.Meta{ID: numbered(numbered("late", k), i)}, Customer: record.RefTo(numbered("late", k)), PlacedAt: at(back, wall), Currency: "EUR", Gross: units(1)})
		}
		records = append(records, &record.Subscription{Meta: record.Meta{ID: numbered("late", k)}, Customer: record.RefTo(numbered("late", k)), StartedAt: at(700, 0), State: record.SubscriptionActive})
	}
	commit(t, l, records...)
	var moments []int64
	start, end := c.Start(day), c.Start(day+1)
	for _, wall := range walls() {
		for _, shift := range []int64{0, -3600e6, 3600e6, 1800e6} {
			if us := at(0, wall).N + shift; us >= start && us < end {
				moments = append(moments, us)
			}
		}
	}
	return moments
}

// TestSweep follows the passing of a day on which clocks change, and of days whose
// bounds lie on such a day, minute by minute and just before, at and just after each
// moment at which something happens. Nothing is committed: the figures must be those
// that an engine computes that has just been started.
func TestSweep(t *testing.T) {
	for i, test := range []struct {
		zone, day string
		inactive  window.Span
		step      time.Duration
		lastTouch bool
	}{
		{"Europe/Berlin", "2024-03-31", window.Span{Days: 180}, time.Minute, false},
		{"Europe/Berlin", "2024-10-27", window.Span{Days: 180}, time.Minute, true},
		// 30 days, a month, inactive_after and a year after a change, where bounds jump.
		{"Europe/Berlin", "2024-04-30", window.Span{Days: 30}, 29 * time.Minute, false},
		{"Europe/Berlin", "2024-11-27", window.Span{Days: 31}, 29 * time.Minute, false},
		{"Europe/Berlin", "2025-03-31", window.Span{Days: 365}, 29 * time.Minute, false},
		// A span of hours: its bound passes midnight at noon.
		{"Europe/Berlin", "2024-03-31", window.Span{Elapsed: 36 * time.Hour}, 29 * time.Minute, false},
		// Clocks go back over midnight, to the day before, and skip midnight.
		{"America/St_Johns", "2010-11-07", window.Span{Days: 30}, 17 * time.Minute, false},
		{"America/St_Johns", "2010-12-07", window.Span{Days: 30}, 29 * time.Minute, false},
		{"America/Havana", "2024-11-03", window.Span{Days: 7}, 29 * time.Minute, false},
		{"America/Sao_Paulo", "2018-11-04", window.Span{Days: 1}, 29 * time.Minute, false},
	} {
		t.Run(test.zone+" "+test.day+" "+test.inactive.String(), func(t *testing.T) {
			t.Parallel()
			loc := zone(t, test.zone)
			l := newLedger(t, loc)
			at, err := time.Parse(time.DateOnly, test.day)
			if err != nil {
				t.Fatal(err)
			}
			day := window.DateDay(at.Date())
			o := options(test.inactive)
			o.LastTouch = test.lastTouch
			o.Costs, o.CostLag = test.step != time.Minute, i%3
			if test.step == time.Minute { // one of each sort will do
				o.Windows = []window.Name{window.Today, window.Days1, window.Days30, window.MTD, window.YTD}
			}
			sources := []string{"shop"}
			followed := New(l, o, sources)
			start, end := l.Calendar().Start(day), l.Calendar().Start(day+1)
			// Half of the engines hear of the records while the day is running.
			late := i%2 == 1
			if late {
				view(t, followed, start)
			}
			moments := boundaryWorld(t, l, day)
			for _, us := range slices.Clone(moments) {
				moments = append(moments, us-1, us+1)
			}
			step := test.step.Microseconds()
			if raceEnabled {
				step *= 60 // races do not depend on the minute
			}
			for us := start - step; us <= end; us += step {
				moments = append(moments, us)
			}
			slices.Sort(moments)
			moments = slices.Compact(moments)
			if late { // the day before would make it read everything again
				moments = slices.DeleteFunc(moments, func(us int64) bool { return us < start })
			}
			for _, us := range moments {
				got := view(t, followed, us)
				compareViews(t, show(loc, us), got, view(t, newEngine(l, o, sources), us))
			}
			// The clock is set back, and forth again.
			for i := len(moments) - 1; i >= 0; i -= 40 {
				compareViews(t, "back to "+show(loc, moments[i]), view(t, followed, moments[i]), view(t, newEngine(l, o, sources), moments[i]))
			}
		})
	}
}
