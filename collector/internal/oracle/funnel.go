package oracle

import (
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The methods of a conversion.
const (
	methodCohort = "cohort"
	methodPeriod = "period"
)

// conversion returns how many of list went from one stage to another.
func (w *world) conversion(list []*lead, from, to int, method string, s span, asOf int64) value {
	entered, reached := 0, 0
	for _, l := range list {
		in := l.enters(from, s, asOf)
		if in {
			entered++
		}
		switch {
		case method == methodPeriod && l.enters(to, s, asOf), method == methodCohort && in && l.entry(to, asOf) < asOf:
			reached++
		}
	}
	return divide(count(reached), count(entered))
}

// createdIn returns the leads that were created in s.
func (w *world) createdIn(s span) []*lead {
	var list []*lead
	for _, l := range w.funnel {
		if s.holds(l.own[stageLead]) {
			list = append(list, l)
		}
	}
	return list
}

func (w *world) answersReason() string { return when(!w.answered, noData) }

// quantile returns the a/b-quantile of times in seconds.
func quantile(times []int64, a, b int) value {
	if len(times) == 0 {
		return value{reason: zeroDenominator}
	}
	slices.Sort(times)
	return value{number: big.NewRat(times[(a*len(times)+b-1)/b-1], second)}
}

// response returns the a/b-quantile of the times to the first answer.
func (w *world) response(s span, asOf int64, a, b int) value {
	if r := w.answersReason(); r != "" {
		return value{reason: r}
	}
	var times []int64
	for _, l := range w.createdIn(s) {
		if l.answersBefore(asOf) > 0 {
			times = append(times, max(0, l.answers[0]-l.own[stageLead]))
		}
	}
	return quantile(times, a, b)
}

// answeredIn returns how many of the leads created in s had n answers at asOf.
func (w *world) answeredIn(s span, asOf int64, n int) int {
	answered := 0
	for _, l := range w.createdIn(s) {
		if l.answersBefore(asOf) >= n {
			answered++
		}
	}
	return answered
}

func (w *world) contactRatio(s span, asOf int64) value {
	return divide(count(w.answeredIn(s, asOf, 1)), count(len(w.createdIn(s))), w.answersReason())
}

// funnelStages exports the collector funnel; nothing but visitors where no source
// delivers leads.
func (e *evaluation) funnelStages() {
	e.visitorsToCustomers()
	if len(e.sources(record.KindLead)) == 0 {
		return
	}
	e.funnelEntries()
	for _, w := range e.windows {
		for _, method := range []string{methodCohort, methodPeriod} {
			for to := range stages {
				for from := range to {
					e.exportIf("b2b_funnel_conversion_ratio", e.conversion(e.funnel, from, to, method, w.span, e.asOf),
						"window", w.name, "from", stageName(from), "to", stageName(to), "method", method)
				}
			}
			e.exportIf("b2b_lead_to_close_ratio", e.conversion(e.funnel, stageLead, stageCustomer, method, w.span, e.asOf),
				"window", w.name, "method", method)
			for _, channel := range record.Channels() {
				list := slices.DeleteFunc(slices.Clone(e.funnel), func(l *lead) bool { return l.class.Channel != channel })
				e.exportIf("b2b_lead_to_close_ratio_by_channel", e.conversion(list, stageLead, stageCustomer, method, w.span, e.asOf),
					"window", w.name, "channel", channel, "method", method)
			}
		}
		for q, percent := range map[string]int{"0.5": 50, "0.9": 90, "0.95": 95} {
			e.exportIf("b2b_lead_response_seconds", e.response(w.span, e.asOf, percent, 100), "window", w.name, "q", q)
		}
		e.exportIf("b2b_lead_contact_ratio", e.contactRatio(w.span, e.asOf), "window", w.name)
		if len(e.sources(record.KindActivity)) > 0 {
			e.exportIf("b2b_lead_follow_up_ratio",
				divide(count(e.answeredIn(w.span, e.asOf, 2)), count(e.answeredIn(w.span, e.asOf, 1))), "window", w.name)
		}
	}
	e.stageAges()
	e.unansweredLeads()
}

// funnelEntries exports who entered each stage, and the leads by campaign.
func (e *evaluation) funnelEntries() {
	entries, created := e.makeCells(), e.makeCells()
	for i, w := range e.windows {
		for _, l := range e.funnel {
			for stage := range stages {
				if l.enters(stage, w.span, e.asOf) {
					entries[i].add(labelled(l.class.Channel, stageName(stage)), one)
				}
			}
		}
		for _, l := range e.createdIn(w.span) {
			created[i].add(labelled(e.campaigns.label(l.class.Campaign), l.class.Channel), one)
		}
	}
	e.exportFamily(family{name: "b2b_funnel_entries", label: "channel", others: []string{"stage"}}, entries)
	e.exportFamily(family{name: "b2b_leads_by_campaign", label: "campaign", others: []string{"channel"}, bounded: true}, created)
}

// stageAges exports for how long open leads have been in their stages.
func (e *evaluation) stageAges() {
	ages := map[int][]int64{}
	for _, l := range e.funnel {
		if stage, ok := l.furthest(e.asOf); ok && l.open(e.asOf) {
			ages[stage] = append(ages[stage], e.asOf-l.own[stage])
		}
	}
	for stage, list := range ages {
		for q, tenths := range map[string]int{"0.5": 5, "0.9": 9} {
			e.exportIf("b2b_lead_stage_age_seconds", quantile(list, tenths, 10), "stage", stageName(stage), "q", q)
		}
	}
}

func (e *evaluation) unansweredLeads() {
	if e.answersReason() != "" {
		return
	}
	n := map[string]int{}
	for _, l := range e.funnel {
		created := l.own[stageLead]
		if created >= e.asOf || !l.open(e.asOf) || l.answersBefore(e.asOf) > 0 {
			continue
		}
		switch age := e.asOf - created; {
		case age < hour:
			n["lt_1h"]++
		case age < day:
			n["1h_1d"]++
		case age < 7*day:
			n["1d_7d"]++
		default:
			n["ge_7d"]++
		}
	}
	for _, age := range []string{"lt_1h", "1h_1d", "1d_7d", "ge_7d"} {
		e.export("b2b_leads_unanswered", count(n[age]), "age", age)
	}
}

func (e *evaluation) visitorsToCustomers() {
	sites := e.userSites()
	of := e.FunnelSite
	switch {
	case of == "" && len(sites) != 1, e.buyersReason() != "":
		return
	case of == "":
		of = sites[0]
	}
	for _, w := range e.windows {
		if users, ok := e.usersOf(of, record.UsersTotal, w); ok {
			e.exportIf("b2b_visitor_to_customer_ratio", divide(count(len(e.newIn(w.span))), users), "window", w.name)
		}
	}
}
