package rollup

import (
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Sum is a sum of numbers over records, of which Known had one.
type Sum struct {
	Value          *big.Rat
	Records, Known int64
}

// Add returns s + other, sums over different records.
func (s Sum) Add(other Sum) Sum {
	if s.Value == nil {
		return other
	}
	if other.Value == nil {
		return s
	}
	return Sum{new(big.Rat).Add(s.Value, other.Value), s.Records + other.Records, s.Known + other.Known}
}

// AdKey is what ad figures are told apart by.
type AdKey struct{ Platform, Channel, Campaign, Variant string }

// Ads is what an ad platform reports.
type Ads struct {
	Cost, ConversionValue            Money
	Impressions, Clicks, Conversions Sum
}

// Add returns a + b, figures of different records.
func (a Ads) Add(b Ads) Ads {
	return Ads{
		Cost: AddMoney(a.Cost, b.Cost), ConversionValue: AddMoney(a.ConversionValue, b.ConversionValue),
		Impressions: a.Impressions.Add(b.Impressions), Clicks: a.Clicks.Add(b.Clicks), Conversions: a.Conversions.Add(b.Conversions),
	}
}

// QualityKey is what judgements of ads are told apart by.
type QualityKey struct{ Platform, Dimension string }

// Quality is a score summed over impressions, and the impressions.
type Quality struct{ Weighted, Impressions *big.Rat }

// TrafficKey is what figures of visits are told apart by.
type TrafficKey struct{ Site, By, Value string }

// Traffic is what an analytics tool counted.
type Traffic struct {
	Sessions, Engaged, SinglePage, Views, Seconds, Conversions, Downloads, DownloadSessions, NewUsers Sum
	// IfEngaged and IfSinglePage are the sessions of the days of which it is known how many of
	// them were.
	IfEngaged, IfSinglePage Sum
}

// measures returns the sums of t by the numbers of the measures.
func (t *Traffic) measures() [history.Measures]*Sum {
	return [history.Measures]*Sum{
		history.TrafficSessions: &t.Sessions, history.TrafficEngaged: &t.Engaged, history.TrafficSinglePage: &t.SinglePage,
		history.TrafficViews: &t.Views, history.TrafficSeconds: &t.Seconds, history.TrafficConversions: &t.Conversions,
		history.TrafficDownloads: &t.Downloads, history.TrafficDownloadSessions: &t.DownloadSessions, history.TrafficNewUsers: &t.NewUsers,
	}
}

// Add returns t + o, figures of different records.
func (t Traffic) Add(o Traffic) Traffic {
	others := o.measures()
	for i, sum := range t.measures() {
		*sum = sum.Add(*others[i])
	}
	t.IfEngaged, t.IfSinglePage = t.IfEngaged.Add(o.IfEngaged), t.IfSinglePage.Add(o.IfSinglePage)
	return t
}

// UsersKey is a site and a kind of its visitors.
type UsersKey struct{ Site, Kind string }

// Held tells what there are rows of at any time: by platform or site, the sources.
type Held struct {
	Platforms, Judged map[string][]string // with spend, with judgements of ads
	Traffic           map[string][]string
	Totals, Channels  map[string][]string // of Traffic, those with the total, and by channel
	Users, Referrers  map[string][]string
}

// days fills in what rows say of a window.
func (e *Engine) days(w Window, v *WindowView) {
	v.Ads, v.Traffic = map[AdKey]Ads{}, map[TrafficKey]Traffic{}
	v.Referrers, v.Users = map[string]int64{}, map[UsersKey]*big.Rat{}
	domains := map[[2]string]bool{}
	for k, s := range e.tot.rows.byDays[w.days] {
		switch k.kind {
		case history.Spend:
			l := history.SplitLabels(e.text(k.labels), 6)
			key := AdKey{l[0], l[1], l[3], l[5]}
			v.Ads[key] = v.Ads[key].Add(e.ads(s))
		case history.Traffic:
			l := history.SplitLabels(e.text(k.labels), 3)
			key := TrafficKey{l[0], l[1], l[2]}
			v.Traffic[key] = v.Traffic[key].Add(s.traffic())
		case history.Referrer:
			if s.sums[0].Sign() > 0 {
				l := history.SplitLabels(e.text(k.labels), 2)
				domains[[2]string{l[0], l[1]}] = true
			}
		}
	}
	for domain := range domains {
		v.Referrers[domain[0]]++
	}
	d := e.plan.days[w.days]
	for k, n := range e.tot.rows.users {
		if k.days == d {
			l := history.SplitLabels(e.text(k.labels), 2)
			v.Users[UsersKey{l[0], l[1]}] = inUnits(n)
		}
	}
}

// inUnits returns a number of 10^-6 units in units.
func inUnits(n record.Int128) *big.Rat {
	return new(big.Rat).SetFrac(n.Big(), big.NewInt(record.MicrosPerUnit))
}

func (s *rowSums) sum(measure int) Sum {
	return Sum{inUnits(s.sums[measure]), s.rows, s.known[measure]}
}

func (e *Engine) ads(s *rowSums) Ads {
	return Ads{
		Cost: s.money[history.SpendCost].money(e.rates), ConversionValue: s.money[history.SpendConversionValue].money(e.rates),
		Impressions: s.sum(history.SpendImpressions), Clicks: s.sum(history.SpendClicks), Conversions: s.sum(history.SpendConversions),
	}
}

func (s *rowSums) traffic() Traffic {
	t := Traffic{
		IfEngaged:    Sum{inUnits(s.ifEngaged), s.rows, s.known[history.TrafficEngaged]},
		IfSinglePage: Sum{inUnits(s.ifSinglePage), s.rows, s.known[history.TrafficSinglePage]},
	}
	for i, sum := range t.measures() {
		*sum = s.sum(i)
	}
	return t
}

// quality returns the judgements of the last 30 days.
func (e *Engine) quality() map[QualityKey]Quality {
	judged := map[QualityKey]Quality{}
	for k, s := range e.tot.rows.byDays[e.plan.last30] {
		if k.kind != history.Quality {
			continue
		}
		l := history.SplitLabels(e.text(k.labels), 2)
		key := QualityKey{l[0], l[1]}
		q, ok := judged[key]
		if !ok {
			q = Quality{new(big.Rat), new(big.Rat)}
			judged[key] = q
		}
		q.Weighted.Add(q.Weighted, inUnits(s.sums[history.QualityWeighted]))
		q.Impressions.Add(q.Impressions, inUnits(s.sums[history.QualityImpressions]))
	}
	return judged
}

// held lists what there are rows of.
func (e *Engine) held() Held {
	h := Held{
		Platforms: map[string][]string{}, Judged: map[string][]string{}, Traffic: map[string][]string{},
		Totals: map[string][]string{}, Channels: map[string][]string{}, Users: map[string][]string{}, Referrers: map[string][]string{},
	}
	for k := range e.tot.rows.held {
		l, source := history.SplitLabels(e.text(k.labels), 2), e.text(k.source)
		note := func(list map[string][]string) {
			if !slices.Contains(list[l[0]], source) {
				list[l[0]] = append(list[l[0]], source)
				slices.Sort(list[l[0]])
			}
		}
		switch k.kind {
		case history.Spend:
			note(h.Platforms)
		case history.Quality:
			note(h.Judged)
		case history.Users:
			note(h.Users)
		case history.Referrer:
			note(h.Referrers)
		case history.Traffic:
			note(h.Traffic)
			switch l[1] {
			case record.ByTotal:
				note(h.Totals)
			case record.ByChannel:
				note(h.Channels)
			}
		}
	}
	return h
}
