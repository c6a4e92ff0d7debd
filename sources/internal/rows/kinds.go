package rows

import (
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// kind is what columns can fill in records of one kind.
type kind struct {
	fields []Field
	// start prepares an empty record; nil where record.New is enough.
	start func(record.Record)
	// finish completes a record whose fields are set and checks how they go together.
	// It may be nil.
	finish func(record.Record) *problem
	// deriveID names a record whose row has no ID of its own; nil where ID is required.
	deriveID func(record.Record) string
	// named is how many fields, after the ID and "deleted", deriveID makes the name of.
	named int
}

// Fields returns the fields that columns can fill in records of kind k, in the
// order of the documentation; nil for an unknown kind.
func Fields(k record.Kind) []Field {
	if table, ok := kindOf(k); ok {
		return table.fields
	}
	return nil
}

func kindOf(k record.Kind) (kind, bool) {
	switch k {
	case record.KindCustomer:
		return customers(), true
	case record.KindOrder:
		return orders(), true
	case record.KindRefund:
		return refunds(), true
	case record.KindCheckout:
		return checkouts(), true
	case record.KindQuote:
		return quotes(), true
	case record.KindSubscription:
		return subscriptions(), true
	case record.KindLead:
		return leads(), true
	case record.KindAccount:
		return accounts(), true
	case record.KindDeal:
		return deals(), true
	case record.KindRate:
		return rates(), true
	case record.KindCost:
		return costs(), true
	case record.KindActivity:
		return activities(), true
	case record.KindEngagement:
		return engagements(), true
	case record.KindAttendance:
		return attendances(), true
	case record.KindSurvey:
		return surveys(), true
	case record.KindReferral:
		return referrals(), true
	case record.KindTie:
		return ties(), true
	case record.KindMember:
		return members(), true
	case record.KindSpend:
		return spend(), true
	case record.KindAdQuality:
		return adQuality(), true
	case record.KindTraffic:
		return traffic(), true
	case record.KindUsers:
		return users(), true
	case record.KindPage:
		return pages(), true
	case record.KindReferrer:
		return referrers(), true
	case record.KindSearch:
		return search(), true
	case record.KindBacklink:
		return backlinks(), true
	case record.KindEmail:
		return emails(), true
	case record.KindSocial:
		return social(), true
	case record.KindTimeEntry:
		return timeEntries(), true
	}
	return kind{}, false
}

// Every table begins with these two, and next what deriveID needs (kind.named): a
// rejected row then still has its ID where that can be read.
func id(doc string) Field {
	return text("id", doc, func(r record.Record) *string { return &r.RecordMeta().ID })
}

func deleted() Field {
	return boolean("deleted", "the record no longer exists; of such a row only `id` is read",
		func(r record.Record) *bool { return &r.RecordMeta().Deleted })
}

func keys[R record.Record](at func(R) *record.Keys) []Field {
	return []Field{
		list("external_ids", "IDs that other sources know it by, `namespace:value` or `value` (namespace: the source's name)",
			func(r R) *[]string { return &at(r).ExternalIDs }),
		text("domain", "web domain of the company; hashed before it is stored", func(r R) *string { return &at(r).Domain }),
		text("email", "e-mail address; hashed before it is stored", func(r R) *string { return &at(r).Email }),
	}
}

func touch[R record.Record](at func(R) *record.Touch) []Field {
	return []Field{
		text("source", "where it came from, in the words of the file: for the channel rules", func(r R) *string { return &at(r).Source }),
		text("medium", "as `source`", func(r R) *string { return &at(r).Medium }),
		text("campaign", "as `source`", func(r R) *string { return &at(r).Campaign }),
		channel("null leaves it to the channel rules", func(r R) *string { return &at(r).Channel }),
	}
}

func needsCurrency(code string, amounts ...record.Amount) *problem {
	if code != "" || !slices.ContainsFunc(amounts, func(a record.Amount) bool { return !a.IsNull() }) {
		return nil
	}
	return &problem{reason: ReasonMissing, field: "currency", detail: "is empty, but there is an amount"}
}

func customers() kind {
	return kind{fields: slices.Concat(
		[]Field{
			required(id("the customer's ID, as orders name it")),
			deleted(),
		},
		keys(func(r *record.Customer) *record.Keys { return &r.Keys }),
		[]Field{
			boolean("company", "a company, not a person", func(r *record.Customer) *bool { return &r.Company }),
			ref("parent", "ID of the company that it belongs to", func(r *record.Customer) *record.Ref { return &r.Parent }),
			moment("created_at", "when the customer was created", func(r *record.Customer) *record.Instant { return &r.CreatedAt }),
			text("country", "country, best as an ISO 3166 code", func(r *record.Customer) *string { return &r.Country }),
			text("owner", "sales representative", func(r *record.Customer) *string { return &r.Owner }),
		},
		touch(func(r *record.Customer) *record.Touch { return &r.Touch }),
		[]Field{
			ref("referred_by", "ID of the customer that recommended it", func(r *record.Customer) *record.Ref { return &r.ReferredBy }),
		},
	)}
}

func orders() kind {
	return kind{fields: slices.Concat(
		[]Field{
			required(id("the order's ID")),
			deleted(),
			ref("customer", "the customer's ID; null for a guest", func(r *record.Order) *record.Ref { return &r.Customer }),
			required(moment("placed_at", "when the order was placed", func(r *record.Order) *record.Instant { return &r.PlacedAt })),
			moment("paid_at", "when it was paid", func(r *record.Order) *record.Instant { return &r.PaidAt }),
			choice("state", "null is `counted`", []string{record.StateCounted, record.StateCancelled, record.StateDraft, record.StateTest},
				func(r *record.Order) *string { return &r.State }),
			required(currencyCode("currency", "currency of the amounts", func(r *record.Order) *string { return &r.Currency })),
			mapped(amount("gross", "price x quantity of the product lines before discounts, without tax and shipping; null: an order without money",
				func(r *record.Order) *record.Amount { return &r.Gross })),
			amount("discount", "discounts, as a positive amount", func(r *record.Order) *record.Amount { return &r.Discount }),
			amount("cost", "cost of goods", func(r *record.Order) *record.Amount { return &r.Cost }),
			amount("costed_net", "the part of gross - discount whose cost is known; null with a cost: all of it",
				func(r *record.Order) *record.Amount { return &r.CostedNet }),
			text("country", "shipping country, best as an ISO 3166 code", func(r *record.Order) *string { return &r.Country }),
		},
		touch(func(r *record.Order) *record.Touch { return &r.Touch }),
		[]Field{
			boolean("recurring", "made by a subscription", func(r *record.Order) *bool { return &r.Recurring }),
		},
	)}
}

func refunds() kind {
	return kind{
		fields: []Field{
			required(id("the refund's ID")),
			deleted(),
			text("order", "ID of the order, of the same source; null where unknown", func(r *record.Refund) *string { return &r.Order }),
			ref("customer", "the customer's ID", func(r *record.Refund) *record.Ref { return &r.Customer }),
			text("country", "country, where the order is unknown", func(r *record.Refund) *string { return &r.Country }),
			required(moment("at", "when the money was given back", func(r *record.Refund) *record.Instant { return &r.At })),
			currencyCode("currency", "currency of the amounts; null: the order's", func(r *record.Refund) *string { return &r.Currency }),
			mapped(amount("amount", "the product part given back, as a positive amount", func(r *record.Refund) *record.Amount { return &r.Amount })),
			amount("cost", "cost of the goods given back", func(r *record.Refund) *record.Amount { return &r.Cost }),
			amount("costed_amount", "the part of `amount` whose cost is known", func(r *record.Refund) *record.Amount { return &r.CostedAmount }),
		},
		finish: func(r record.Record) *problem {
			refund := r.(*record.Refund)
			if refund.Order != "" {
				return nil
			}
			return needsCurrency(refund.Currency, refund.Amount)
		},
	}
}

func checkouts() kind {
	return kind{fields: []Field{
		required(id("the checkout's ID")),
		deleted(),
		ref("customer", "the customer's ID; null for a guest", func(r *record.Checkout) *record.Ref { return &r.Customer }),
		required(moment("started_at", "when it was started", func(r *record.Checkout) *record.Instant { return &r.StartedAt })),
		moment("changed_at", "its last change; null: `started_at`", func(r *record.Checkout) *record.Instant { return &r.ChangedAt }),
		moment("completed_at", "when it became an order; null: it did not", func(r *record.Checkout) *record.Instant { return &r.CompletedAt }),
	}}
}

func quotes() kind {
	return kind{
		fields: []Field{
			required(id("the quote's ID")),
			deleted(),
			ref("customer", "the customer's ID", func(r *record.Quote) *record.Ref { return &r.Customer }),
			text("deal", "the deal's ID", func(r *record.Quote) *string { return &r.Deal }),
			moment("sent_at", "when it was sent", func(r *record.Quote) *record.Instant { return &r.SentAt }),
			moment("decided_at", "when it was accepted or declined, or expired", func(r *record.Quote) *record.Instant { return &r.DecidedAt }),
			required(choice("state", "", []string{
				record.QuoteDraft, record.QuoteSent, record.QuoteAccepted, record.QuoteDeclined, record.QuoteExpired,
			}, func(r *record.Quote) *string { return &r.State })),
			currencyCode("currency", "currency of the amount; required with one", func(r *record.Quote) *string { return &r.Currency }),
			amount("amount", "what was offered, without tax", func(r *record.Quote) *record.Amount { return &r.Amount }),
			text("owner", "sales representative", func(r *record.Quote) *string { return &r.Owner }),
		},
		finish: func(r record.Record) *problem {
			quote := r.(*record.Quote)
			return needsCurrency(quote.Currency, quote.Amount)
		},
	}
}
