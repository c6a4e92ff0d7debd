package collector_test

import (
	"slices"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func responseTime(q, w string) string {
	return series("b2b_lead_response_seconds", "q="+q, "window="+w)
}

func unanswered(age string) string { return series("b2b_leads_unanswered", "age="+age) }

const (
	contactRatio  = "b2b_lead_contact_ratio"
	followUpRatio = "b2b_lead_follow_up_ratio"
)

// The time to the first outgoing activity of a person, of the leads that were answered.
func TestResponses(t *testing.T) {
	c := newMarketer(t)
	for i, answers := range [][]string{
		{"2024-05-09 10:10", "2024-05-09 10:20"}, // 600 s, and followed up
		{"2024-05-09 10:00:50"},                  // 50 s
		{"2024-05-09 09:00", "2024-05-09 09:00"}, // earlier than its creation: 0 s, and again at once
		{"2024-05-12 10:00"},                     // three days
		{"2024-05-12 12:00"},                     // at as_of: not yet
		nil,
	} {
		c.lead(numbered("l", i), "2024-05-09 10:00", record.Lead{})
		for k, at := range answers {
			c.activity(numbered(numbered("a", i), k), numbered("l", i), at, record.Activity{Type: []string{"email", "sms", "meeting", "call"}[(i+k)%4]})
		}
	}
	out := c.compute("2024-05-12 12:00")
	check(t, out, map[string]string{
		responseTime("0.5", "7d"):     "50", // of 0, 50, 600 and 259200
		responseTime("0.9", "7d"):     "259200",
		responseTime("0.95", "7d"):    "259200",
		responseTime("0.5", "1d"):     none,
		inWindow(contactRatio, "7d"):  "4/6",
		inWindow(followUpRatio, "7d"): "1/2", // the first and the third of four
		inWindow(contactRatio, "1d"):  none,
		inWindow(followUpRatio, "1d"): none,
		unanswered("1d_7d"):           "2",
		unanswered("lt_1h"):           "0",
	})
	checkReasons(t, out, map[string]string{
		"b2b_lead_response_seconds|1d": "zero_denominator", contactRatio + "|1d": "zero_denominator", contactRatio + "|7d": none,
	})
	// As it stood on the first evening.
	check(t, c.compute("2024-05-09 20:00"), map[string]string{
		responseTime("0.9", "today"): "600", inWindow(contactRatio, "today"): "1/2", inWindow(followUpRatio, "today"): "2/3",
	})
	// An answer that is taken back leaves the lead unanswered.
	c.remove("crm", "a001000", &record.Activity{})
	check(t, c.compute("2024-05-12 12:00"), map[string]string{
		responseTime("0.5", "7d"): "600", inWindow(contactRatio, "7d"): "1/2", unanswered("1d_7d"): "3",
	})
}

// What a machine sends, a lead does or somebody plans is no answer.
func TestWhatIsNoAnswer(t *testing.T) {
	c := newMarketer(t)
	c.lead("l", "2024-05-09 10:00", record.Lead{})
	c.lead("undated", "", record.Lead{MQLAt: c.at("2024-05-09 10:00")})
	for id, a := range map[string]record.Activity{
		"incoming": {Incoming: true}, "automated": {Type: record.ActivityEmail, Automated: true}, "planned": {Planned: true}, "note": {Type: "note"},
	} {
		c.activity(id, "l", "2024-05-09 10:01", a)
	}
	c.activity("elsewhere", "m", "2024-05-09 10:01", record.Activity{})
	c.activity("to one without a creation", "undated", "2024-05-09 10:01", record.Activity{})
	c.add("crm", "to an account", &record.Activity{Type: record.ActivityCall, At: c.at("2024-05-09 10:01"), Account: record.RefTo("l")})
	c.add("crm", "sometime", &record.Activity{Type: record.ActivityCall, Lead: "l"})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		inWindow(contactRatio, "1d"): "0", responseTime("0.5", "1d"): none, inWindow(followUpRatio, "1d"): none, unanswered("1h_1d"): "1",
	})
}

// The CRM's own note of the first response is an answer, and the same as the activity
// at that moment.
func TestFirstResponseOfTheCRM(t *testing.T) {
	const created, answered = "2024-05-09 10:00", "2024-05-09 10:05"
	c := newMarketer(t)
	c.lead("noted", created, record.Lead{FirstResponseAt: c.at(answered)})
	c.lead("both", created, record.Lead{FirstResponseAt: c.at(answered)})
	c.activity("a1", "both", answered, record.Activity{})
	c.lead("later", created, record.Lead{FirstResponseAt: c.at(answered)})
	c.activity("a2", "later", "2024-05-09 10:06", record.Activity{})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		responseTime("0.9", "1d"): "300", inWindow(contactRatio, "1d"): "1", inWindow(followUpRatio, "1d"): "1/3", // later
	})
}

