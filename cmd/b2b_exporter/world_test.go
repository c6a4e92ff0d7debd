package main

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	ga4fake "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	googleadsfake "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

const (
	adsHost  = "ads.example"
	siteHost = "site.example"
)

const worldConfig = `timezone: Europe/Berlin
currency: EUR
ledger: {path: b2b.db}
costs:
  - {name: salaries, category: sales, amount: 9000, period: month, from: 2026-01-01}
sources:
  - name: google
    type: google_ads
    url: http://` + adsHost + `
    token_url: http://` + adsHost + `/token
    customer_id: "1234567890"
    client_id: any
    client_secret: any
    refresh_token: any
  - name: site
    type: ga4
    url: http://` + siteHost + `
    token_url: http://` + siteHost + `/token
    property: "1"
    client_id: any
    client_secret: any
    refresh_token: any
  - name: shop
    type: csv
    interval: 24h
    files:
      - {path: orders.csv, record: order}
      - {path: leads.csv, record: lead}
`

// world is a company's ads and visits while time passes. What was known of the past changes,
// as it does at the vendors.
type world struct {
	random *rand.Rand
	// polled is the first day of polls. Days are planned from first to last; nothing changes from
	// stop on.
	polled, first, last record.Day
	stop                time.Time
	events              []event // those that have not happened, by time
	ads                 *adAccount
	site                *webSite
	pacific             *time.Location
}

type event struct {
	at time.Time
	do func()
}

// history is how many days there were before the first poll.
const history = 60

// newWorld returns a world whose polls begin now and which stops after some days.
func newWorld(t *testing.T, seed uint64, days int) *world {
	t.Helper()
	w := &world{random: rand.New(rand.NewPCG(seed, 0))}
	berlin, newYork := zone(t, "Europe/Berlin"), zone(t, "America/New_York")
	w.pacific = zone(t, "America/Los_Angeles")
	w.stop = time.Now().AddDate(0, 0, days)
	w.polled, w.last = record.DayOf(time.Now().In(berlin)), record.DayOf(w.stop.In(berlin))
	w.first = w.polled - history
	w.ads = &adAccount{world: w, zone: newYork, server: googleadsfake.New(time.Now, googleadsfake.Account{
		ID: "1234567890", Name: "Company", Currency: "EUR", Zone: newYork,
	})}
	w.ads.server.Daily = explorer
	w.site = &webSite{world: w, zone: berlin, server: ga4fake.New(time.Now), shown: map[record.Day]ga4fake.Figures{}}
	w.ads.plan()
	w.site.plan()
	slices.SortStableFunc(w.events, func(a, b event) int { return a.at.Compare(b.at) })
	w.advance()
	return w
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func startOf(day record.Day, zone *time.Location) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

func (w *world) days() record.Day { return w.last - w.polled }

// within returns a moment of the time that follows another.
func (w *world) within(from time.Time, length time.Duration) time.Time {
	return from.Add(time.Duration(w.random.Float64() * float64(length)))
}

// at plans an event.
func (w *world) at(t time.Time, do func()) {
	if t.Before(w.stop) {
		w.events = append(w.events, event{t, do})
	}
}

// advance lets happen what is due.
func (w *world) advance() {
	for len(w.events) > 0 && !w.events[0].at.After(time.Now()) {
		w.events[0].do()
		w.events = w.events[1:]
	}
}

// reader reads a world into a ledger of its own.
type reader struct {
	dir    string
	app    *app
	ledger *ledger.Ledger
	poller *poll.Poller
	calls  *calls
	counts ledger.Counts
}

// Committed implements poll.Observer.
func (r *reader) Committed(c poll.Commit) { r.counts.Merge(c.Counts) }

// Ended implements poll.Observer.
func (r *reader) Ended(poll.End) {}

// newReader opens a new ledger and the sources, with their default options and intervals.
func newReader(t *testing.T, w *world, files map[string]string) *reader {
	t.Helper()
	r := &reader{dir: t.TempDir(), calls: newCalls(w), counts: ledger.Counts{}}
	write(t, r.dir, "b2b.yml", worldConfig)
	for name, text := range files {
		write(t, r.dir, name, text)
	}
	c := &command{configFile: filepath.Join(r.dir, "b2b.yml")}
	cfg, err := c.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	if r.app, err = newApp(cfg, all.Deps{Metrics: all.NewMetrics(), Transport: r.calls}); err != nil {
		t.Fatal(err)
	}
	if r.ledger, err = r.app.openLedger(t.Context(), false, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.ledger.Close(); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
	})
	r.poller = &poll.Poller{
		Ledger: r.ledger, Log: slog.New(slog.DiscardHandler), Observer: r, Now: time.Now,
		Windows: cfg.Windows, History: cfg.History,
	}
	return r
}

