package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// eventsOf returns the events of a kind, whoever's they are, without what all of them say.
func eventsOf(t testing.TB, l *ledger.Ledger, kind string) []string {
	t.Helper()
	v := look(t.Context(), t, l)
	var found []string
	for _, e := range slices.Concat(append(v.Customers, v.Nobody)...) {
		if rest, ok := strings.CutPrefix(e, kind+" of "); ok {
			rest = strings.ReplaceAll(rest, " label=unknown", "")
			found = append(found, strings.TrimSuffix(strings.TrimSuffix(rest, " of=customer"), " of=store"))
		}
	}
	slices.Sort(found)
	return found
}

func wantEvents(t testing.TB, l *ledger.Ledger, kind string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, eventsOf(t, l, kind)); diff != "" {
		t.Errorf("%s events (-want +got):\n%s", kind, diff)
	}
}

func refund(id, order string, hours int) *record.Refund {
	return &record.Refund{Meta: meta(id), Order: order, At: moment(hours), Amount: record.Micros(7e6)}
}

// A refund has what its order has, whichever comes first and whatever becomes of it.
func TestRefundFollowsItsOrder(t *testing.T) {
	l := openReady(t, newPath(t))
	full := func(change func(*record.Order)) *record.Order {
		o := order("1", "a", 1)
		o.Country, o.Currency = "DE", "USD"
		change(o)
		return o
	}
	same := func(*record.Order) {}
	for _, step := range []struct {
		name string
		rec  record.Record
		want []string
	}{
		{"before its order", refund("r", "1", 9), []string{"shop @9 gross=7000000"}},
		{"the order comes", full(same), []string{"shop @9 territory=DE gross=7000000USD"}},
		{"the order moves", full(func(o *record.Order) { o.Country = "FR" }), []string{"shop @9 territory=FR gross=7000000USD"}},
		{"another currency", full(func(o *record.Order) { o.Currency = "CHF" }), []string{"shop @9 territory=DE gross=7000000CHF"}},
		{
			"its costs are known", full(func(o *record.Order) { o.Cost = record.Micros(60e6) }),
			[]string{"shop @9 territory=DE gross=7000000USD profit=7000000/7000000"},
		},
		{
			"a part of its costs", full(func(o *record.Order) { o.Cost, o.CostedNet = record.Micros(60e6), record.Micros(70e6) }),
			[]string{"shop @9 territory=DE gross=7000000USD"},
		},
		{"cancelled", full(func(o *record.Order) { o.State = record.StateCancelled }), nil},
		{"not placed", full(func(o *record.Order) { o.PlacedAt = record.Instant{} }), nil},
		{"again", full(same), []string{"shop @9 territory=DE gross=7000000USD"}},
		{"the order is gone", deleted(full(same)), []string{"shop @9 gross=7000000"}},
		{"the order is back", full(same), []string{"shop @9 territory=DE gross=7000000USD"}},
		{"the refund names another", refund("r", "2", 9), []string{"shop @9 gross=7000000"}},
		{"which does not change it", full(func(o *record.Order) { o.Country = "IT" }), []string{"shop @9 gross=7000000"}},
		{
			"with its own currency", &record.Refund{Meta: meta("r"), Order: "1", At: moment(9), Amount: record.Micros(3), Currency: "EUR"},
			[]string{"shop @9 territory=IT gross=3EUR"},
		},
		{"another source's order", full(same), []string{"shop @9 territory=DE gross=3EUR"}},
		{"no date", &record.Refund{Meta: meta("r"), Order: "1"}, nil},
		{"gone", deleted(refund("r", "", 0)), nil},
	} {
		put(t, l, "shop", step.rec)
		put(t, l, "other", full(func(o *record.Order) { o.Country = step.name }))
		t.Run(step.name, func(t *testing.T) { wantEvents(t, l, "refund", step.want...) })
	}
}

