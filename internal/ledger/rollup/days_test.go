package rollup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func windowOf(t *testing.T, v *View, name window.Name, role Role) *WindowView {
	t.Helper()
	for i := range v.Windows {
		if v.Windows[i].Name == name && v.Windows[i].Role == role {
			return &v.Windows[i]
		}
	}
	t.Fatalf("there is no window %s of role %d", name, role)
	return nil
}

// The days of a window are those whose first instant lies in it, the running day among
// them; compared are complete days, and costs lie a lag before.
func TestDaysOfWindows(t *testing.T) {
	for _, test := range []struct {
		name, zone, asOf string
		window           window.Name
		role             Role
		lag              int
		want             string // first day up to the last one
	}{
		{"noon", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.Today, Current, 0, "2024-05-10 2024-05-10"},
		{"its first instant", "Europe/Berlin", "2024-05-10T00:00:00+02:00", window.Today, Current, 0, "none"},
		{"just after it", "Europe/Berlin", "2024-05-10T00:00:00.000001+02:00", window.Today, Current, 0, "2024-05-10 2024-05-10"},
		{"yesterday", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.Days1, Current, 0, "2024-05-09 2024-05-09"},
		{"a week", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.Days7, Current, 0, "2024-05-03 2024-05-09"},
		{"the week before", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.Days7, Previous, 0, "2024-04-26 2024-05-02"},
		{"a week with a lag", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.Days7, Current, 10, "2024-04-23 2024-04-29"},
		{"the month so far", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.MTD, Current, 0, "2024-05-01 2024-05-10"},
		{"its complete days", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.MTD, CurrentDays, 0, "2024-05-01 2024-05-09"},
		{"those of the month before", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.MTD, PreviousDays, 0, "2024-04-01 2024-04-09"},
		{"those of a longer month before a shorter", "Europe/Berlin", "2024-03-31T12:00:00+02:00", window.MTD, PreviousDays, 0, "2024-02-01 2024-02-28"},
		{"those of a year ago", "Europe/Berlin", "2024-02-29T12:00:00+01:00", window.MTD, YearAgoDays, 0, "2023-02-01 2023-02-27"},
		{"no complete day", "Europe/Berlin", "2024-05-10T12:00:00+02:00", window.Today, CurrentDays, 0, "none"},
		{"a day without midnight", "America/Sao_Paulo", "2018-11-05T12:00:00-02:00", window.Days1, Current, 0, "2018-11-04 2018-11-04"},
		{"a day that there was not", "Pacific/Apia", "2011-12-31T12:00:00+14:00", window.Days7, Current, 0, "2011-12-24 2011-12-30"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asOf, err := time.Parse(time.RFC3339Nano, test.asOf)
			if err != nil {
				t.Fatal(err)
			}
			o := options(window.Span{Days: 180})
			o.CostLag = test.lag
			p := newPlan(window.New(zone(t, test.zone)), o, asOf.UnixMicro())
			for _, w := range p.windows {
				if w.Name != test.window || w.Role != test.role {
					continue
				}
				got := "none"
				if d := p.days[w.lagged]; d.first < d.end {
					got = record.Day(d.first).String() + " " + record.Day(d.end-1).String()
				}
				if got != test.want {
					t.Errorf("costs are of the days %s, want %s", got, test.want)
				}
				own, lagged := p.days[w.days], p.days[w.lagged]
				if lag := window.Day(test.lag); own.first-lag != lagged.first || own.end-lag != lagged.end {
					t.Errorf("the window's own days are %v, %d days after %v", own, test.lag, lagged)
				}
			}
		})
	}
}