// poll polls a source once.
func (r *reader) poll(t *testing.T, j job) {
	t.Helper()
	began := time.Now()
	if err := r.poller.Once(t.Context(), j.source); err != nil {
		t.Fatalf("%s: %v", began, err)
	}
	if took := time.Since(began); took > 0 {
		t.Errorf("%s: the source %s waited for %s", began, j.source.Name(), took)
	}
}

// pollUntil polls every source while the world goes on, at times that are its interval apart, a
// tenth more or less, or stretch times as much.
func (r *reader) pollUntil(t *testing.T, end time.Time, stretch float64) {
	t.Helper()
	due := make([]time.Time, len(r.app.jobs))
	for i := range due {
		due[i] = time.Now()
	}
	for {
		next := slices.MinFunc(due, time.Time.Compare)
		if next.After(end) {
			break
		}
		time.Sleep(time.Until(next))
		r.calls.world.advance()
		i := slices.Index(due, next)
		j := r.app.jobs[i]
		r.poll(t, j)
		due[i] = next.Add(time.Duration(float64(j.interval) * stretch * (0.9 + 0.2*r.calls.world.random.Float64())))
	}
	time.Sleep(time.Until(end))
	r.calls.world.advance()
}

// once polls every source once.
func (r *reader) once(t *testing.T) {
	t.Helper()
	for _, j := range r.app.jobs {
		r.poll(t, j)
	}
}

// kpis returns what the command prints for a moment.
func (r *reader) kpis(t *testing.T, asOf time.Time, args ...string) string {
	t.Helper()
	args = append([]string{"kpis", "--output=prometheus", "--as-of=" + asOf.Format(time.RFC3339)}, args...)
	return runAt(t, time.Now, r.dir, args...).ok(t).out
}

// explorer is how many operations a day Google Ads allows a project that has not asked for more.
const explorer = 2880

// TestWorld polls ads and visits whose past changes, as late as the vendors say that it does. In
// the end the figures are exactly those of a ledger that reads what there is then, once.
func TestWorld(t *testing.T) {
	t.Parallel()
	// Polls are rarer at first, which is harder on what is read and quicker. The last days have the
	// default intervals, which is when calls are counted.
	days, rare, counted := 90, 6.0, 10
	if raceEnabled {
		days, rare, counted = 40, 12, 1
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, time.February, 20, 9, 0, 0, 0, time.UTC))) // clocks change in March
		w := newWorld(t, 1, days)
		files := w.shop()
		polled := newReader(t, w, files)
		polled.pollUntil(t, w.stop.AddDate(0, 0, -counted), rare)
		polled.calls.reset()
		polled.pollUntil(t, w.stop, 1)
		t.Logf("the last %d days:\n%s", counted, polled.calls.perDay(counted))
		asked := time.Now()
		polled.pollUntil(t, w.stop.Add(25*time.Hour), 1) // once more over the whole look-back
		polled.once(t)
		polled.checkCalls(t)

		fresh := newReader(t, w, files)
		fresh.once(t)
		t.Logf("a fresh ledger reads all of it:\n%s", fresh.calls.perDay(1))
		got, want := polled.kpis(t, time.Now()), fresh.kpis(t, time.Now())
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("after %d days of polls the figures are not those of a fresh ledger (-fresh +polled):\n%s", days, diff)
		}
		if m := missing(want, []string{
			"b2b_ad_cost", "b2b_ad_conversions", "b2b_ad_quality_score", "b2b_web_sessions", "b2b_web_conversions", "b2b_web_users",
			"b2b_web_referring_domains", "b2b_marketing_cost", "b2b_customer_acquisition_cost", "b2b_marketing_roi_ratio", "b2b_cost_per_lead",
			"b2b_funnel_conversion_ratio", "b2b_visitor_to_customer_ratio",
		}); len(m) > 0 {
			t.Errorf("there are no figures %v", m)
		}
		polled.users(t, asked, true)
		fresh.users(t, asked, false)
		polled.users(t, time.Now().AddDate(0, 0, 3), false)
	})
}

