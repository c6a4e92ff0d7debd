package collector

import (
	"maps"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// funnel computes the way from lead to customer.
type funnel struct{}

func (funnel) Name() string    { return "funnel" }
func (funnel) Subject() string { return "from lead to customer" }

func funnelMetrics() []Metric {
	return complete("funnel", []Metric{
		{
			Name: "b2b_funnel_entries", Labels: []string{"window", "stage", "channel"},
			Help: "Leads that entered the stage in the window (lead, mql, sql, opportunity, customer), by the lead's channel.",
		}, {
			Name: "b2b_funnel_conversion_ratio", Unit: "ratio", Free: true, Labels: []string{"window", "from", "to", "method"},
			Help: "Share of the leads that entered from in the window and have since reached to or beyond (method cohort); entries of to / entries of from in the window (period).",
		}, {
			Name: "b2b_lead_to_close_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: []string{"window", "method"},
			Help:    "Leads that became customers / leads: of those of the window (method cohort), or both in the window (period).",
			Formula: "method cohort: of the leads created in the window, those that have become customers since / leads created in the window",
			Ratio:   &Ratio{Part{Name: "those of them that have become customers since"}, Part{Name: "leads created in the window"}},
			Kinds:   []record.Kind{record.KindLead, record.KindDeal}, OfCustomers: true, Settings: []string{"customers.basis"},
		}, {
			Name: "b2b_lead_to_close_ratio_by_channel", Unit: "ratio", Free: true, Labels: []string{"window", "channel", "method"},
			Help: "Leads that became customers / leads, by the lead's channel.",
		}, {
			Name: "b2b_leads_by_campaign", Labels: []string{"window", "channel", "campaign"}, Bounded: []string{"campaign"},
			Help: "Leads created in the window, by channel and campaign.",
		}, {
			Name: "b2b_lead_stage_age_seconds", Unit: "seconds", Labels: []string{"stage", "q"},
			Help: "Quantiles of the time since open leads entered the stage that they are in.",
		}, {
			Name: "b2b_lead_response_seconds", Unit: "seconds", Headline: true, Worse: 1, Labels: []string{"window", "q"},
			Help:    "Quantiles of the time from the creation of the window's leads to the first outgoing activity of a person.",
			Formula: "q 0.5: time from creation to the first outgoing activity of a person that half of the answered leads created in the window did not exceed",
			Kinds:   []record.Kind{record.KindLead, record.KindActivity},
		}, {
			Name: "b2b_leads_unanswered", Labels: []string{"age"},
			Help: "Open leads without an outgoing activity of a person, by age.",
		}, {
			Name: "b2b_lead_contact_ratio", Unit: "ratio", Headline: true, Worse: -1, Labels: []string{"window"},
			Help:    "Leads created in the window with an outgoing activity of a person / leads created in it.",
			Formula: "leads created in the window with an outgoing activity of a person / leads created in it",
			Ratio:   &Ratio{Part{Name: "leads created in the window with an outgoing activity of a person"}, Part{Name: "leads created in the window"}},
			Kinds:   []record.Kind{record.KindLead, record.KindActivity},
		}, {
			Name: "b2b_lead_follow_up_ratio", Unit: "ratio", Labels: []string{"window"},
			Help: "Leads created in the window with a second outgoing activity of a person / those with one.",
		}, {
			Name: "b2b_visitor_to_customer_ratio", Unit: "ratio", Free: true, Labels: []string{"window"},
			Help: "New customers / unique visitors of the site in exactly the window, where there is one site or funnel.site names it.",
		},
	})
}

// pipeline answers what became of leads.
type pipeline struct {
	*Input
	leadGate   Reason // why leads cannot be trusted
	closeGate  Reason // ... who of them became customers
	answerGate Reason // ... who of them was answered
}

func newPipeline(in *Input) *pipeline {
	p := &pipeline{Input: in, leadGate: in.gateAll(record.KindLead), closeGate: in.gateAll(in.closeKinds()...)}
	p.answerGate = in.gateAll(record.KindLead, record.KindActivity)
	if len(in.sourcesOf(record.KindLead)) == 0 {
		p.leadGate, p.closeGate, p.answerGate = SourceMissing, SourceMissing, SourceMissing
	}
	if !in.View.Open.Answers && len(in.sourcesOf(record.KindActivity)) == 0 {
		p.answerGate = number(0).unless(p.answerGate).unless(NoData).Reason
	}
	return p
}

// closeKinds are the kinds of record that say which leads became customers.
func (o *Options) closeKinds() []record.Kind {
	return append(o.customerKinds(), record.KindDeal)
}

// entries counts the leads that entered a stage in a window.
func entries(w *rollup.WindowView, s rollup.Stage) int64 {
	n := int64(0)
	for _, counts := range w.Leads.By {
		n += counts.Entries[s]
	}
	return n
}

// The methods of conversion ratios.
const (
	cohort = "cohort"
	period = "period"
)

func conversion(w *rollup.WindowView, from, to rollup.Stage, method string) Value {
	if method == period {
		return number(entries(w, to)).over(number(entries(w, from)))
	}
	return number(w.Leads.Reached[from][to]).over(number(entries(w, from)))
}

func contacted(w *rollup.WindowView) Value {
	return number(w.Leads.Answered).over(number(w.Leads.Created))
}

// response is a quantile of the response time, zero_denominator where nobody was answered.
func response(w *rollup.WindowView, q string) Value {
	us, ok := w.Leads.Responses[q]
	if !ok {
		return undefined(ZeroDenominator)
	}
	return fromMicros(us)
}

func fromMicros(us int64) Value { return Value{Number: big.NewRat(us, 1_000_000)} }

func (funnel) Collect(in *Input, out *Output) {
	p := newPipeline(in)
	out.Headlines = append(out.Headlines, p.headlines()...)
	if p.leadGate == "" {
		p.campaigns(out)
	}
	if p.closeGate == "" {
		p.conversions(out)
		p.byChannel(out)
		p.ages(out)
	}
	if p.answerGate == "" {
		p.answers(out)
	}
	p.visitors(out)
}

// visitors puts out which share of the site's visitors became customers.
func (p *pipeline) visitors(out *Output) {
	site, ok := p.site()
	if !ok || customersGate(p.Input) != "" || p.gateAll(record.KindUsers) != "" {
		return
	}
	for _, w := range p.current() {
		for k, users := range w.Users {
			if k.Site == site && k.Kind == record.UsersTotal {
				out.add("b2b_visitor_to_customer_ratio", number(w.New).over(Value{Number: users}), string(w.Name))
			}
		}
	}
}

// site returns the site whose visitors become customers: the configured one, or the only
// one there is.
func (p *pipeline) site() (string, bool) {
	if p.FunnelSite != "" {
		return p.FunnelSite, true
	}
	for site := range p.View.Held.Users {
		return site, len(p.View.Held.Users) == 1
	}
	return "", false
}

func (p *pipeline) campaigns(out *Output) {
	byCampaign := newSeries(p.Input).bounded()
	for _, w := range p.current() {
		for class, n := range w.Leads.By {
			if n.Created > 0 {
				byCampaign.set(w.Name, p.campaign(class.Campaign), number(n.Created), class.Channel)
			}
		}
	}
	byCampaign.emit(out, "b2b_leads_by_campaign")
}

func (p *pipeline) conversions(out *Output) {
	byStage := newSeries(p.Input)
	for _, w := range p.current() {
		name := string(w.Name)
		for class, n := range w.Leads.By {
			for s := range rollup.Stages {
				if n.Entries[s] > 0 {
					byStage.set(w.Name, class.Channel, number(n.Entries[s]), s.String())
				}
			}
		}
		for _, method := range []string{cohort, period} {
			for from := range rollup.Stages {
				for to := from + 1; to < rollup.Stages; to++ {
					out.add("b2b_funnel_conversion_ratio", conversion(w, from, to, method), name, from.String(), to.String(), method)
				}
			}
			out.add("b2b_lead_to_close_ratio", conversion(w, rollup.StageLead, rollup.StageCustomer, method), name, method)
		}
	}
	byStage.emit(out, "b2b_funnel_entries")
}

func (p *pipeline) byChannel(out *Output) {
	for _, w := range p.current() {
		leads, closed, entered := map[string]int64{}, map[string]int64{}, map[string]int64{}
		for class, n := range w.Leads.By {
			leads[class.Channel] += n.Entries[rollup.StageLead]
			closed[class.Channel] += n.Closed
			entered[class.Channel] += n.Entries[rollup.StageCustomer]
		}
		for _, channel := range slices.Sorted(maps.Keys(leads)) {
			n := number(leads[channel])
			out.add("b2b_lead_to_close_ratio_by_channel", number(closed[channel]).over(n), string(w.Name), channel, cohort)
			out.add("b2b_lead_to_close_ratio_by_channel", number(entered[channel]).over(n), string(w.Name), channel, period)
		}
	}
}

func (p *pipeline) ages(out *Output) {
	for s := range rollup.StageCustomer {
		for _, q := range slices.Sorted(maps.Keys(p.View.Open.Ages[s])) {
			out.add("b2b_lead_stage_age_seconds", fromMicros(p.View.Open.Ages[s][q]), s.String(), q)
		}
	}
}

func (p *pipeline) answers(out *Output) {
	for _, w := range p.current() {
		name := string(w.Name)
		for _, q := range slices.Sorted(maps.Keys(w.Leads.Responses)) {
			out.add("b2b_lead_response_seconds", response(w, q), name, q)
		}
		out.add("b2b_lead_contact_ratio", contacted(w), name)
		if len(p.sourcesOf(record.KindActivity)) > 0 {
			out.add("b2b_lead_follow_up_ratio", number(w.Leads.Followed).over(number(w.Leads.Answered)), name)
		}
	}
	if p.closeGate == "" {
		for _, age := range slices.Sorted(maps.Keys(p.View.Open.Unanswered)) {
			out.add("b2b_leads_unanswered", number(p.View.Open.Unanswered[age]), age)
		}
	}
}

func (p *pipeline) headlines() []Headline {
	leads := p.sourcesOf(record.KindLead)
	closing := p.byWindow("b2b_lead_to_close_ratio", leads, p.closeGate, func(w *rollup.WindowView) Value {
		return conversion(w, rollup.StageLead, rollup.StageCustomer, cohort)
	})
	closing.Sources = p.sourcesOf(p.closeKinds()...)
	list := []Headline{
		closing,
		p.byWindow("b2b_lead_response_seconds", leads, p.answerGate, func(w *rollup.WindowView) Value { return response(w, "0.5") }),
		p.byWindow("b2b_lead_contact_ratio", leads, p.answerGate, contacted),
	}
	for i := range list[1:] {
		list[1+i].Sources = p.sourcesOf(record.KindLead, record.KindActivity)
	}
	return list
}
