package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// newMarketer opens a company that also has configured costs, ads, an analytics tool and
// a CRM that records activities.
func newMarketer(t *testing.T, change ...func(*oracle.Settings)) *company {
	t.Helper()
	return newCompany(t, append([]func(*oracle.Settings){withMarketing}, change...)...)
}

func withMarketing(s *oracle.Settings) {
	for i := range s.Sources {
		if s.Sources[i].Name == "crm" {
			s.Sources[i].Kinds = append(s.Sources[i].Kinds, record.KindActivity)
		}
	}
	s.Sources = append(
		s.Sources,
		oracle.Source{Name: "budget", Kinds: []record.Kind{record.KindCost}},
		oracle.Source{Name: "ads", Kinds: []record.Kind{record.KindSpend, record.KindAdQuality}},
		oracle.Source{Name: "web", Kinds: []record.Kind{record.KindTraffic, record.KindUsers, record.KindReferrer}},
	)
}

func (c *company) day(text string) record.Day {
	c.Helper()
	return record.DayOf(c.moment(text))
}

// once puts a cost that is paid once for a day, of marketing where it names no category.
func (c *company) once(id, day string, r record.Cost) {
	c.Helper()
	c.spread(id, day, day, r)
}

// spread puts a cost that is paid once for the days from first to last.
func (c *company) spread(id, first, last string, r record.Cost) {
	c.Helper()
	r.Period = record.PeriodOnce
	c.entry(id, first, last, r)
}

// monthly puts a cost that is paid each month, without an end where last is empty.
func (c *company) monthly(id, first, last string, r record.Cost) {
	c.Helper()
	r.Period = record.PeriodMonth
	c.entry(id, first, last, r)
}

func (c *company) entry(id, first, last string, r record.Cost) {
	c.Helper()
	r.From, r.To = c.day(first), record.NoDay
	if last != "" {
		r.To = c.day(last)
	}
	if r.Category == "" {
		r.Category = record.CostMarketing
	}
	c.add("budget", id, &r)
}

// salaries puts a sales cost of 0 without an end, so that sales costs are known.
func (c *company) salaries(from string) {
	c.Helper()
	c.monthly("salaries", from, "", record.Cost{Category: record.CostSales, Amount: units(0)})
}

// spend puts what was spent on ads of a day, through a channel where the rest does not say.
func (c *company) spend(id, day, channel string, amount int64, s record.Spend) {
	c.Helper()
	s.Day, s.Cost, s.Touch.Channel = c.day(day), units(amount), channel
	c.add("ads", id, &s)
}

// lead puts a lead of the CRM; without a moment its creation is not known.
func (c *company) lead(id, created string, l record.Lead) {
	c.Helper()
	if created != "" {
		l.CreatedAt = c.at(created)
	}
	c.add("crm", id, &l)
}

// activity puts what somebody did for a lead, a call where it says nothing else.
func (c *company) activity(id, lead, at string, a record.Activity) {
	c.Helper()
	a.Lead, a.At = lead, c.at(at)
	if a.Type == "" {
		a.Type = record.ActivityCall
	}
	c.add("crm", id, &a)
}

// users puts the different visitors of a site from first up to, not including, end.
func (c *company) users(site, first, end string, n int64) {
	c.Helper()
	c.usersOf(record.UsersTotal, site, first, end, n)
}

func (c *company) usersOf(kind, site, first, end string, n int64) {
	c.Helper()
	c.add("web", site+first+end+kind, &record.Users{Site: site, Start: c.day(first), End: c.day(end), Kind: kind, Users: units(n)})
}

// traffic puts what an analytics tool counted on a day.
func (c *company) traffic(id, day string, r record.Traffic) {
	c.Helper()
	r.Day = c.day(day)
	c.add("web", id, &r)
}

// firstOrders puts n customers that order for the first time, each for gross.
func (c *company) firstOrders(n int, prefix, placed, channel string, gross int64) {
	c.Helper()
	for i := range n {
		id := numbered(prefix, i)
		c.order(id, id, placed, record.Order{Gross: units(gross), Touch: record.Touch{Channel: channel}})
	}
}

func marketingCost(channel, w string) string {
	return series("b2b_marketing_cost", "channel="+channel, "window="+w)
}

func salesCost(w string) string { return series("b2b_sales_cost", "window="+w) }

// costOf is the cost of a new customer on a basis.
func costOf(basis, w string) string {
	return series("b2b_customer_acquisition_cost", "basis="+basis, "window="+w)
}

