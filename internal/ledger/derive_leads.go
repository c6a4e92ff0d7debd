package ledger

import (
	"context"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// leadFacts: a lead and each step that it has a date of.
func (w *writer) leadFacts(ctx context.Context, s stored, r *record.Lead) ([]fact, error) {
	self := r.Self.Sealed[0]
	ref, err := w.node(ctx, self)
	if err != nil {
		return nil, err
	}
	e := history.Event{Kind: history.Lead, Source: history.Dict(s.source), Ref: ref}
	if e.Label, err = w.touch(ctx, r.Touch); err != nil {
		return nil, err
	}
	if w.date(&e, r.CreatedAt); e.Has(history.Always) {
		w.date(&e, r.Dates()...)
	} else {
		e.Flags |= history.Created
	}
	facts := []fact{{customer: self, event: e}}
	for step, at := range map[history.Dict]record.Instant{
		history.StepMQL: r.MQLAt, history.StepSQL: r.SQLAt, history.StepOpportunity: r.OpportunityAt,
		history.StepCustomer: r.CustomerAt, history.StepDisqualified: r.DisqualifiedAt, history.StepResponse: r.FirstResponseAt,
	} {
		if us, ok := w.at(at); ok {
			facts = append(facts, fact{customer: self, event: history.Event{
				Kind: history.Step, T: us, Source: history.Dict(s.source), Label: step, Ref: ref,
			}})
		}
	}
	return facts, nil
}

// activityFacts: what a person did for a lead, so that it counts as an answer.
func (w *writer) activityFacts(ctx context.Context, s stored, r *record.Activity) ([]fact, error) {
	at, ok := w.at(r.At)
	if !ok || r.LeadRef.IsNull() || r.Incoming || r.Automated || r.Planned {
		return nil, nil
	}
	switch r.Type {
	case record.ActivityCall, record.ActivityEmail, record.ActivitySMS, record.ActivityMeeting:
	default:
		return nil, nil
	}
	lead := r.LeadRef.Sealed[0]
	ref, err := w.node(ctx, lead)
	if err != nil {
		return nil, err
	}
	return []fact{{customer: lead, event: history.Event{
		Kind: history.Answer, T: at, Source: history.Dict(s.source), Ref: ref,
	}}}, nil
}

// wonFacts: a won deal, for the lead that it names and for its customer.
func (w *writer) wonFacts(ctx context.Context, s stored, d *record.Deal) ([]fact, error) {
	at, closed := w.at(d.ClosedAt)
	if d.State != record.DealWon || !closed {
		return nil, nil
	}
	won := history.Event{Kind: history.Won, T: at, Source: history.Dict(s.source)}
	var facts []fact
	if !d.Account.IsNull() {
		e := won
		e.Flags = history.OfCustomer
		facts = append(facts, fact{customer: d.Account.Sealed[0], event: e})
	}
	if !d.LeadRef.IsNull() {
		lead := d.LeadRef.Sealed[0]
		ref, err := w.node(ctx, lead)
		if err != nil {
			return nil, err
		}
		e := won
		e.Ref = ref
		if d.Account.IsNull() {
			e.Flags = history.OfCustomer
		}
		facts = append(facts, fact{customer: lead, event: e})
	}
	return facts, nil
}

// dealFacts: a won deal counts as an order of its account, else of its lead.
func (w *writer) dealFacts(ctx context.Context, s stored, d *record.Deal) ([]fact, error) {
	facts := w.known(s, d.Account, d.Dates()...)
	won, err := w.wonFacts(ctx, s, d)
	if err != nil {
		return nil, err
	}
	facts = append(facts, won...)
	basis := w.l.settings.Basis
	at, closed := w.at(d.ClosedAt)
	if basis == BasisOrders || d.State != record.DealWon || !closed {
		return facts, nil
	}
	if basis == BasisBoth && d.Order != "" {
		source, id, err := w.orderOf(ctx, s.source, d.Order)
		if err != nil {
			return nil, err
		}
		if order, err := w.find(ctx, source, record.KindOrder, id); err != nil || w.counts(order) {
			return facts, err
		}
	}
	customer := hashOf(d.Account)
	if d.Account.IsNull() && d.Lead != "" {
		lead, err := w.find(ctx, s.source, record.KindLead, d.Lead)
		if err != nil {
			return nil, err
		}
		if w.counts(lead) {
			customer = lead.rec.(*record.Lead).Self.Sealed[0]
		}
	}
	e := history.Event{
		Kind: history.Order, T: at, Source: history.Dict(s.source), Flags: history.OfCustomer, Gross: d.Amount.Micros,
	}
	if !d.Amount.IsNull() {
		e.Flags |= history.HasMoney
	}
	if !d.Margin.IsNull() {
		e.Flags |= history.HasCost
		e.Profit, e.Costed = d.Margin.Micros, d.Amount.Micros
	}
	unknown, err := w.number(ctx, record.ChannelUnknown)
	if err != nil {
		return nil, err
	}
	if err := w.labels(ctx, &e, unknown, "", d.Currency); err != nil {
		return nil, err
	}
	return append(facts, fact{customer: customer, event: e}), nil
}
