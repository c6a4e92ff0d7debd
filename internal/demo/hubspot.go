package demo

import (
	"net/url"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
)

// crm shows the leads and deals as a HubSpot account.
type crm struct{ *hubspot.Server }

func newCRM(now func() time.Time) *crm {
	s := &crm{hubspot.New(now)}
	s.Token = token
	// Limits so wide that the first reading need not wait for them.
	s.Burst, s.Daily = 50_000, 50_000_000
	reps := Reps()
	for i, r := range reps {
		s.PutOwner(hubspot.Owner{
			ID: r.ID, FirstName: r.FirstName, LastName: r.LastName, Email: "rep" + r.ID + "@supply.example", Archived: i == len(reps)-1,
		})
	}
	p := hubspot.Pipeline{ID: pipeline, Label: "Sales"}
	for _, st := range Stages() {
		p.Stages = append(p.Stages, hubspot.Stage{
			ID: st.ID, Label: st.Label, Probability: st.Probability, Closed: st.ID == StageWon || st.ID == StageLost,
		})
	}
	s.PutPipeline(p)
	return s
}

const pipeline = "sales"

func (s *crm) source(url string) string {
	return "{name: crm, type: hubspot, interval: 30s, archived_every: 5m, url: " + url + ", access_token: " + token + "}"
}

func (s *crm) changes(b *Batch) []change {
	var list []change
	for _, l := range b.Leads {
		list = append(list, s.lead(l)...)
	}
	return list
}

// lead returns what happens to a lead, in order.
func (s *crm) lead(l *Lead) []change {
	var list []change
	add := func(at time.Time, apply func()) {
		if !at.IsZero() {
			list = append(list, change{at, apply})
		}
	}
	set := func(at time.Time, name, value string) {
		add(at, func() { s.Put(hubspot.Contacts, l.ID, at, map[string]string{name: value}) })
	}
	add(l.Created, func() { s.Put(hubspot.Contacts, l.ID, l.Created, contact(l)) })
	set(l.Answered, "hs_first_outreach_date", milliseconds(l.Answered))
	set(l.MQL, "lifecyclestage", "marketingqualifiedlead")
	set(l.SQL, "lifecyclestage", "salesqualifiedlead")
	set(l.Opportunity, "lifecyclestage", "opportunity")
	if l.Account != nil {
		add(l.Opportunity, func() { s.account(l) })
		list = append(list, s.deal(l)...)
	}
	set(l.Customer, "lifecyclestage", "customer")
	set(l.Unqualified, "hs_lead_status", "UNQUALIFIED")
	add(l.Archived, func() { s.Archive(hubspot.Contacts, l.ID, l.Archived) })
	if d := l.Duplicate; d != nil {
		add(d.Created, func() { s.Put(hubspot.Contacts, d.ID, d.Created, contact(l)) })
		add(d.Merged, func() { s.Merge(hubspot.Contacts, d.ID, l.ID, d.Merged) })
	}
	slices.SortStableFunc(list, func(a, b change) int { return a.at.Compare(b.at) })
	return list
}

// contact returns the properties that a lead has from the start.
func contact(l *Lead) map[string]string {
	p := map[string]string{
		"email": l.Email, "lifecyclestage": "lead", "hs_lead_status": "NEW", "hubspot_owner_id": Reps()[l.Rep].ID,
	}
	o := l.Origin
	if o.Campaign != "" {
		query := url.Values{"utm_source": {o.Source}, "utm_medium": {o.Medium}, "utm_campaign": {o.Campaign}}
		p["hs_analytics_first_url"] = "https://shop.example/?" + query.Encode()
	}
	from := func(source, first, second string) {
		p["hs_analytics_source"], p["hs_analytics_source_data_1"], p["hs_analytics_source_data_2"] = source, first, second
	}
	switch o.Channel {
	case "paid_search":
		from("PAID_SEARCH", o.Campaign, "")
	case "paid_social":
		from("PAID_SOCIAL", o.Source, o.Campaign)
	case "organic_search":
		from("ORGANIC_SEARCH", "Unknown keywords (SSL)", o.Source)
	case "organic_social":
		from("SOCIAL_MEDIA", o.Source, "")
	case "email":
		from("EMAIL_MARKETING", o.Campaign, "")
	case "referral":
		from("REFERRALS", o.Source, "")
	case "direct":
		from("DIRECT_TRAFFIC", "", "")
	default:
		from("OTHER_CAMPAIGNS", o.Campaign, o.Medium)
	}
	return p
}

// account adds the company of a lead.
func (s *crm) account(l *Lead) {
	a := l.Account
	p := map[string]string{"domain": a.Domain, "hubspot_owner_id": Reps()[l.Rep].ID}
	if a.Tier != "" {
		p["hs_is_target_account"], p["hs_ideal_customer_profile"] = "true", a.Tier
	}
	s.Put(hubspot.Companies, a.ID, l.Opportunity, p)
	s.Associate(hubspot.Contacts, l.ID, hubspot.Companies, a.ID, true, l.Opportunity)
}

// deal returns what happens to the deal of a lead.
func (s *crm) deal(l *Lead) []change {
	d := l.Deal
	var list []change
	for i, step := range d.Steps {
		list = append(list, change{step.At, func() {
			p := map[string]string{"dealstage": step.Stage}
			if i == 0 {
				p["pipeline"], p["amount"], p["deal_currency_code"] = pipeline, cents(d.Amount), d.Currency
				p["hubspot_owner_id"] = Reps()[l.Rep].ID
			}
			s.Put(hubspot.Deals, d.ID, step.At, p)
			if i == 0 {
				s.Associate(hubspot.Deals, d.ID, hubspot.Contacts, l.ID, false, step.At)
				s.Associate(hubspot.Deals, d.ID, hubspot.Companies, l.Account.ID, true, step.At)
			}
		}})
	}
	return list
}

func milliseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
