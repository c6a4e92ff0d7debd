package oracle

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

const unknown = "unknown"

// days is the half-open period [from, to) of calendar days.
type days struct{ from, to record.Day }

func (d days) holds(x record.Day) bool { return d.from <= x && x < d.to }

// daysOf returns the days whose first instants lie in s, moved back by lag days.
func (c *calendar) daysOf(s span, lag int) days {
	first := func(t int64) record.Day {
		d := c.dayOf(t)
		if c.firstInstant(d) < t {
			d++
		}
		return d - record.Day(lag)
	}
	return days{first(s.start), first(s.end)}
}

// completeDays returns s without a day that has begun and not ended at its end.
func (c *calendar) completeDays(s span) span {
	return span{s.start, min(s.end, c.firstInstant(c.dayOf(s.end)))}
}

// costEntry is a cost that is spread over days.
type costEntry struct {
	*record.Cost
	days
	currency                   string
	channel, program, campaign string
}

// adSpend is what a campaign cost on a day.
type adSpend struct {
	*record.Spend
	source   string
	class    record.Class // with the record's own program and campaign where no rule names them
	currency string
	cost     money
	value    money // of the conversions
}

// costBook is all that is spent. The sources are those with at least one record of it.
type costBook struct {
	entries       []costEntry
	spend         []adSpend
	sources       map[string][]string // by category; ad spend is marketing
	deliversSpend bool
	cache         map[days]*costSums
}

// costCell is what a channel costs.
type costCell struct {
	total
	paid, spent bool // it has a cost, and ad spend, that is not 0
}

// costSums is what a period costs.
type costSums struct {
	marketing, sales, spend total
	byChannel               map[string]*costCell
	byCampaign, byProgram   map[labelSet]*total // of marketing
}

func (s *costSums) channel(name string) *costCell {
	if s.byChannel[name] == nil {
		s.byChannel[name] = &costCell{}
	}
	return s.byChannel[name]
}

// all returns the costs of marketing and sales.
func (s *costSums) all() *total {
	t := &total{}
	t.join(&s.marketing)
	t.join(&s.sales)
	return t
}

func (w *world) addCosts() {
	w.costs = costBook{sources: map[string][]string{}, cache: map[days]*costSums{}, deliversSpend: len(w.sources(record.KindSpend)) > 0}
	note := func(category, source string) {
		if !slices.Contains(w.costs.sources[category], source) {
			w.costs.sources[category] = append(w.costs.sources[category], source)
		}
	}
	for _, r := range w.records {
		switch rec := r.Record.(type) {
		case *record.Cost:
			if e, ok := w.costEntry(rec); ok {
				w.costs.entries = append(w.costs.entries, e)
				note(rec.Category, r.Source)
			}
		case *record.Spend:
			w.costs.spend = append(w.costs.spend, w.adSpend(r.Source, rec))
			note(record.CostMarketing, r.Source)
		}
	}
}

// costEntry returns the days that a cost is spread over; ok is false where it has no
// category, or neither a period nor days.
func (w *world) costEntry(rec *record.Cost) (e costEntry, ok bool) {
	e = costEntry{
		Cost: rec, days: days{rec.From, rec.To + 1}, currency: cmp.Or(rec.Currency, w.Currency),
		channel: strings.ToLower(strings.TrimSpace(rec.Channel)), program: strings.TrimSpace(rec.Program), campaign: strings.TrimSpace(rec.Campaign),
	}
	if !record.IsChannel(e.channel) {
		e.channel = record.ChannelUnknown
	}
	if rec.To == record.NoDay {
		e.to = 1 << 30
		if rec.Period == record.PeriodOnce {
			e.to = rec.From + 1
		}
	}
	known := rec.Period == record.PeriodMonth || rec.Period == record.PeriodOnce && rec.From != record.NoDay
	return e, known && (rec.Category == record.CostMarketing || rec.Category == record.CostSales)
}

func (w *world) adSpend(source string, rec *record.Spend) adSpend {
	s := adSpend{Spend: rec, source: source, class: w.Channels.Classify(rec.Touch), currency: cmp.Or(rec.Currency, w.Currency)}
	s.class.Program = cmp.Or(s.class.Program, strings.TrimSpace(rec.Program))
	s.class.Campaign = cmp.Or(s.class.Campaign, strings.TrimSpace(rec.CampaignID))
	s.cost = w.rates.convertAmount(rec.Cost, s.currency, rec.Day)
	s.value = w.rates.convertAmount(rec.ConversionValue, s.currency, rec.Day)
	return s
}

