package oracle

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Step puts a record, not sealed, or deletes the one under its ID where its Meta says so.
type Step struct {
	Source string
	Record record.Record
}

// Seal returns a sealed copy of the step's record under the ID that the ledger keeps it by.
func (s Step) Seal(sealer *record.Sealer) Record {
	v := reflect.New(reflect.TypeOf(s.Record).Elem())
	v.Elem().Set(reflect.ValueOf(s.Record).Elem())
	r := v.Interface().(record.Record)
	r.Seal(sealer, s.Source)
	meta := r.RecordMeta()
	meta.ID = sealer.StoredID(s.Source, r.RecordKind(), meta.ID)
	return Record{s.Source, r}
}

// History is a company's records as they came in. Its Settings lack FreeMail, which
// depends on the sealer's key: Seal fills it in.
type History struct {
	Settings Settings
	FreeMail []string // domains
	AsOf     time.Time
	Steps    []Step
}

// Seal returns what the records are after all steps, and the settings to compute with.
func (h History) Seal(sealer *record.Sealer) ([]Record, Settings) {
	s := h.Settings
	s.FreeMail = map[record.Hash]bool{}
	for _, domain := range h.FreeMail {
		s.FreeMail[sealer.DomainHash(domain)] = true
	}
	type key struct {
		source string
		kind   record.Kind
		id     string
	}
	place := map[key]int{}
	var present []Record
	for _, step := range h.Steps {
		r := step.Seal(sealer)
		k := key{r.Source, r.Record.RecordKind(), r.Record.RecordMeta().ID}
		if i, ok := place[k]; ok {
			present[i] = r
			continue
		}
		place[k] = len(present)
		present = append(present, r)
	}
	var records []Record
	for _, r := range present {
		if !r.Record.RecordMeta().Deleted {
			records = append(records, r)
		}
	}
	return records, s
}

// The sources of generated histories.
const (
	shop      = "shop"
	wholesale = "wholesale"
	crm       = "crm"
	bank      = "bank"
	ecb       = "ecb"
	budget    = "budget"
	ads       = "ads"
	website   = "website"
	blog      = "blog"
)

// generator draws histories.
type generator struct {
	t          *rapid.T
	calendar   *calendar
	history    History
	asOf       int64
	moments    []int64 // where off-by-one errors show
	currencies []string
	ids        map[string][]string // by source and kind
	created    map[string]int64    // of the leads, by ID
	renewals   []record.Instant    // at which several subscriptions change
}

// Generate draws a history whose dates crowd around its AsOf and around the bounds of
// the windows there. Records are put, changed and deleted; customers share a few keys.
func Generate(t *rapid.T) History {
	g := &generator{t: t, ids: map[string][]string{}, created: map[string]int64{}}
	g.settings()
	g.moment()
	g.rates()
	g.anchors()
	g.regulars()
	g.crowd()
	g.contracts()
	for range pick(g, "steps", 10, 60, 120, 180) - rapid.IntRange(0, 10).Draw(t, "fewer steps") {
		g.step()
	}
	return g.history
}

func pick[T any](g *generator, label string, choices ...T) T {
	return rapid.SampledFrom(choices).Draw(g.t, label)
}

// chance is true in about one of n draws, and false when shrunk.
func (g *generator) chance(label string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(g.t, label) == n-1
}