func costByChannel(channel, w string) string {
	return series("b2b_customer_acquisition_cost_by_channel", "channel="+channel, "window="+w)
}

func costByCampaign(channel, campaign, w string) string {
	return series("b2b_customer_acquisition_cost_by_campaign", "channel="+channel, "campaign="+campaign, "window="+w)
}

func costByProgram(program, w string) string {
	return series("b2b_customer_acquisition_cost_by_program", "program="+program, "window="+w)
}

// inWindow is the sample of a metric whose only label is the window.
func inWindow(metric, w string) string { return series(metric, "window="+w) }

// The examples that define costs and acquisition.
func TestExamplesOfAcquisition(t *testing.T) {
	const placed, asOf = "2024-05-01 10:00", "2024-05-02 00:00"
	for _, test := range []struct {
		name  string
		given func(*company)
		want  map[string]string
	}{
		{
			"10,000 on paid search brought 100 leads, 2,000 on organic search 50",
			func(c *company) {
				c.spend("s", placed, "paid_search", 10_000, record.Spend{})
				c.once("c", placed, record.Cost{Amount: units(2_000), Channel: "organic_search"})
				for i := range 150 {
					channel := "paid_search"
					if i >= 100 {
						channel = "organic_search"
					}
					c.lead(numbered("l", i), placed, record.Lead{Touch: record.Touch{Channel: channel}})
				}
			},
			map[string]string{
				series("b2b_cost_per_lead_by_channel", "channel=paid_search", "window=1d"):    "100",
				series("b2b_cost_per_lead_by_channel", "channel=organic_search", "window=1d"): "40",
				inWindow("b2b_cost_per_lead", "1d"):                                           "80", // 12,000 / 150
			},
		},
		{
			"20,000 invested, 50,000 gained",
			func(c *company) {
				c.once("c", placed, record.Cost{Amount: units(20_000), Channel: "event"})
				c.firstOrders(5, "c", placed, "event", 10_000)
			},
			map[string]string{
				inWindow("b2b_marketing_roi_ratio", "1d"):                                  "1.5",
				series("b2b_marketing_roi_ratio_by_channel", "channel=event", "window=1d"): "1.5",
			},
		},
		{
			"25,000 spent, 100 new customers",
			func(c *company) {
				c.once("c", placed, record.Cost{Amount: units(15_000)})
				c.once("s", placed, record.Cost{Amount: units(10_000), Category: record.CostSales})
				c.firstOrders(100, "c", placed, "", 1)
			},
			map[string]string{costOf("fully_loaded", "1d"): "250", costOf("marketing", "1d"): "150"},
		},
		{
			"2,000 on social ads, 10 customers",
			func(c *company) {
				c.spend("s", placed, "paid_social", 2_000, record.Spend{})
				c.firstOrders(10, "c", placed, "paid_social", 1)
				c.firstOrders(10, "d", placed, "email", 1)
			},
			map[string]string{costByChannel("paid_social", "1d"): "200", costOf("paid", "1d"): "200", costOf("marketing", "1d"): "100"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newMarketer(t)
			test.given(c)
			check(t, c.compute(asOf), test.want)
		})
	}
}

// The examples that define the funnel.
func TestExamplesOfTheFunnel(t *testing.T) {
	toClose := func(method string) string {
		return series("b2b_lead_to_close_ratio", "method="+method, "window=30d")
	}
	t.Run("500 leads, 40 become customers", func(t *testing.T) {
		c := newMarketer(t)
		for i := range 500 {
			var l record.Lead
			if i < 40 {
				l.CustomerAt = c.at("2024-05-20 12:00")
			}
			c.lead(numbered("l", i), "2024-05-02 12:00", l)
		}
		check(t, c.compute("2024-06-01 00:00"), map[string]string{toClose("cohort"): "0.08", toClose("period"): "0.08"})
	})
	t.Run("100 leads a month, 20 sales", func(t *testing.T) {
		c := newMarketer(t)
		for i := range 100 {
			c.lead(numbered("new", i), "2024-05-15 12:00", record.Lead{})
		}
		for i := range 20 { // of leads that came before
			c.lead(numbered("old", i), "2024-04-01 12:00", record.Lead{CustomerAt: c.at("2024-05-20 12:00")})
		}
		check(t, c.compute("2024-05-31 00:00"), map[string]string{toClose("period"): "0.20", toClose("cohort"): "0"})
	})
}