// What is compared with by day is held against the lifetime value as it stood then: the
// one that an evaluation at that moment finds.
func TestValueAtTheEndOfWindows(t *testing.T) {
	l := newLedger(t, zone(t, "Europe/Berlin"))
	o := options(window.Span{Days: 60})
	o.Costs = true
	e := New(l, o, []string{"shop"})
	var records []record.Record
	for i := range 90 {
		order := shopOrder(numbered("o", i), numbered("c", i%11), i*i, int64(10+i), "EUR")
		if i%3 != 0 {
			order.Cost = units(int64(i))
		}
		records = append(records, order)
	}
	commit(t, l, records...)
	v := view(t, e, noon())
	compared, defined := 0, 0
	for _, w := range v.Windows {
		if w.Role == Current || w.Name.Days() == 0 && !w.Role.OfDays() {
			if w.ValueSince != 0 {
				t.Errorf("%s of role %d has a lifetime value, which nothing asks for", w.Name, w.Role)
			}
			continue
		}
		then := view(t, newEngine(l, o, e.order), w.AsOf)
		now := then.Moments[Now]
		if diff := cmp.Diff(now.Value.Quarter.Value.FloatString(6), w.Value.Quarter.Value.FloatString(6)); diff != "" {
			t.Errorf("%s of role %d: what the active brought in 90 days (-evaluated then +now):\n%s", w.Name, w.Role, diff)
		}
		got := [4]int64{w.Value.Active, w.Value.AtStart, w.Value.Lost, w.ValueSince}
		want := [4]int64{now.Value.Active, now.Value.AtStart, now.Value.Lost, now.Since}
		if got != want {
			t.Errorf("%s of role %d: active, at start, lost and since are %v, want %v", w.Name, w.Role, got, want)
		}
		compared++
		if w.Value.Lost > 0 {
			defined++
		}
	}
	if compared == 0 || defined == 0 {
		t.Errorf("%d windows were compared, %d with a loss: this tests nothing", compared, defined)
	}
}

func day(d int) record.Day { return record.DateDay(2024, 7, d) }

// marketer is a ledger with an engine that follows it.
type marketer struct {
	*testing.T
	e *Engine
}

func newMarketer(t *testing.T) *marketer {
	t.Helper()
	o := options(window.Span{Days: 180})
	o.Costs = true
	return &marketer{t, New(newLedger(t, time.UTC), o, []string{"shop"})}
}

// after commits records and returns the figures, which are those of an engine that has
// just been started.
func (m *marketer) after(when string, records ...record.Record) *View {
	m.Helper()
	commit(m.T, m.e.l, records...)
	v := view(m.T, m.e, noon())
	compareViews(m.T, when, v, afresh(m.T, m.e.l, m.e, noon()))
	return v
}

func gone(r record.Record, id string) record.Record {
	*r.RecordMeta() = record.Meta{ID: id, Deleted: true}
	return r
}

// Rows that are restated, moved to another day or deleted take nothing with them.
func TestRestatedRows(t *testing.T) {
	m := newMarketer(t)
	spend := func(id string, d int, clicks int64, cost record.Amount) *record.Spend {
		return &record.Spend{
			Meta: record.Meta{ID: id}, Day: day(d), Platform: "google", Currency: "EUR", Cost: cost, Clicks: units(clicks), Touch: record.Touch{Channel: "display"},
		}
	}
	of := func(v *View, name window.Name) string {
		t.Helper()
		w := windowOf(t, v, name, Current)
		a, ok := w.Ads[AdKey{Platform: "google", Channel: "display"}]
		switch {
		case !ok:
			return "nothing"
		case a.Cost.Value == nil:
			return a.Clicks.Value.RatString() + " clicks"
		case w.Costs.Bought["display"]:
			return a.Clicks.Value.RatString() + " clicks for " + a.Cost.Value.RatString()
		}
		return a.Clicks.Value.RatString() + " free clicks"
	}
	for _, step := range []struct {
		name       string
		rec        record.Record
		day1, days string
	}{
		{"first", spend("1", 9, 10, units(100)), "10 clicks for 100", "10 clicks for 100"},
		{"restated down", spend("1", 9, 8, units(70)), "8 clicks for 70", "8 clicks for 70"},
		{"another", spend("2", 9, 1, units(5)), "9 clicks for 75", "9 clicks for 75"},
		{"moved", spend("2", 8, 1, units(5)), "8 clicks for 70", "9 clicks for 75"},
		{"to nothing", spend("1", 9, 0, units(0)), "0 free clicks", "1 clicks for 5"},
		{"not known", spend("1", 9, 2, record.Amount{}), "2 clicks", "3 clicks for 5"},
		{"gone", gone(&record.Spend{}, "1"), "nothing", "1 clicks for 5"},
		{"all gone", gone(&record.Spend{}, "2"), "nothing", "nothing"},
		{"back", spend("1", 9, 10, units(1)), "10 clicks for 1", "10 clicks for 1"},
	} {
		v := m.after(step.name, step.rec)
		if got := of(v, window.Days1); got != step.day1 {
			t.Errorf("%s: yesterday %s, want %s", step.name, got, step.day1)
		}
		if got := of(v, window.Days7); got != step.days {
			t.Errorf("%s: 7 days %s, want %s", step.name, got, step.days)
		}
		if _, held := v.Held.Platforms["google"]; held != (step.days != "nothing") {
			t.Errorf("%s: there are rows of %v", step.name, v.Held.Platforms)
		}
	}
}