// The refund is the order's customer's; without an order it is the one's it names.
func TestRefundCountsForItsOrdersCustomer(t *testing.T) {
	l := openReady(t, newPath(t))
	r := refund("r", "1", 9)
	r.Customer = record.RefTo("c")
	put(t, l, "shop", r)
	known := "known of shop @9"
	want := func(customers ...[]string) {
		t.Helper()
		got := look(t.Context(), t, l).Customers
		for i := range got {
			for j, e := range got[i] {
				got[i][j], _, _ = strings.Cut(e, " label")
				got[i][j], _, _ = strings.Cut(got[i][j], " gross")
			}
		}
		if diff := cmp.Diff(customers, got); diff != "" {
			t.Errorf("customers (-want +got):\n%s", diff)
		}
	}
	want([]string{known, "refund of shop @9"})
	put(t, l, "shop", order("1", "a", 1))
	want([]string{known}, []string{"order of shop @1", "refund of shop @9"})
	put(t, l, "shop", order("1", "b", 2))
	want([]string{known}, []string{"order of shop @2", "refund of shop @9"})
	put(t, l, "shop", order("1", "", 2)) // a guest's
	want([]string{known})
	put(t, l, "shop", deleted(order("1", "", 2)))
	want([]string{known, "refund of shop @9"})
}

func wonDeal(change func(*record.Deal)) *record.Deal {
	d := &record.Deal{
		Meta: meta("d"), Account: record.RefTo("acc"), State: record.DealWon, CreatedAt: moment(5), ClosedAt: moment(9),
		Currency: "EUR", Amount: record.Micros(50), Margin: record.Micros(20),
	}
	change(d)
	return d
}