// share returns the part of the entry's amount that falls on d.
func (e costEntry) share(d record.Day) *big.Rat {
	length := int64(e.to - e.from)
	if e.Period == record.PeriodMonth {
		y, m, _ := ymd(d)
		length = int64(date(y, m+1, 1) - date(y, m, 1))
	}
	return big.NewRat(1, length)
}

// in calls add with what the entry costs in period, in parts of equal rate.
func (e costEntry) in(w *world, period days, add func(money)) {
	var part money
	var share, factor *big.Rat
	n := int64(0)
	flush := func() {
		if n == 0 {
			return
		}
		part = money{known: e.Amount.Known}
		if part.known && factor != nil {
			part.number = new(big.Rat).Mul(big.NewRat(e.Amount.Micros, 1_000_000), factor)
			part.number.Mul(part.number, share)
			part.number.Mul(part.number, big.NewRat(n, 1))
		}
		add(part)
		n = 0
	}
	for d := max(e.from, period.from); d < min(e.to, period.to); d++ {
		s, f := e.share(d), w.rates.factor(e.currency, d)
		same := n > 0 && s.Cmp(share) == 0 && (f == nil) == (factor == nil) && (f == nil || f.Cmp(factor) == 0)
		if !same {
			flush()
			share, factor = s, f
		}
		n++
	}
	flush()
}

// costsIn returns what period costs.
func (w *world) costsIn(period days) *costSums {
	if s, ok := w.costs.cache[period]; ok {
		return s
	}
	s := &costSums{byChannel: map[string]*costCell{}, byCampaign: map[labelSet]*total{}, byProgram: map[labelSet]*total{}}
	w.costs.cache[period] = s
	for _, e := range w.costs.entries {
		e.in(w, period, func(m money) {
			if e.Category == record.CostSales {
				s.sales.add(m)
				return
			}
			s.addMarketing(m, e.channel, w.campaigns.label(e.campaign), e.program)
			s.channel(e.channel).paid = s.channel(e.channel).paid || e.Amount.Micros != 0
		})
	}
	for _, x := range w.costs.spend {
		if !period.holds(x.Day) {
			continue
		}
		s.addMarketing(x.cost, x.class.Channel, w.campaigns.labelOfSpend(x), x.class.Program)
		s.spend.add(x.cost)
		if cell := s.channel(x.class.Channel); x.Cost.Micros != 0 {
			cell.paid, cell.spent = true, true
		}
	}
	return s
}

func (s *costSums) addMarketing(m money, channel, campaign, program string) {
	s.marketing.add(m)
	s.channel(channel).add(m)
	for cells, l := range map[*map[labelSet]*total]labelSet{
		&s.byCampaign: labelled(campaign, channel), &s.byProgram: labelled(cmp.Or(program, unknown)),
	} {
		if (*cells)[l] == nil {
			(*cells)[l] = &total{}
		}
		(*cells)[l].add(m)
	}
}

// campaigns knows which names mean one campaign, and how to spell it.
type campaigns struct {
	ids      map[string]string // the folded name of a campaign by its ID on the ad platform
	spelling map[string]string // by folded name
}

func fold(name string) string { return strings.ToLower(name) }

func (w *world) addCampaigns() {
	c := &campaigns{ids: map[string]string{}, spelling: map[string]string{}}
	w.campaigns = c
	spell := func(name string) {
		if name == "" {
			return
		}
		if s, ok := c.spelling[fold(name)]; !ok || name < s {
			c.spelling[fold(name)] = name
		}
	}
	for _, x := range w.costs.spend {
		spell(x.class.Campaign)
	}
	for _, x := range w.costs.spend {
		id := strings.TrimSpace(x.CampaignID)
		if id == "" {
			continue
		}
		other, ok := c.ids[id]
		if !ok || c.spelling[fold(x.class.Campaign)] < c.spelling[other] {
			c.ids[id] = fold(x.class.Campaign)
		}
	}
	for _, e := range w.costs.entries {
		spell(e.campaign)
	}
	preferred := map[string]bool{}
	for folded := range c.spelling {
		preferred[folded] = true
	}
	other := func(t record.Touch) {
		if name := w.Channels.Classify(t).Campaign; !preferred[fold(name)] {
			spell(name)
		}
	}
	for _, l := range w.funnel {
		other(l.Touch)
	}
	if w.Basis != BasisDeals {
		for _, o := range w.counted {
			other(o.Touch)
		}
	}
}

// label returns the label of a campaign that a CRM, a shop or a cost names.
func (c *campaigns) label(name string) string {
	if folded := c.ids[name]; folded != "" {
		return c.spelling[folded]
	}
	return cmp.Or(c.spelling[fold(name)], unknown)
}

func (c *campaigns) labelOfSpend(x adSpend) string {
	return cmp.Or(c.spelling[fold(x.class.Campaign)], unknown)
}