// Visitors of the same days replace each other; those of other days are others.
func TestReplacedUsers(t *testing.T) {
	m := newMarketer(t)
	users := func(id string, first, end int, n record.Amount) *record.Users {
		return &record.Users{Meta: record.Meta{ID: id}, Site: "shop", Kind: record.UsersTotal, Start: day(first), End: day(end), Users: n}
	}
	for _, step := range []struct {
		name string
		rec  record.Record
		want string
	}{
		{"first", users("1", 3, 10, units(40)), "40"},
		{"fewer", users("1", 3, 10, units(30)), "30"},
		{"of other days", users("2", 4, 10, units(900)), "30"},
		{"nobody counted", users("1", 3, 10, record.Amount{}), "none"},
		{"nobody came", users("1", 3, 10, units(0)), "0"},
		{"now of other days", users("1", 2, 9, units(5)), "none"},
		{"and back", users("1", 3, 10, units(6)), "6"},
		{"gone", gone(&record.Users{}, "1"), "none"},
	} {
		v := m.after(step.name, step.rec)
		got := "none"
		if n := windowOf(t, v, window.Days7, Current).Users[UsersKey{Site: "shop", Kind: record.UsersTotal}]; n != nil {
			got = n.RatString()
		}
		if got != step.want {
			t.Errorf("%s: %s visitors, want %s", step.name, got, step.want)
		}
	}
}

// Sums of costs are kept from one evaluation to the next, until a cost or a rate changes.
func TestCostsAreKept(t *testing.T) {
	m := newMarketer(t)
	cost := func(id, currency string, amount int64) *record.Cost {
		return &record.Cost{
			Meta: record.Meta{ID: id}, Category: record.CostMarketing, Period: record.PeriodMonth, From: day(1), To: record.NoDay,
			Currency: currency, Amount: units(amount), Channel: "event",
		}
	}
	class := record.Class{Channel: "event"}
	yesterday := func(v *View) string {
		t.Helper()
		c, ok := windowOf(t, v, window.Days1, Current).Costs.Marketing[class]
		switch {
		case !ok:
			return "none"
		case c.NoRate:
			return "no rate"
		}
		return c.Value.RatString()
	}
	rate := &record.Rate{
		Meta: record.Meta{ID: "r"}, Day: day(1), Currency: "USD", Reference: "EUR", PerReference: record.Decimal{Coefficient: 2, Known: true},
	}
	for _, step := range []struct {
		name string
		rec  record.Record
		want string
	}{
		{"first", cost("1", "EUR", 31), "1"},
		{"more", cost("1", "EUR", 62), "2"},
		{"in a currency without a rate", cost("2", "USD", 62), "no rate"},
		{"with a rate", rate, "3"},
		{"the first gone", gone(&record.Cost{}, "1"), "1"},
		{"the rate gone", gone(&record.Rate{}, "r"), "no rate"},
		{"all gone", gone(&record.Cost{}, "2"), "none"},
	} {
		v := m.after(step.name, step.rec)
		if got := yesterday(v); got != step.want {
			t.Errorf("%s: yesterday cost %s, want %s", step.name, got, step.want)
		}
		marketing, sales := v.CostSources[record.CostMarketing], v.CostSources[record.CostSales]
		if (len(marketing) > 0) != (step.want != "none") || len(sales) > 0 {
			t.Errorf("%s: sources of costs of marketing are %v, of sales %v", step.name, marketing, sales)
		}
	}
	kept := m.after("again", cost("1", "EUR", 31))
	sums := len(m.e.costs.cached)
	if again := view(t, m.e, noon()+60e6); yesterday(again) != yesterday(kept) || len(m.e.costs.cached) != sums || sums == 0 {
		t.Errorf("a minute later %d spans of days are kept, were %d", len(m.e.costs.cached), sums)
	}
	// What was handed out does not change with what comes after.
	m.after("doubled", cost("1", "EUR", 62))
	if got := yesterday(kept); got != "1" {
		t.Errorf("a view that was handed out has become %s", got)
	}
}
