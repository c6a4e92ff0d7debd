package rows

import (
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func subscriptions() kind {
	return kind{
		fields: []Field{
			required(id("the subscription's ID; each price that it had is a row with an ID of its own")),
			deleted(),
			required(ref("customer", "the customer's ID", func(r *record.Subscription) *record.Ref { return &r.Customer })),
			required(choice("state", "", []string{
				record.SubscriptionTrialing, record.SubscriptionActive, record.SubscriptionPastDue, record.SubscriptionEnded,
			}, func(r *record.Subscription) *string { return &r.State })),
			required(moment("started_at", "from when `mrr` holds", func(r *record.Subscription) *record.Instant { return &r.StartedAt })),
			moment("ended_at", "until when `mrr` holds; null: it goes on; required with the state `ended`", func(r *record.Subscription) *record.Instant { return &r.EndedAt }),
			currencyCode("currency", "currency of `mrr`; required with it", func(r *record.Subscription) *string { return &r.Currency }),
			amount("mrr", "monthly recurring revenue, without tax and one-off items, not below 0; null: not known", func(r *record.Subscription) *record.Amount {
				r.History = make([]record.MRRChange, 1)
				return &r.History[0].MRR
			}),
		},
		finish: func(r record.Record) *problem {
			subscription := r.(*record.Subscription)
			// What it was until when cannot be told: the version before goes on until the row is mended.
			if subscription.State == record.SubscriptionEnded && subscription.EndedAt.IsNull() {
				return &problem{reason: ReasonMissing, field: "ended_at", detail: "is empty, but the state is ended"}
			}
			if len(subscription.History) == 0 {
				return nil
			}
			change := &subscription.History[0]
			if change.MRR.Micros < 0 {
				return &problem{reason: ReasonAmount, field: "mrr", detail: "is below 0"}
			}
			change.At = subscription.StartedAt
			return needsCurrency(subscription.Currency, change.MRR)
		},
	}
}

func leads() kind {
	return kind{fields: slices.Concat(
		[]Field{
			required(id("the lead's ID")),
			deleted(),
		},
		keys(func(r *record.Lead) *record.Keys { return &r.Keys }),
		[]Field{
			required(moment("created_at", "when it became a lead", func(r *record.Lead) *record.Instant { return &r.CreatedAt })),
		},
		touch(func(r *record.Lead) *record.Touch { return &r.Touch }),
		[]Field{
			text("owner", "sales representative", func(r *record.Lead) *string { return &r.Owner }),
			moment("mql_at", "first marketing qualified", func(r *record.Lead) *record.Instant { return &r.MQLAt }),
			moment("sql_at", "first sales qualified", func(r *record.Lead) *record.Instant { return &r.SQLAt }),
			moment("opportunity_at", "first an opportunity", func(r *record.Lead) *record.Instant { return &r.OpportunityAt }),
			moment("customer_at", "first a customer", func(r *record.Lead) *record.Instant { return &r.CustomerAt }),
			moment("disqualified_at", "given up", func(r *record.Lead) *record.Instant { return &r.DisqualifiedAt }),
			moment("first_response_at", "first call, e-mail or meeting by a person", func(r *record.Lead) *record.Instant { return &r.FirstResponseAt }),
			ref("account", "the account's ID", func(r *record.Lead) *record.Ref { return &r.Account }),
			ref("referred_by", "ID of the customer that recommended it", func(r *record.Lead) *record.Ref { return &r.ReferredBy }),
		},
	)}
}

func accounts() kind {
	return kind{fields: slices.Concat(
		[]Field{
			required(id("the account's ID")),
			deleted(),
		},
		keys(func(r *record.Account) *record.Keys { return &r.Keys }),
		[]Field{
			ref("parent", "ID of the account that it belongs to", func(r *record.Account) *record.Ref { return &r.Parent }),
			moment("created_at", "when it was created", func(r *record.Account) *record.Instant { return &r.CreatedAt }),
			boolean("target", "a target account", func(r *record.Account) *bool { return &r.Target }),
			moment("target_since", "since when it is one", func(r *record.Account) *record.Instant { return &r.TargetSince }),
			text("tier", "tier", func(r *record.Account) *string { return &r.Tier }),
			text("owner", "sales representative", func(r *record.Account) *string { return &r.Owner }),
			moment("qualified_at", "when it was qualified", func(r *record.Account) *record.Instant { return &r.QualifiedAt }),
		},
	)}
}

func deals() kind {
	return kind{
		fields: []Field{
			required(id("the deal's ID")),
			deleted(),
			ref("account", "the account's ID", func(r *record.Deal) *record.Ref { return &r.Account }),
			text("lead", "the lead's ID", func(r *record.Deal) *string { return &r.Lead }),
			text("pipeline", "pipeline", func(r *record.Deal) *string { return &r.Pipeline }),
			text("stage", "stage", func(r *record.Deal) *string { return &r.Stage }),
			between("probability", "of winning it, 0 to 1", 0, 1, func(r *record.Deal) *record.Amount { return &r.Probability }),
			moment("created_at", "when it was created", func(r *record.Deal) *record.Instant { return &r.CreatedAt }),
			moment("closed_at", "when it was won or lost", func(r *record.Deal) *record.Instant { return &r.ClosedAt }),
			required(choice("state", "", []string{record.DealOpen, record.DealWon, record.DealLost}, func(r *record.Deal) *string { return &r.State })),
			currencyCode("currency", "currency of the amounts; required with one", func(r *record.Deal) *string { return &r.Currency }),
			amount("amount", "value, without tax", func(r *record.Deal) *record.Amount { return &r.Amount }),
			amount("discount", "discount on the list price, as a positive amount", func(r *record.Deal) *record.Amount { return &r.Discount }),
			amount("margin", "margin", func(r *record.Deal) *record.Amount { return &r.Margin }),
			text("owner", "sales representative", func(r *record.Deal) *string { return &r.Owner }),
			moment("first_touch_at", "first contact", func(r *record.Deal) *record.Instant { return &r.FirstTouchAt }),
			text("order", "ID of the order that it became: `value` (of the same source) or `source:value`", func(r *record.Deal) *string { return &r.Order }),
		},
		finish: func(r record.Record) *problem {
			deal := r.(*record.Deal)
			return needsCurrency(deal.Currency, deal.Amount, deal.Discount, deal.Margin)
		},
	}
}

func rates() kind {
	return kind{
		fields: []Field{
			id("the rate's ID; null: `currency@day`"),
			deleted(),
			required(day("day", "the day that it was published for", func(r *record.Rate) *record.Day { return &r.Day })),
			required(currencyCode("currency", "the currency", func(r *record.Rate) *string { return &r.Currency })),
			currencyCode("reference", "the currency that it is measured in; null: the reporting currency", func(r *record.Rate) *string { return &r.Reference }),
			required(number("per_reference", "units of `currency` for one unit of `reference`", func(r *record.Rate) *record.Decimal { return &r.PerReference })),
		},
		finish: func(r record.Record) *problem {
			rate := r.(*record.Rate)
			if rate.PerReference.Coefficient <= 0 {
				return &problem{reason: ReasonAmount, field: "per_reference", detail: "is not above 0"}
			}
			if rate.Currency == rate.Reference {
				return &problem{reason: ReasonCurrency, field: "currency", detail: show(rate.Currency) + " is the reference itself"}
			}
			return nil
		},
		named: 2,
		deriveID: func(r record.Record) string {
			rate := r.(*record.Rate)
			return rate.Currency + "@" + rate.Day.String()
		},
	}
}

func costs() kind {
	return kind{
		fields: []Field{
			id("the cost's ID; null: its name"),
			deleted(),
			required(text("name", "name", func(r *record.Cost) *string { return &r.Name })),
			required(choice("category", "", []string{record.CostMarketing, record.CostSales}, func(r *record.Cost) *string { return &r.Category })),
			required(currencyCode("currency", "currency of the amount", func(r *record.Cost) *string { return &r.Currency })),
			required(amount("amount", "the cost, of each month or once", func(r *record.Cost) *record.Amount { return &r.Amount })),
			required(choice("period", "", []string{record.PeriodMonth, record.PeriodOnce}, func(r *record.Cost) *string { return &r.Period })),
			required(day("from", "first day", func(r *record.Cost) *record.Day { return &r.From })),
			day("to", "last day, included; required where `period` is `once`; null: no end", func(r *record.Cost) *record.Day { return &r.To }),
			channel("", func(r *record.Cost) *string { return &r.Channel }),
			text("program", "program", func(r *record.Cost) *string { return &r.Program }),
			text("campaign", "campaign", func(r *record.Cost) *string { return &r.Campaign }),
		},
		start: func(r record.Record) { r.(*record.Cost).To = record.NoDay },
		finish: func(r record.Record) *problem {
			cost := r.(*record.Cost)
			if cost.To == record.NoDay && cost.Period == record.PeriodOnce {
				return &problem{reason: ReasonMissing, field: "to", detail: "is empty, but the period is once"}
			}
			if cost.To != record.NoDay && cost.To < cost.From {
				return &problem{reason: ReasonValue, field: "to", detail: "is before from"}
			}
			return nil
		},
		named:    1,
		deriveID: func(r record.Record) string { return r.(*record.Cost).Name },
	}
}
