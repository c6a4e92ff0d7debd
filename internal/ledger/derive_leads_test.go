package ledger_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// leadTexts returns what the histories of customers say of leads: each customer's by itself,
// a lead being called by the hour of its event.
func leadTexts(t *testing.T, l *ledger.Ledger) [][]string {
	t.Helper()
	s, err := l.Snapshot(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	steps := []string{"", "mql", "sql", "opportunity", "customer", "disqualified", "response"}
	var customers [][]string
	if err := s.Each(t.Context(), func(u ledger.Unit) error {
		var events []history.Event
		for _, h := range u.Histories {
			var err error
			if events, _, err = history.Decode(h, events, nil); err != nil {
				return err
			}
		}
		names := map[int64]string{0: "of no lead"}
		for _, e := range events {
			if e.Kind == history.Lead {
				names[e.Ref] = "of lead " + when(e.T)
			}
		}
		var texts []string
		for _, e := range events {
			of := names[e.Ref]
			if of == "" {
				of = "of a lead elsewhere"
			}
			switch e.Kind {
			case history.Step:
				texts = append(texts, fmt.Sprintf("%s %s %s", steps[e.Label], when(e.T), of))
			case history.Answer:
				texts = append(texts, fmt.Sprintf("answer %s %s", when(e.T), of))
			case history.Won:
				text := fmt.Sprintf("won %s %s", when(e.T), of)
				if e.Has(history.OfCustomer) {
					text += ", of the customer"
				}
				texts = append(texts, text)
			}
		}
		slices.Sort(texts)
		if len(texts) > 0 {
			customers = append(customers, texts)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(customers, slices.Compare)
	return customers
}

func wantLeads(t *testing.T, l *ledger.Ledger, want ...[]string) {
	t.Helper()
	if diff := cmp.Diff(want, leadTexts(t, l)); diff != "" {
		t.Errorf("what histories say of leads (-want +got):\n%s", diff)
	}
}

func call(id, lead string, hours int) *record.Activity {
	return &record.Activity{Meta: meta(id), Type: record.ActivityCall, Lead: lead, At: moment(hours)}
}

// Each date of a lead is a step of it, and goes when the CRM takes it back.
func TestStepsOfLeads(t *testing.T) {
	l := openReady(t, newPath(t))
	full := lead("l", 2, record.Keys{})
	full.MQLAt, full.SQLAt, full.OpportunityAt, full.CustomerAt = moment(3), moment(4), moment(5), moment(6)
	full.DisqualifiedAt, full.FirstResponseAt = moment(7), moment(1)
	put(t, l, "crm", full)
	wantLeads(t, l, []string{
		"customer @6 of lead @2", "disqualified @7 of lead @2", "mql @3 of lead @2", "opportunity @5 of lead @2", "response @1 of lead @2", "sql @4 of lead @2",
	})
	less := lead("l", 2, record.Keys{})
	less.SQLAt = moment(8)
	put(t, l, "crm", less)
	wantLeads(t, l, []string{"sql @8 of lead @2"})
	put(t, l, "crm", deleted(lead("l", 0, record.Keys{})))
	wantLeads(t, l)
}

// Only what a person has done for a lead, by a channel that reaches it, is an answer.
func TestAnswersOfLeads(t *testing.T) {
	answers := []string{"answer @3 of lead @2"}
	for _, test := range []struct {
		name   string
		change func(*record.Activity)
		want   []string
	}{
		{"call", func(*record.Activity) {}, answers},
		{"email", func(a *record.Activity) { a.Type = record.ActivityEmail }, answers},
		{"sms", func(a *record.Activity) { a.Type = record.ActivitySMS }, answers},
		{"meeting", func(a *record.Activity) { a.Type = record.ActivityMeeting }, answers},
		{"not connected", func(a *record.Activity) { a.Connected = false }, answers},
		{"note", func(a *record.Activity) { a.Type = "note" }, nil},
		{"incoming", func(a *record.Activity) { a.Incoming = true }, nil},
		{"automated", func(a *record.Activity) { a.Automated = true }, nil},
		{"planned", func(a *record.Activity) { a.Planned = true }, nil},
		{"sometime", func(a *record.Activity) { a.At = record.Instant{} }, nil},
		{"to an account", func(a *record.Activity) { a.Lead, a.Account = "", record.RefTo("acc") }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := openReady(t, newPath(t))
			a := call("a", "l", 3)
			test.change(a)
			put(t, l, "crm", lead("l", 2, record.Keys{}), a)
			if test.want == nil {
				wantLeads(t, l)
			} else {
				wantLeads(t, l, test.want)
			}
		})
	}
}

// An answer is its lead's, whichever comes first and whoever the lead turns out to be.
func TestAnswersFollowTheirLeads(t *testing.T) {
	l := openReady(t, newPath(t))
	put(t, l, "crm", call("a", "1", 3))
	wantLeads(t, l, []string{"answer @3 of a lead elsewhere"})
	put(t, l, "crm", lead("1", 2, email("jane@acme.example.com")))
	wantLeads(t, l, []string{"answer @3 of lead @2"})

	// Another lead of the company, and another source's lead of that ID.
	put(t, l, "crm", lead("2", 5, email("joe@acme.example.com")), call("b", "2", 6))
	put(t, l, "other", lead("1", 7, record.Keys{}), call("c", "1", 8))
	ofAcme := []string{"answer @3 of lead @2", "answer @6 of lead @5"}
	wantLeads(t, l, ofAcme, []string{"answer @8 of lead @7"})

	// The second lead goes elsewhere, and takes its answer along.
	put(t, l, "crm", lead("2", 5, email("joe@bolt.example.net")))
	wantLeads(t, l, []string{"answer @3 of lead @2"}, []string{"answer @6 of lead @5"}, []string{"answer @8 of lead @7"})
	put(t, l, "crm", call("b", "1", 6), deleted(lead("2", 0, record.Keys{})))
	wantLeads(t, l, []string{"answer @3 of lead @2", "answer @6 of lead @2"}, []string{"answer @8 of lead @7"})
	put(t, l, "crm", deleted(call("a", "", 0)), deleted(call("b", "", 0)))
	wantLeads(t, l, []string{"answer @8 of lead @7"})
}

// A won deal is its lead's and its account's, which may be two customers, whatever
// counts as an order.
func TestWonDealsOfLeads(t *testing.T) {
	for _, b := range []ledger.Basis{ledger.BasisOrders, ledger.BasisDeals, ledger.BasisBoth} {
		t.Run(string(b), func(t *testing.T) {
			l := openReady(t, newPath(t), basis(b))
			ofLead := func(change func(*record.Deal)) *record.Deal {
				d := wonDeal(func(d *record.Deal) { d.Lead = "l" })
				change(d)
				return d
			}
			same := func(*record.Deal) {}
			put(t, l, "crm", lead("l", 2, record.Keys{}), ofLead(same))
			wantLeads(t, l, []string{"won @9 of lead @2"}, []string{"won @9 of no lead, of the customer"})
			put(t, l, "crm", ofLead(func(d *record.Deal) { d.Account = record.Ref{} }))
			wantLeads(t, l, []string{"won @9 of lead @2, of the customer"})
			put(t, l, "crm", ofLead(func(d *record.Deal) { d.Lead = "" }))
			wantLeads(t, l, []string{"won @9 of no lead, of the customer"})
			for name, change := range map[string]func(*record.Deal){
				"open": func(d *record.Deal) { d.State = record.DealOpen }, "lost": func(d *record.Deal) { d.State = record.DealLost },
				"not closed": func(d *record.Deal) { d.ClosedAt = record.Instant{} },
			} {
				put(t, l, "crm", ofLead(change))
				if got := leadTexts(t, l); len(got) > 0 {
					t.Errorf("%s: %v", name, got)
				}
			}
		})
	}
}

// A lead is labelled with what it is counted under: channel, program and campaign.
func TestTouchesOfLeads(t *testing.T) {
	rules := settings(func(s *ledger.Settings) {
		s.Channels = record.ChannelRules{{Campaign: regexp.MustCompile("^Spring"), Class: record.Class{Program: "launch"}}}
	})
	for _, test := range []struct {
		touch record.Touch
		want  string
	}{
		{record.Touch{}, "crm @2"},
		{record.Touch{Medium: "email"}, "crm @2 label=email"},
		{record.Touch{Medium: "email", Campaign: " Fair\x1f2 "}, "crm @2 label=email//Fair 2"},
		{record.Touch{Medium: "email", Campaign: "Spring"}, "crm @2 label=email/launch/Spring"},
	} {
		l := openReady(t, newPath(t), rules)
		r := lead("l", 2, record.Keys{})
		r.Touch = test.touch
		put(t, l, "crm", r)
		wantEvents(t, l, "lead", test.want)
	}
}