func (g *generator) settings() {
	name := pick(g, "zone", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo")
	zone, err := time.LoadLocation(name)
	if err != nil {
		g.t.Fatalf("load zone: %v", err)
	}
	g.calendar = newCalendar(zone)
	all := []string{"today", "1d", "7d", "30d", "90d", "365d", "mtd", "qtd", "ytd"}
	s := Settings{
		Zone:           zone,
		Currency:       pick(g, "currency", "EUR", "EUR", "USD"),
		Windows:        pick(g, "windows", all, all, []string{"7d", "90d", "mtd"}, []string{"today", "1d"}),
		Basis:          pick(g, "basis", BasisOrders, BasisOrders, BasisDeals, BasisBoth),
		CountPaid:      g.chance("paid", 4),
		InactiveDays:   pick(g, "inactive days", 180, 90, 30, 0),
		InactiveFor:    pick(g, "inactive for", 180*24*time.Hour, 1000*time.Hour),
		ChurnRemaining: g.chance("remaining", 3), LastTouch: g.chance("last touch", 3),
		LifetimeMinimum: pick(g, "minimum", 30, 3, 1),
		LabelMax:        pick(g, "labels", 50, 3, 2, 1),
	}
	if g.chance("rules", 2) {
		s.Channels = record.ChannelRules{
			{Campaign: regexp.MustCompile("^spring"), Class: record.Class{Channel: "event", Program: "launch"}},
			{Campaign: regexp.MustCompile("(?i)brand"), Class: record.Class{Campaign: "Brand 24"}},
			{Source: regexp.MustCompile("^news"), Class: record.Class{Program: "retention"}},
		}
		s.Territories = map[string]string{"DE": "dach", "AT": "dach", "NZ": "other"}
	}
	shopKinds := []record.Kind{record.KindOrder, record.KindRefund, record.KindCustomer, record.KindSubscription}
	if !g.chance("no checkouts", 4) {
		shopKinds = append(shopKinds, record.KindCheckout, record.KindQuote)
	}
	s.Sources = []Source{
		{Name: shop, Kinds: shopKinds, Read: !g.chance("shop unread", 8)},
		{Name: crm, Kinds: []record.Kind{record.KindCustomer, record.KindAccount, record.KindLead, record.KindDeal, record.KindSubscription, record.KindQuote}, Read: !g.chance("crm unread", 8)},
		{Name: bank, Kinds: []record.Kind{record.KindRate}, Read: true},
		{Name: website, Kinds: webKinds(), Read: true},
		{Name: ecb, Kinds: []record.Kind{record.KindRate}, Read: true},
	}
	if g.chance("wholesale", 2) {
		kinds := []record.Kind{record.KindOrder, record.KindRefund, record.KindCustomer, record.KindCheckout}
		s.Sources = append([]Source{{Name: wholesale, Kinds: kinds, Read: true}}, s.Sources...)
	}
	if !g.chance("no activities", 4) {
		s.Sources[1].Kinds = append(s.Sources[1].Kinds, record.KindActivity)
	}
	if !g.chance("no costs", 4) {
		s.Sources = append(s.Sources, Source{Name: budget, Kinds: []record.Kind{record.KindCost}, Read: true})
	}
	if !g.chance("no ads", 4) {
		s.Sources = append(s.Sources, Source{Name: ads, Kinds: []record.Kind{record.KindSpend, record.KindAdQuality}, Read: true})
	}
	if g.chance("blog", 4) {
		s.Sources = append(s.Sources, Source{Name: blog, Kinds: webKinds(), Read: true})
	}
	s.MarketingChannels = pick(g, "marketing channels", nil, nil, []string{"event", "unknown"})
	s.CACLagDays = pick(g, "lag", 0, 0, 1, 45)
	s.FunnelSite = pick(g, "funnel site", "", website)
	s.Past = g.chance("past", 3)
	s.Tiers = pick(g, "tiers", nil, []record.Amount{record.Micros(50_000_000), record.Micros(150_500_000), record.Micros(900_000_000)})
	g.history.Settings, g.history.FreeMail = s, []string{"gmail.com"}
}

// moment draws AsOf and collects the moments around which dates crowd.
func (g *generator) moment() {
	days := []record.Day{date(2018, 11, 5), date(2024, 2, 29), date(2023, 3, 31), date(2022, 1, 1), date(2019, 2, 17), date(2021, 10, 31)}
	d := pick(g, "special day", days...)
	if g.chance("any day", 2) {
		d = date(2016, 1, 1) + record.Day(rapid.IntRange(0, 3652).Draw(g.t, "day"))
	}
	clock := pick(g, "clock", 12*hour, 0, 1, day-1, 2*hour+hour/2, hour/2)
	if g.chance("any clock", 2) {
		clock = rapid.Int64Range(0, day-1).Draw(g.t, "time of day")
	}
	g.asOf = g.calendar.at(d, clock)
	if t := time.UnixMicro(g.asOf).In(g.calendar.zone); g.chance("at a clock change", 10) {
		if change, _ := t.ZoneBounds(); !change.IsZero() {
			g.asOf = change.UnixMicro()
		}
	}
	g.history.AsOf = time.UnixMicro(g.asOf).In(g.calendar.zone)

	bounds := []int64{g.asOf}
	for _, w := range g.history.Settings.Windows {
		for _, s := range []span{g.calendar.window(w, g.asOf), g.calendar.previous(w, g.asOf), g.calendar.yearAgo(w, g.asOf)} {
			bounds = append(bounds, s.start, s.end)
		}
	}
	inactive := &world{Settings: g.history.Settings, calendar: g.calendar}
	for _, t := range bounds {
		g.moments = append(g.moments, t, inactive.inactiveBefore(t))
	}
	for k := range record.Day(6) {
		g.moments = append(g.moments, g.calendar.firstInstant(d-30*k))
	}
	for t := time.UnixMicro(g.asOf).In(g.calendar.zone); len(g.moments) < 500; {
		change, _ := t.ZoneBounds()
		if change.IsZero() || g.asOf-change.UnixMicro() > 900*day {
			break
		}
		g.moments = append(g.moments, change.UnixMicro(), g.calendar.firstInstant(g.calendar.dayOf(change.UnixMicro())))
		t = change.Add(-time.Microsecond)
	}
}

// instant draws a date.
func (g *generator) instant(label string) record.Instant {
	var t int64
	switch n := rapid.IntRange(0, 9).Draw(g.t, label); {
	case n < 5:
		t = g.asOf - rapid.Int64Range(0, 899).Draw(g.t, "days before")*day - pick(g, "within the day", 0, hour, 7*hour+13*second+1)
	case n < 9:
		t = pick(g, "moment", g.moments...) + pick(g, "beside", int64(0), -1, 1, -hour, hour)
	default:
		t = g.asOf + rapid.Int64Range(0, 40).Draw(g.t, "days after")*day
	}
	if g.chance("date form", 8) {
		return record.OnDate(g.calendar.dayOf(t))
	}
	return record.Instant{N: t, Form: record.FormMoment}
}

// maybe is instant or, in one of n draws, null.
func (g *generator) maybe(label string, n int) record.Instant {
	if g.chance("no "+label, n) {
		return record.Instant{}
	}
	return g.instant(label)
}

// put adds a step with a record under id.
func (g *generator) put(source string, id string, r record.Record) {
	*r.RecordMeta() = record.Meta{ID: id}
	key := source + "/" + string(r.RecordKind())
	g.ids[key] = append(g.ids[key], id)
	g.history.Steps = append(g.history.Steps, Step{source, r})
}

// remove deletes a record that was put.
func (g *generator) remove(source string, kind record.Kind) {
	ids := g.ids[source+"/"+string(kind)]
	if len(ids) == 0 {
		return
	}
	r := record.New(kind)
	*r.RecordMeta() = record.Meta{ID: pick(g, "deleted", ids...), Deleted: true}
	g.history.Steps = append(g.history.Steps, Step{source, r})
}

// step draws one change.
func (g *generator) step() {
	sources := g.history.Settings.Sources
	source := pick(g, "source", sources[0].Name, shop, shop, crm, crm, budget, ads, website)
	kinds := map[string][]record.Kind{
		shop: {
			record.KindOrder, record.KindOrder, record.KindOrder, record.KindOrder, record.KindRefund, record.KindRefund,
			record.KindCustomer, record.KindSubscription, record.KindCheckout, record.KindQuote,
		},
		wholesale: {record.KindOrder, record.KindOrder, record.KindRefund, record.KindCustomer, record.KindCheckout},
		crm: {
			record.KindDeal, record.KindDeal, record.KindLead, record.KindLead, record.KindAccount, record.KindCustomer,
			record.KindSubscription, record.KindQuote, record.KindActivity, record.KindActivity,
		},
		budget:  {record.KindCost},
		ads:     {record.KindSpend, record.KindSpend, record.KindAdQuality},
		website: append(webKinds(), record.KindTraffic, record.KindTraffic),
	}
	kinds[blog] = kinds[website]
	if source == website {
		source = pick(g, "site", website, blog)
	}
	kind := pick(g, "kind", kinds[source]...)
	if !slices.ContainsFunc(sources, func(s Source) bool { return s.Name == source && s.delivers(kind) }) {
		return
	}
	if g.chance("delete", 8) {
		g.remove(source, kind)
		return
	}
	switch kind {
	case record.KindLead:
		g.lead(fmt.Sprintf("l%d", rapid.IntRange(1, idsOf(kind)).Draw(g.t, "id")))
	case record.KindUsers:
		g.users(source)
	case record.KindBacklink:
		g.backlinks(source)
	default:
		g.put(source, fmt.Sprintf("%c%d", kind[0], rapid.IntRange(1, idsOf(kind)).Draw(g.t, "id")), g.draw(source, kind))
	}
	if g.chance("rate", 12) {
		g.rate(pick(g, "rate source", bank, ecb))
	}
}

// idsOf returns how many IDs the records of a kind share: the fewer, the more edits.
func idsOf(kind record.Kind) int {
	switch kind {
	case record.KindOrder:
		return 30
	case record.KindCustomer, record.KindAccount:
		return 6
	case record.KindLead:
		return 9
	case record.KindSpend, record.KindTraffic:
		return 20
	}
	return 12
}
