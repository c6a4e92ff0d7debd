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
type AdKey struct{ Source, Platform, Channel, Campaign, Variant string }

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
type QualityKey struct{ Source, Platform, Dimension string }

// Quality is a score summed over impressions, and the impressions.
type Quality struct{ Weighted, Impressions *big.Rat }

// TrafficKey is what figures of visits are told apart by.
type TrafficKey struct{ Source, Site, By, Value string }

// Traffic is what an analytics tool counted.
type Traffic struct {
	Sessions, Engaged, SinglePage, Views, Seconds, Conversions, Downloads, DownloadSessions, NewUsers Sum
}

// Add returns t + o, figures of different records.
func (t Traffic) Add(o Traffic) Traffic {
	return Traffic{
		t.Sessions.Add(o.Sessions), t.Engaged.Add(o.Engaged), t.SinglePage.Add(o.SinglePage), t.Views.Add(o.Views), t.Seconds.Add(o.Seconds),
		t.Conversions.Add(o.Conversions), t.Downloads.Add(o.Downloads), t.DownloadSessions.Add(o.DownloadSessions), t.NewUsers.Add(o.NewUsers),
	}
}

// UsersKey is a site and a kind of its visitors.
type UsersKey struct{ Source, Site, Kind string }

// SiteKey is a site and the source that counts on it.
type SiteKey struct{ Source, Site string }

// days fills in what rows say of a window.
func (e *Engine) days(w Window, v *WindowView) {
	v.Ads, v.Traffic = map[AdKey]Ads{}, map[TrafficKey]Traffic{}
	v.Referrers, v.Users = map[SiteKey]int64{}, map[UsersKey]*big.Rat{}
	for k, s := range e.tot.rows.byDays[w.days] {
		source := e.text(k.source)
		switch k.kind {
		case history.Spend:
			l := history.SplitLabels(e.text(k.labels), 6)
			key := AdKey{source, l[0], l[1], l[3], l[5]}
			v.Ads[key] = v.Ads[key].Add(e.ads(s))
		case history.Traffic:
			l := history.SplitLabels(e.text(k.labels), 3)
			key := TrafficKey{source, l[0], l[1], l[2]}
			v.Traffic[key] = v.Traffic[key].Add(s.traffic())
		case history.Referrer:
			if s.known[0] == 0 || s.sums[0].Sign() > 0 {
				l := history.SplitLabels(e.text(k.labels), 2)
				v.Referrers[SiteKey{source, l[0]}]++
			}
		}
	}
	d := e.plan.days[w.days]
	for k, n := range e.tot.rows.users {
		if k.days == d {
			l := history.SplitLabels(e.text(k.labels), 2)
			v.Users[UsersKey{e.text(k.source), l[0], l[1]}] = inUnits(n)
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
	return Traffic{
		s.sum(history.TrafficSessions), s.sum(history.TrafficEngaged), s.sum(history.TrafficSinglePage), s.sum(history.TrafficViews),
		s.sum(history.TrafficSeconds), s.sum(history.TrafficConversions), s.sum(history.TrafficDownloads),
		s.sum(history.TrafficDownloadSessions), s.sum(history.TrafficNewUsers),
	}
}

// quality returns the judgements of the last 30 days.
func (e *Engine) quality() map[QualityKey]Quality {
	judged := map[QualityKey]Quality{}
	for k, s := range e.tot.rows.byDays[e.plan.last30] {
		if k.kind != history.Quality {
			continue
		}
		l := history.SplitLabels(e.text(k.labels), 2)
		judged[QualityKey{e.text(k.source), l[0], l[1]}] = Quality{
			inUnits(s.sums[history.QualityWeighted]), inUnits(s.sums[history.QualityImpressions]),
		}
	}
	return judged
}

// sites returns the sites of which visitors were ever asked for.
func (e *Engine) sites() []string {
	var list []string
	for labels := range e.tot.rows.sites {
		if site := history.SplitLabels(e.text(labels), 1)[0]; !slices.Contains(list, site) {
			list = append(list, site)
		}
	}
	slices.Sort(list)
	return list
}

// OnlySite returns the site where there is just one.
func (v *View) OnlySite() (site string, ok bool) {
	if len(v.Sites) != 1 {
		return "", false
	}
	return v.Sites[0], true
}
