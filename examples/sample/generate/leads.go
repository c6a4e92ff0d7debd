package main

import (
	"fmt"
	"time"
)

// lead is a contact of the sales team, as the ERP's address book has it.
type lead struct {
	domain, email, owner      string
	created                   time.Time
	touch                     touch
	mql, sql, opportunity     time.Time
	disqualified, firstAnswer time.Time
}

// findLeads makes the leads: of customers, before they ordered for the first time, and
// of companies that never did.
func (c *company) findLeads(days int) {
	for _, k := range c.customers {
		if !k.lead {
			continue
		}
		created := c.businessHour(k.since.AddDate(0, 0, -1-c.r.IntN(45)))
		l := c.newLead(k.domain, k.email, k.owner, created, k.touch)
		l.mql = c.businessHour(created.AddDate(0, 0, 1+c.r.IntN(5)))
		l.sql = c.businessHour(l.mql.AddDate(0, 0, 1+c.r.IntN(6)))
		l.opportunity = c.businessHour(l.sql.AddDate(0, 0, 1+c.r.IntN(8)))
		c.leads = append(c.leads, l)
	}
	for i := range 70 {
		created := c.businessHour(c.start.AddDate(0, 0, c.r.IntN(days-1)))
		domain := fmt.Sprintf("anfrage-%02d.example", i+1)
		l := c.newLead(domain, "kontakt@"+domain, "", created, touches(c.r))
		if c.r.IntN(100) < 45 {
			l.mql = c.businessHour(created.AddDate(0, 0, 1+c.r.IntN(9)))
			if c.r.IntN(100) < 40 {
				l.sql = c.businessHour(l.mql.AddDate(0, 0, 1+c.r.IntN(12)))
			}
		} else if c.r.IntN(100) < 50 {
			l.disqualified = c.businessHour(created.AddDate(0, 0, 3+c.r.IntN(30)))
		}
		c.leads = append(c.leads, l)
	}
	for i := range c.leads {
		l := &c.leads[i]
		for _, at := range []*time.Time{&l.mql, &l.sql, &l.opportunity, &l.disqualified, &l.firstAnswer} {
			if !at.Before(c.end) {
				*at = time.Time{}
			}
		}
	}
}

func (c *company) newLead(domain, email, owner string, created time.Time, t touch) lead {
	l := lead{domain: domain, email: email, owner: owner, created: created, touch: t}
	if c.r.IntN(100) < 85 {
		l.firstAnswer = created.Add(time.Duration(10+c.r.IntN(2000)) * time.Minute)
	}
	return l
}
