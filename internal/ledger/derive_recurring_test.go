package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// derived returns the events of the given kinds that records give, as texts.
func derived(t *testing.T, kinds []string, records ...record.Record) []string {
	t.Helper()
	l := openReady(t, newPath(t))
	put(t, l, "shop", records...)
	var texts []string
	for _, text := range slices.Concat(look(t.Context(), t, l).Customers...) {
		if kind, rest, _ := strings.Cut(text, " of shop "); slices.Contains(kinds, kind) {
			texts = append(texts, kind+" "+strings.Replace(rest, when(0), "on", 1))
		}
	}
	slices.Sort(texts)
	return texts
}

// What a subscription brings follows its history, and ends with it.
func TestRevenueChanges(t *testing.T) {
	step := func(hour int, mrr record.Amount) record.MRRChange {
		return record.MRRChange{At: moment(hour), MRR: mrr}
	}
	five, seven, free, unknown := record.Micros(5), record.Micros(7), record.Micros(0), record.Amount{}
	for _, test := range []struct {
		name string
		sub  record.Subscription
		want string
	}{
		{"expansion", record.Subscription{History: []record.MRRChange{step(1, five), step(2, seven)}}, "@1 gross=5 discount=0, @2 gross=7 discount=5"},
		{"no change", record.Subscription{History: []record.MRRChange{step(1, five), step(2, five)}}, "@1 gross=5 discount=0"},
		{"a trial that was paid for", record.Subscription{History: []record.MRRChange{step(1, free), step(2, five)}}, "@2 gross=5 discount=0"},
		{"not known for a time", record.Subscription{History: []record.MRRChange{step(1, five), step(2, unknown), step(3, seven)}}, "@1 gross=5 discount=0, @2 discount=5, @3 gross=7"},
		{"of two at once the last", record.Subscription{History: []record.MRRChange{step(1, five), step(1, seven)}}, "@1 gross=7 discount=0"},
		{"in another order", record.Subscription{History: []record.MRRChange{step(2, seven), step(1, five)}}, "@1 gross=5 discount=0, @2 gross=7 discount=5"},
		{"without a date", record.Subscription{History: []record.MRRChange{{MRR: five}}}, ""},
		{"ended", record.Subscription{EndedAt: moment(3), History: []record.MRRChange{step(1, five), step(3, seven), step(4, five)}}, "@1 gross=5 discount=0, @3 gross=0 discount=5"},
		{"ended before it began", record.Subscription{EndedAt: moment(1), History: []record.MRRChange{step(1, five)}}, ""},
		{
			"a trial, with what will be paid after it", record.Subscription{
				State: record.SubscriptionTrialing, StartedAt: moment(1), History: []record.MRRChange{step(1, five)},
			}, "",
		},
		{
			"a trial that will be paid for", record.Subscription{
				State: record.SubscriptionTrialing, StartedAt: moment(1), History: []record.MRRChange{step(1, free), step(9, five)},
			}, "@9 gross=5 discount=0",
		},
		{
			"a trial after what was paid", record.Subscription{
				State: record.SubscriptionTrialing, StartedAt: moment(1), History: []record.MRRChange{step(1, five), step(3, free), step(9, five)},
			}, "@1 gross=5 discount=0, @3 gross=0 discount=5, @9 gross=5 discount=0",
		},
		{
			"a trial of which nothing is paid before its end", record.Subscription{
				State: record.SubscriptionTrialing, StartedAt: moment(1), EndedAt: moment(9), History: []record.MRRChange{step(1, five), step(9, free)},
			}, "",
		},
		{
			"a trial that nothing came before", record.Subscription{
				State: record.SubscriptionTrialing, StartedAt: moment(2), History: []record.MRRChange{step(1, free), step(2, five)},
			}, "",
		},
		{
			"a trial, and a change of the price after it", record.Subscription{
				State: record.SubscriptionTrialing, StartedAt: moment(1), History: []record.MRRChange{step(1, five), step(9, seven)},
			}, "@9 gross=7 discount=0",
		},
		{
			"a trial without a start", record.Subscription{State: record.SubscriptionTrialing, History: []record.MRRChange{step(1, five)}}, "",
		},
		{"below nothing", record.Subscription{History: []record.MRRChange{step(1, five), step(2, record.Micros(-5))}}, "@1 gross=5 discount=0, @2 discount=5"},
		{"without a history", record.Subscription{StartedAt: moment(1)}, "@1 discount=0"},
		{"ended without a history or a date", record.Subscription{State: record.SubscriptionEnded, StartedAt: moment(1)}, ""},
		{"ended without a date", record.Subscription{State: record.SubscriptionEnded, StartedAt: moment(1), History: []record.MRRChange{step(1, five)}}, ""},
		{
			"ended without a date after its last change", record.Subscription{
				State: record.SubscriptionEnded, StartedAt: moment(1), History: []record.MRRChange{step(1, free), step(2, five), step(3, seven), step(4, unknown)},
			}, "@2 gross=5 discount=0, @3 gross=7 discount=5, @4 gross=0 discount=7",
		},
		{
			"paused for a time", record.Subscription{
				State: record.SubscriptionEnded, StartedAt: moment(1), History: []record.MRRChange{step(1, five), step(3, free), step(9, five)},
			}, "@1 gross=5 discount=0, @3 gross=0 discount=5, @9 gross=5 discount=0",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.sub.ID, test.sub.Customer = "1", record.RefTo("a")
			texts := derived(t, []string{"revenue"}, &test.sub)
			if got := strings.ReplaceAll(strings.Join(texts, ", "), "revenue ", ""); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// The present state of a subscription is that of its past, save where its history shows
// another.
func TestSubscriptionStates(t *testing.T) {
	step := func(hour int, mrr int64) record.MRRChange {
		return record.MRRChange{At: moment(hour), MRR: record.Micros(mrr)}
	}
	const active, pastDue, trialing = 1, 2, 3
	span := func(from, to string, state int) string {
		return fmt.Sprintf("subscribed @%s to %s state=%d", from, to, state)
	}
	for _, test := range []struct {
		name string
		sub  record.Subscription
		want []string
	}{
		{"active", record.Subscription{StartedAt: moment(1), State: record.SubscriptionActive}, []string{span("1", "on", active)}},
		{"past due", record.Subscription{State: record.SubscriptionPastDue, History: []record.MRRChange{step(1, 5), step(2, 0)}}, []string{span("1", "on", pastDue)}},
		{"trial", record.Subscription{StartedAt: moment(1), State: record.SubscriptionTrialing}, []string{span("1", "on", trialing)}},
		{
			"a trial that will be paid for", record.Subscription{
				StartedAt: moment(1), State: record.SubscriptionTrialing, History: []record.MRRChange{step(1, 0), step(9, 5)},
			}, []string{span("1", "@9", trialing), span("9", "on", active)},
		},
		{
			"ended", record.Subscription{
				StartedAt: moment(1), EndedAt: moment(9), State: record.SubscriptionEnded, History: []record.MRRChange{step(1, 0), step(2, 5), step(3, 7)},
			}, []string{span("1", "@2", trialing), span("2", "@9", active)},
		},
		{
			"paused", record.Subscription{
				StartedAt: moment(1), State: record.SubscriptionEnded, History: []record.MRRChange{step(2, 5), step(4, 0)},
			}, []string{span("2", "@4", active)},
		},
		{
			"paused and ended", record.Subscription{
				EndedAt: moment(9), State: record.SubscriptionEnded, History: []record.MRRChange{step(2, 5), step(4, 0)},
			}, []string{span("2", "@4", active)},
		},
		{"ended without a date", record.Subscription{StartedAt: moment(1), State: record.SubscriptionEnded, History: []record.MRRChange{step(1, 5)}}, nil},
		{
			"ended without a date after a change", record.Subscription{
				StartedAt: moment(1), State: record.SubscriptionEnded, History: []record.MRRChange{step(2, 5), step(4, 7)},
			}, []string{span("2", "@4", active)},
		},
		{
			"a trial after what was paid", record.Subscription{
				StartedAt: moment(1), State: record.SubscriptionTrialing, History: []record.MRRChange{step(1, 5), step(3, 0), step(9, 5)},
			}, []string{span("1", "@3", active), span("3", "@9", trialing), span("9", "on", active)},
		},
		{"ended as it began", record.Subscription{StartedAt: moment(1), EndedAt: moment(1), State: record.SubscriptionEnded}, nil},
		{"without any date", record.Subscription{State: record.SubscriptionActive}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.sub.ID, test.sub.Customer = "1", record.RefTo("a")
			if diff := cmp.Diff(test.want, derived(t, []string{"subscribed"}, &test.sub)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwners(t *testing.T) {
	created := customer("a", 3, record.Keys{})
	created.Owner = "ada"
	account := &record.Account{Meta: meta("b"), Owner: " bob ", TargetSince: moment(2), CreatedAt: moment(5)}
	nobody := customer("c", 1, record.Keys{})
	nobody.Owner = " "
	undated := &record.Account{Meta: meta("d"), Owner: "eve"}
	got := derived(t, []string{"owned"}, created, account, nobody, undated)
	slices.Sort(got)
	want := []string{"owned rank=0 label=eve", "owned @2 rank=0 label=bob", "owned @3 rank=1 label=ada"}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