// With basis "both" a deal is its order where that is known, else an order of its own.
func TestDealFollowsItsOrder(t *testing.T) {
	l := openReady(t, newPath(t), basis(ledger.BasisBoth))
	asDeal := "crm @9 gross=50EUR profit=20/50"
	named := wonDeal(func(d *record.Deal) { d.Order = "shop:1" })
	for _, step := range []struct {
		name, source string
		rec          record.Record
		want         []string
	}{
		{"before its order", "crm", named, []string{asDeal}},
		{"another source's order of that id", "crm", order("1", "a", 1), []string{asDeal, "crm @1 gross=100000000EUR"}},
		{"not any more", "crm", deleted(order("1", "a", 1)), []string{asDeal}},
		{"the order comes", "shop", order("1", "a", 1), []string{"shop @1 gross=100000000EUR"}},
		{"the order changes", "shop", order("1", "a", 2), []string{"shop @2 gross=100000000EUR"}},
		{"the order is cancelled", "shop", &record.Order{Meta: meta("1"), State: record.StateCancelled}, nil},
		{"the order is gone", "shop", deleted(order("1", "a", 1)), []string{asDeal}},
		{"the order is back", "shop", order("1", "a", 1), []string{"shop @1 gross=100000000EUR"}},
		{"it names none", "crm", wonDeal(func(*record.Deal) {}), []string{asDeal, "shop @1 gross=100000000EUR"}},
		{"it is lost", "crm", wonDeal(func(d *record.Deal) { d.State = record.DealLost }), []string{"shop @1 gross=100000000EUR"}},
		{
			"no amount", "crm", wonDeal(func(d *record.Deal) { d.Amount, d.Margin = record.Amount{}, record.Amount{} }),
			[]string{"crm @9", "shop @1 gross=100000000EUR"},
		},
		{"an order of its own source", "crm", wonDeal(func(d *record.Deal) { d.Order = "7" }), []string{asDeal, "shop @1 gross=100000000EUR"}},
		{"comes", "crm", order("7", "b", 3), []string{"crm @3 gross=100000000EUR", "shop @1 gross=100000000EUR"}},
		{"gone", "crm", deleted(wonDeal(func(*record.Deal) {})), []string{"crm @3 gross=100000000EUR", "shop @1 gross=100000000EUR"}},
	} {
		put(t, l, step.source, step.rec)
		t.Run(step.name, func(t *testing.T) {
			got := eventsOf(t, l, "order")
			slices.Sort(step.want)
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("order events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDealFollowsItsLead(t *testing.T) {
	l := openReady(t, newPath(t), basis(ledger.BasisDeals))
	ofLead := func(hours int) record.Record {
		return wonDeal(func(d *record.Deal) { d.Account, d.Lead, d.ClosedAt = record.Ref{}, "l", moment(hours) })
	}
	together := func(want bool) {
		t.Helper()
		if got := slices.Contains(partition(t, l), "2 9"); got != want {
			t.Errorf("customers %v; the deal is its lead's: %t, want %t", partition(t, l), got, want)
		}
	}
	put(t, l, "crm", ofLead(9))
	together(false)
	put(t, l, "crm", lead("l", 2, record.Keys{}))
	together(true)
	put(t, l, "other", lead("l", 3, record.Keys{}))
	together(true)
	put(t, l, "crm", deleted(lead("l", 2, record.Keys{})))
	together(false)
	put(t, l, "crm", lead("l", 2, email("jane@example.com")))
	together(true)
	put(t, l, "crm", wonDeal(func(*record.Deal) {}))
	together(false) // an account comes before a lead
	put(t, l, "crm", ofLead(9))
	together(true)
}

func TestBasis(t *testing.T) {
	for b, want := range map[ledger.Basis]string{
		ledger.BasisOrders: "shop @1 label=unknown gross=100000000EUR of=store of=customer",
		ledger.BasisDeals:  "crm @9 label=unknown gross=50EUR profit=20/50 of=customer; shop @1 label=unknown gross=100000000EUR of=store",
		ledger.BasisBoth: "crm @9 label=unknown gross=50EUR profit=20/50 of=customer; " +
			"shop @1 label=unknown gross=100000000EUR of=store of=customer",
	} {
		l := openReady(t, newPath(t), basis(b))
		put(t, l, "shop", order("1", "a", 1))
		put(t, l, "crm", wonDeal(func(*record.Deal) {}))
		var got []string
		for _, e := range slices.Concat(look(t.Context(), t, l).Customers...) {
			if rest, ok := strings.CutPrefix(e, "order of "); ok {
				got = append(got, rest)
			}
		}
		slices.Sort(got)
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("basis %s: %s, want %s", b, text, want)
		}
	}
}

func TestOrders(t *testing.T) {
	guest := order("1", "", 1)
	draft, test, cancelled := order("1", "a", 1), order("1", "a", 1), order("1", "a", 1)
	draft.State, test.State, cancelled.State = record.StateDraft, record.StateTest, record.StateCancelled
	paid := order("1", "a", 1)
	paid.PaidAt = moment(3)
	bare := &record.Order{Meta: meta("1"), Customer: record.RefTo("a"), PlacedAt: moment(1)}
	dated := order("1", "a", 1)
	dated.PlacedAt = record.OnDate(record.DateDay(2024, time.January, 2))
	rich := order("1", "a", 1)
	rich.Discount, rich.Cost, rich.State = record.Micros(30e6), record.Micros(50e6), record.StateCounted
	rich.Country, rich.Touch = "AT", record.Touch{Source: "google", Medium: "cpc"}
	rules := settings(func(s *ledger.Settings) {
		s.Territories = map[string]string{"AT": "dach"}
	})
	countPaid := settings(func(s *ledger.Settings) { s.CountPaid = true })
	for _, test := range []struct {
		name    string
		order   *record.Order
		options []option
		want    view
	}{
		{"guest", guest, nil, view{Nobody: []string{"order of shop @1 label=unknown gross=100000000EUR of=store of=customer"}}},
		{"draft", draft, nil, view{Customers: [][]string{{"known of shop @1"}}}},
		{"test", test, nil, view{Customers: [][]string{{"known of shop @1"}}}},
		{"cancelled", cancelled, nil, view{Customers: [][]string{{"known of shop @1"}}}},
		{"nothing but a date", bare, nil, view{Customers: [][]string{{"order of shop @1 label=unknown of=store of=customer"}}}},
		{
			"a date without a time", dated, nil,
			view{Customers: [][]string{{"order of shop @24 label=unknown gross=100000000EUR of=store of=customer"}}},
		},
		{"full", rich, []option{rules}, view{Customers: [][]string{{
			"order of shop @1 label=paid_search territory=dach gross=100000000EUR discount=30000000 profit=20000000/70000000 of=store of=customer",
		}}}},
		{"not paid", order("1", "a", 1), []option{countPaid}, view{Customers: [][]string{{"known of shop @1"}}}},
		{"paid", paid, []option{countPaid}, view{Customers: [][]string{{
			"known of shop @1", "order of shop @3 label=unknown gross=100000000EUR of=store of=customer",
		}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := openReady(t, newPath(t), test.options...)
			put(t, l, "shop", clone(test.order))
			if diff := cmp.Diff(test.want, look(t.Context(), t, l)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherRecords(t *testing.T) {
	history := func(steps ...int) []record.MRRChange { // hour, amount
		var h []record.MRRChange
		for i := 0; i < len(steps); i += 2 {
			h = append(h, record.MRRChange{At: moment(steps[i]), MRR: record.Micros(int64(steps[i+1]))})
		}
		return h
	}
	subscription := func(s record.Subscription) record.Record {
		s.ID, s.Customer = "1", record.RefTo("a")
		return &s
	}
	for _, test := range []struct {
		name string
		rec  record.Record
		want view
	}{
		{
			"checkout", &record.Checkout{Meta: meta("1"), Customer: record.RefTo("a"), StartedAt: moment(2), ChangedAt: moment(4)},
			view{Customers: [][]string{{"known of shop @2"}}, Nobody: []string{"checkout of shop @2 to @5"}},
		},
		{"checkout of a guest", &record.Checkout{Meta: meta("1"), StartedAt: moment(2)}, view{Nobody: []string{"checkout of shop @2 to @3"}}},
		{"completed checkout", &record.Checkout{Meta: meta("1"), StartedAt: moment(2), CompletedAt: moment(9)}, view{}},
		{
			"quote", &record.Quote{Meta: meta("1"), State: record.QuoteAccepted, SentAt: moment(2), DecidedAt: moment(3)},
			view{Nobody: []string{"quote of shop @2 label=sent", "quote of shop @3 label=accepted"}},
		},
		{
			"sent quote", &record.Quote{Meta: meta("1"), State: record.QuoteSent, SentAt: moment(2), DecidedAt: moment(3)},
			view{Nobody: []string{"quote of shop @2 label=sent"}},
		},
		{
			"draft quote", &record.Quote{Meta: meta("1"), Customer: record.RefTo("a"), State: record.QuoteDraft, SentAt: moment(2)},
			view{Customers: [][]string{{"known of shop @2"}}},
		},
		{
			"subscription", subscription(record.Subscription{StartedAt: moment(1), History: history(2, 5, 4, 7, 6, 0, 8, 3)}),
			view{Customers: [][]string{{
				"known of shop @1", "live of shop @2 to @6", "live of shop @8 to " + when(0),
				"revenue of shop @2 gross=5 discount=0", "revenue of shop @4 gross=7 discount=5", "revenue of shop @6 gross=0 discount=7",
				"revenue of shop @8 gross=3 discount=0", "subscribed of shop @1 to " + when(0) + " state=1",
			}}},
		},
		{
			"ended subscription", subscription(record.Subscription{EndedAt: moment(5), History: history(2, 5)}),
			view{Customers: [][]string{{
				"known of shop @2", "live of shop @2 to @5", "revenue of shop @2 gross=5 discount=0", "revenue of shop @5 gross=0 discount=5",
				"subscribed of shop @2 to @5 state=1",
			}}},
		},
		{
			"subscription without a history", subscription(record.Subscription{StartedAt: moment(1), EndedAt: moment(3)}),
			view{Customers: [][]string{{
				"known of shop @1", "live of shop @1 to @3", "revenue of shop @1 discount=0", "revenue of shop @3 gross=0",
				"subscribed of shop @1 to @3 state=1",
			}}},
		},
		{
			"trial", subscription(record.Subscription{State: record.SubscriptionTrialing, StartedAt: moment(1)}),
			view{Customers: [][]string{{"known of shop @1", "subscribed of shop @1 to " + when(0) + " state=3"}}},
		},
		{
			"lead", &record.Lead{Meta: meta("1"), CreatedAt: moment(3), MQLAt: moment(2), Touch: record.Touch{Medium: "email"}},
			view{Customers: [][]string{{"lead of shop @3 label=email", "step of shop @2 step=1"}}},
		},
		{
			"lead without a creation", &record.Lead{Meta: meta("1"), MQLAt: moment(2)},
			view{Customers: [][]string{{"lead of shop @2 label=unknown", "step of shop @2 step=1"}}},
		},
		{"customer without a date", &record.Customer{Meta: meta("1")}, view{Customers: [][]string{{"known of shop label=customer"}}}},
		{
			"target account", &record.Account{Meta: meta("1"), Target: true, QualifiedAt: moment(1), CreatedAt: moment(2)},
			view{Customers: [][]string{{"known of shop @1 label=account"}}},
		},
		{
			"account with a key", &record.Account{Meta: meta("1"), Keys: domain("example.com")},
			view{Customers: [][]string{{"known of shop label=account"}}},
		},
		{"account", &record.Account{Meta: meta("1"), CreatedAt: moment(2)}, view{}},
		{
			"open deal", &record.Deal{Meta: meta("1"), Account: record.RefTo("a"), CreatedAt: moment(2)},
			view{Customers: [][]string{{"known of shop @2"}}},
		},
		{"rate", &record.Rate{Meta: meta("1"), Day: 1}, view{}},
		{"cost", &record.Cost{Meta: meta("1"), From: 1}, view{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := openReady(t, newPath(t))
			put(t, l, "shop", test.rec)
			if diff := cmp.Diff(test.want, look(t.Context(), t, l)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			gone := record.New(test.rec.RecordKind())
			gone.RecordMeta().ID = "1"
			put(t, l, "shop", deleted(gone))
			if diff := cmp.Diff(view{}, look(t.Context(), t, l)); diff != "" {
				t.Errorf("after deleting it (-want +got):\n%s", diff)
			}
		})
	}
}

// More records without a customer than one chunk takes, deleted in another order.
func TestManyGuests(t *testing.T) {
	l := openReady(t, newPath(t))
	s := begin(t.Context(), t, l, "shop", false)
	var batch ledger.Batch
	for n := range 500 {
		batch.Records = append(batch.Records, order(fmt.Sprint(n), "", n))
	}
	commitBatch(t.Context(), t, s, batch)
	if got := len(look(t.Context(), t, l).Nobody); got != 500 {
		t.Errorf("%d orders of guests, want 500", got)
	}
	remove := ledger.Batch{}
	for n := 1; n < 500; n += 2 {
		remove.Records = append(remove.Records, deleted(order(fmt.Sprint(n), "", 0)))
	}
	slices.Reverse(remove.Records)
	commitBatch(t.Context(), t, s, remove)
	for _, e := range look(t.Context(), t, l).Nobody {
		hour := strings.Fields(e)[3]
		if last := hour[len(hour)-1]; last%2 == 1 {
			t.Errorf("still there: %s", e)
		}
	}
}