// checkCalls checks that the vendors' limits were kept, and that much was read that had changed.
func (r *reader) checkCalls(t *testing.T) {
	t.Helper()
	for _, text := range r.calls.refused {
		t.Errorf("refused: %s", text)
	}
	operations, daily, hourly := most(r.calls.operations), most(r.calls.daily), most(r.calls.hourly)
	t.Logf("at most %d operations a day, %d tokens a day and %d an hour", operations, daily, hourly)
	for what, n := range map[string][2]int{
		"operations a day": {operations, explorer}, "tokens a day": {daily, r.calls.world.site.server.TokensPerDay},
		"tokens an hour": {hourly, r.calls.world.site.server.TokensPerProjectPerHour},
	} {
		if n[0] == 0 || n[0] >= n[1] {
			t.Errorf("%d %s, of %d", n[0], what, n[1])
		}
	}
	for _, kind := range []record.Kind{record.KindSpend, record.KindAdQuality, record.KindTraffic, record.KindReferrer} {
		if n := r.counts[kind]; n[ledger.Updated] == 0 || n[ledger.Deleted] == 0 {
			t.Errorf("%s: %v: the world has not changed much", kind, n)
		}
	}
}

// users checks whether the unique users of a week are known at a moment.
func (r *reader) users(t *testing.T, asOf time.Time, known bool) {
	t.Helper()
	out := r.kpis(t, asOf, "--match=b2b_web_users.*")
	if got := strings.Contains(out, `b2b_web_users{site="site",window="7d"}`); got != known {
		t.Errorf("users of the week before %s: known %v, want %v:\n%s", asOf, got, known, out)
	}
}

// origins are where leads and customers come from, as columns of a file.
func origins() []string {
	return []string{"google,cpc,Brand", "google,cpc,Catalogue", "google,cpc,Fair", "google,organic,", "letter,email,Spring", ",,"}
}

// shop returns the files of orders and leads, which do not change.
func (w *world) shop() map[string]string {
	var orders, leads strings.Builder
	fmt.Fprintln(&orders, "id,customer,placed_at,currency,gross,cost,source,medium,campaign")
	fmt.Fprintln(&leads, "id,external_ids,created_at,first_response_at,mql_at,customer_at,source,medium,campaign")
	start := startOf(w.first, w.site.zone)
	for n := range 300 {
		customer, gross := w.random.IntN(120), 100+w.random.IntN(900)
		origin := origins()[customer%len(origins())]
		at := w.within(start, w.stop.Sub(start)).Truncate(time.Second)
		fmt.Fprintf(&orders, "%d,c%d,%s,EUR,%d,%d,%s\n", n, customer, at.Format(time.RFC3339), gross, gross*6/10, origin)
		created := at.Add(-w.within(at, 200*time.Hour).Sub(at)).Truncate(time.Second)
		won := ""
		if n%3 == 0 {
			won = at.Format(time.RFC3339)
		}
		fmt.Fprintf(&leads, "%d,c%d,%s,%s,%s,%s,%s\n", n, n, created.Format(time.RFC3339),
			created.Add(time.Hour).Format(time.RFC3339), created.Add(5*time.Hour).Format(time.RFC3339), won, origin)
	}
	return map[string]string{"orders.csv": orders.String(), "leads.csv": leads.String()}
}
