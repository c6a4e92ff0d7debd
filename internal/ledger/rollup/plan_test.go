package rollup

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// changes are moments around which clocks do odd things, by zone.
func changes() map[string][]string {
	return map[string][]string{
		"UTC":               {"2024-02-29T00:00:00Z", "2024-12-31T00:00:00Z"},
		"Europe/Berlin":     {"2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z", "2025-03-31T00:00:00Z"},
		"America/St_Johns":  {"2010-11-07T02:31:00Z", "2010-12-07T03:30:00Z", "2010-03-14T03:31:00Z"},
		"America/Havana":    {"2024-11-03T05:00:00Z", "2024-03-10T05:00:00Z"},
		"America/Sao_Paulo": {"2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z"},
		"Pacific/Apia":      {"2011-12-30T10:00:00Z"},
	}
}

func drawCalendar(t *rapid.T) (*window.Calendar, int64) {
	name := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "Pacific/Apia"}).Draw(t, "zone")
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	around, err := time.Parse(time.RFC3339, rapid.SampledFrom(changes()[name]).Draw(t, "change"))
	if err != nil {
		t.Fatal(err)
	}
	// Also where bounds of other days come to lie on the change.
	around = around.AddDate(0, 0, rapid.SampledFrom([]int{0, 0, 1, 30, 31, 90, 180, 365, 366}).Draw(t, "days after"))
	return window.New(loc), around.UnixMicro()
}

func drawSpan(t *rapid.T) window.Span {
	return rapid.SampledFrom([]window.Span{{Days: 1}, {Days: 30}, {Days: 180}, {Elapsed: time.Hour}, {Elapsed: 36 * time.Hour}}).Draw(t, "inactive after")
}

// A plan that follows another differs in nothing but where the moving bounds lie within
// their days, and nothing that one of them passes over goes unwatched.
func TestFollows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, around := drawCalendar(t)
		o := options(drawSpan(t))
		near := rapid.Int64Range(-26*3600e6, 26*3600e6)
		from := newPlan(c, o, around+near.Draw(t, "from"))
		to := newPlan(c, o, from.asOf+rapid.OneOf(near, rapid.Int64Range(-90*60e6, 90*60e6), rapid.Just(int64(1))).Draw(t, "passes"))
		if !to.follows(from) {
			return
		}
		if c.Day(from.asOf) != c.Day(to.asOf) {
			t.Fatalf("it follows from %s to %s", c.Day(from.asOf), c.Day(to.asOf))
		}
		for i := range to.windows {
			a, b := from.windows[i], to.windows[i]
			if a.Name != b.Name || a.Role != b.Role || a.Start != b.Start || a.Name.Days() > 0 && a.End != b.End || c.Day(a.End) != c.Day(b.End) {
				t.Fatalf("window %v has become %v", a, b)
			}
			if from.points[a.start.since] != to.points[b.start.since] {
				t.Fatalf("window %v asks for another beginning of activity", b)
			}
		}
		for i := range to.moments {
			a, b := &from.moments[i], &to.moments[i]
			if a.d90 != b.d90 || a.d365 != b.d365 || a.day != b.day || a.riskSince != b.riskSince {
				t.Fatalf("moment %+v has become %+v", *a, *b)
			}
			for k := range a.months {
				if from.points[a.months[k].at] != to.points[b.months[k].at] || from.points[a.months[k].since] != to.points[b.months[k].since] {
					t.Fatalf("month %d of moment %d has moved", k, i)
				}
			}
		}
		for i := range to.months {
			if from.points[from.months[i]] != to.points[to.months[i]] {
				t.Fatalf("the cohort of month %d begins elsewhere", i)
			}
		}
		for i := range to.moving {
			low, high := min(from.moving[i], to.moving[i]), max(from.moving[i], to.moving[i])
			if low == high {
				continue
			}
			for _, at := range []int64{low, high, low + (high-low)/2} {
				if !from.watched(at) {
					t.Fatalf("bound %d goes from %d to %d over %d, which is not watched", i, low, high, at)
				}
			}
		}
	})
}

// On a usual day every minute follows the one before, and midnight does not: following is
// what keeps the passing of time cheap.
func TestFollowsThroughTheDay(t *testing.T) {
	for _, test := range []struct {
		name, zone, day string
		inactive        window.Span
		breaks          []string // where reading everything again cannot be helped
	}{
		{"usual", "Europe/Berlin", "2024-07-10", window.Span{Days: 180}, nil},
		{"elapsed", "UTC", "2024-07-10", window.Span{Elapsed: 36 * time.Hour}, []string{"12:00"}},
		{"clocks go forward", "Europe/Berlin", "2024-03-31", window.Span{Days: 180}, nil},
		{"clocks go back", "Europe/Berlin", "2024-10-27", window.Span{Days: 180}, nil},
		{"clocks went back a month ago", "Europe/Berlin", "2024-11-27", window.Span{Days: 31}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc := zone(t, test.zone)
			c := window.New(loc)
			at, err := time.Parse(time.DateOnly, test.day)
			if err != nil {
				t.Fatal(err)
			}
			day := window.DateDay(at.Date())
			o := options(test.inactive)
			before := newPlan(c, o, c.Start(day))
			var breaks []string
			for us := before.asOf + 60e6; us < c.Start(day+1); us += 60e6 {
				next := newPlan(c, o, us)
				if !next.follows(before) {
					breaks = append(breaks, time.UnixMicro(us).In(loc).Format("15:04"))
				}
				before = next
			}
			if !slices.Equal(breaks, test.breaks) {
				t.Errorf("it does not follow at %v, want %v", breaks, test.breaks)
			}
			if newPlan(c, o, c.Start(day+1)).follows(before) {
				t.Error("it follows over midnight")
			}
		})
	}
}

// All points are in order, and each number means the moment that it was asked for.
func TestPointsAreNumbered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, asOf := drawCalendar(t)
		o := options(drawSpan(t))
		p := newPlan(c, o, asOf)
		if !slices.IsSorted(p.points) || len(slices.Compact(slices.Clone(p.points))) != len(p.points) {
			t.Fatalf("points are %v", p.points)
		}
		is := func(e edge, at int64) {
			if p.points[e.at] != at || p.points[e.since] != c.Back(at, o.InactiveAfter) {
				t.Fatalf("edge %+v is at %d since %d, want %d", e, p.points[e.at], p.points[e.since], at)
			}
		}
		for _, w := range p.windows {
			if !w.Role.OfDays() {
				is(w.start, w.Start)
				is(w.end, w.End)
			}
			if got := p.days[w.days]; got != daysOf(c, w.Range) {
				t.Fatalf("days of %s are %v, want %v", w.Name, got, daysOf(c, w.Range))
			}
		}
		for i := range p.moments {
			is(p.moments[i].at, p.moments[i].At)
			for k := range 6 { // ending with yesterday, latest last
				r := c.LastDays(30, p.moments[i].At, 30*(5-k))
				is(p.moments[i].months[k], r.Start)
				is(p.moments[i].months[k+1], r.End)
			}
		}
		if p.points[p.asOfAt] != asOf || p.points[p.d365.since] != c.LastDays(365, asOf, 0).Start || p.points[p.d365.at] != c.LastDays(365, asOf, 0).End {
			t.Fatal("as_of or the last 365 days lie elsewhere")
		}
		for i, month := range p.months {
			if want := c.Start(window.AddMonths(window.MonthStart(c.Day(asOf)), i-(cohorts-1))); p.points[month] != want {
				t.Fatalf("month %d begins at %d, want %d", i, p.points[month], want)
			}
		}
	})
}