// Without an activity source the CRM's notes are all there is; without those nobody
// keeps track of answers.
func TestNobodyRecordsAnswers(t *testing.T) {
	c := newMarketer(t, func(s *oracle.Settings) {
		for i := range s.Sources {
			s.Sources[i].Kinds = slices.DeleteFunc(s.Sources[i].Kinds, func(k record.Kind) bool { return k == record.KindActivity })
		}
	})
	c.lead("l1", "2024-05-09 10:00", record.Lead{})
	c.lead("l2", "2024-05-09 10:00", record.Lead{})
	out := c.compute("2024-05-10 00:00")
	check(t, out, map[string]string{inWindow(contactRatio, "1d"): none, unanswered("1h_1d"): none, responseTime("0.5", "1d"): none})
	checkReasons(t, out, map[string]string{contactRatio + "|1d": "no_data", "b2b_lead_response_seconds|1d": "no_data", "b2b_lead_to_close_ratio|1d": none})

	c.lead("l2", "2024-05-09 10:00", record.Lead{FirstResponseAt: c.at("2024-05-09 10:01")})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		inWindow(contactRatio, "1d"): "1/2", unanswered("1h_1d"): "1", responseTime("0.5", "1d"): "60",
		inWindow(followUpRatio, "1d"): none, // nobody knows of a second
	})
	c.remove("crm", "l2", &record.Lead{})
	checkReasons(t, c.compute("2024-05-10 00:00"), map[string]string{contactRatio + "|1d": "no_data"})
}

// Open leads without an answer, by age in disjoint buckets.
func TestUnansweredLeads(t *testing.T) {
	c := newMarketer(t)
	for id, created := range map[string]string{
		"a": "2024-05-10 11:00:00.000001", // just less than an hour
		"b": "2024-05-10 11:00",
		"c": "2024-05-09 12:00:00.000001",
		"d": "2024-05-09 12:00",
		"e": "2024-05-03 12:00:00.000001",
		"f": "2024-05-03 12:00",
		"g": "2023-05-03 12:00",
		"h": "2024-05-10 12:00", // not yet known
	} {
		c.lead(id, created, record.Lead{})
	}
	c.lead("gone", "2024-05-10 11:30", record.Lead{DisqualifiedAt: c.at("2024-05-10 11:40")})
	c.lead("bought", "2024-05-10 11:30", record.Lead{CustomerAt: c.at("2024-05-10 11:40")})
	c.lead("answered", "2024-05-10 11:30", record.Lead{})
	c.activity("x", "answered", "2024-05-10 11:40", record.Activity{})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		unanswered("lt_1h"): "1", unanswered("1h_1d"): "2", unanswered("1d_7d"): "2", unanswered("ge_7d"): "2",
	})
	// A microsecond later a, c and e are a bucket older, and h is there.
	check(t, c.compute("2024-05-10 12:00:00.000001"), map[string]string{
		unanswered("lt_1h"): "1", unanswered("1h_1d"): "2", unanswered("1d_7d"): "2", unanswered("ge_7d"): "3",
	})
}

// Visitors turn into customers where there is one site, or one is named.
func TestVisitorsToCustomers(t *testing.T) {
	const metric = "b2b_visitor_to_customer_ratio"
	given := func(t *testing.T, change ...func(*oracle.Settings)) *company {
		c := newMarketer(t, change...)
		c.users("shop.example.com", "2024-05-01", "2024-05-31", 200)
		c.users("shop.example.com", "2024-05-02", "2024-05-31", 1) // days of no window
		c.users("shop.example.com", "2024-05-31", "2024-06-01", 0)
		c.firstOrders(4, "c", "2024-05-20 12:00", "", 1)
		return c
	}
	c := given(t)
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		inWindow(metric, "30d"): "0.02", inWindow(metric, "7d"): none, inWindow(metric, "today"): none,
	})
	c.users("blog.example.com", "2024-05-01", "2024-05-31", 400)
	check(t, c.compute("2024-05-31 12:00"), map[string]string{inWindow(metric, "30d"): none})
	c = given(t, func(s *oracle.Settings) { s.FunnelSite = "blog.example.com" })
	c.users("blog.example.com", "2024-05-01", "2024-05-31", 400)
	check(t, c.compute("2024-05-31 12:00"), map[string]string{inWindow(metric, "30d"): "0.01"})
	// What was asked for is replaced as a whole.
	c.users("blog.example.com", "2024-05-01", "2024-05-31", 100)
	check(t, c.compute("2024-05-31 12:00"), map[string]string{inWindow(metric, "30d"): "0.04"})
	check(t, c.compute("2024-06-01 12:00"), map[string]string{inWindow(metric, "30d"): none}) // of other days nobody asked
}
