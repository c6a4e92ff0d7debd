package main

import (
	"fmt"
	"strings"
	"time"
)

// The shop exports what its interface speaks: commas, points, times in UTC.

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func money(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// known returns an amount that is unknown where it is 0.
func known(cents int) string {
	if cents == 0 {
		return ""
	}
	return money(cents)
}

func (k *customer) shopID() string {
	if k == nil {
		return ""
	}
	return k.shop
}

func (c *company) shopCustomers() *table {
	t := &table{name: "shop-customers.csv", comma: ',', header: []string{"id", "company", "domain", "email", "country", "created_at"}}
	for _, k := range c.customers {
		if k.shop != "" {
			t.add(k.shop, fmt.Sprint(!k.person), k.domain, k.email, k.country, instant(k.since.Add(9*time.Hour)))
		}
	}
	return t
}

func (c *company) shopOrders() *table {
	t := &table{name: "shop-orders.csv", comma: ',', header: []string{
		"id", "customer", "placed_at", "state", "currency", "gross", "discount", "cost", "costed_net", "country", "source", "medium", "campaign",
	}}
	for _, o := range c.orders {
		if !o.shop {
			continue
		}
		state := o.state
		if state == "counted" {
			state = ""
		}
		costed := ""
		if o.costed != o.net() {
			costed = known(o.costed)
		}
		t.add(o.id, o.customer.shopID(), instant(o.at), state, o.currency, money(o.gross), money(o.discount), known(o.cost), costed,
			o.country, o.touch.source, o.touch.medium, o.touch.campaign)
	}
	return t
}

func (c *company) shopRefunds() *table {
	t := &table{name: "shop-refunds.csv", comma: ',', header: []string{"id", "order", "at", "amount", "cost"}}
	for _, f := range c.refunds {
		if f.order.shop {
			t.add(fmt.Sprintf("RF%d", 501+len(t.rows)), f.order.id, instant(f.at), money(f.amount), known(f.cost))
		}
	}
	return t
}

func (c *company) shopCheckouts() *table {
	t := &table{name: "shop-checkouts.csv", comma: ',', header: []string{"id", "customer", "started_at", "completed_at"}}
	for _, k := range c.checkouts {
		t.add(fmt.Sprintf("C%d", 1+len(t.rows)), k.customer.shop, instant(k.started), instant(k.completed))
	}
	return t
}

func (c *company) shopQuotes() *table {
	t := &table{name: "shop-quotes.csv", comma: ',', header: []string{"id", "customer", "sent_at", "decided_at", "state", "currency", "amount"}}
	for _, q := range c.quotes {
		t.add(fmt.Sprintf("Q%d", 301+len(t.rows)), q.customer.shop, instant(q.sent), instant(q.decided), q.state, q.currency, money(q.amount))
	}
	return t
}

// The ERP exports what a German office reads: semicolons, commas, local times, and its
// own names of columns.

func local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("02.01.2006 15:04")
}

func german(text string) string { return strings.ReplaceAll(text, ".", ",") }

func (c *company) erpCustomers() *table {
	t := &table{name: "erp-debitoren.csv", comma: ';', header: []string{"Debitor", "Shopkonto", "Domain", "Land", "Betreuer", "Konzern", "Angelegt"}}
	for _, k := range c.customers {
		if k.erp == "" {
			continue
		}
		account, domain, parent := "", k.domain, ""
		if k.linked {
			account, domain = "shop:"+k.shop, ""
		}
		if k.parent != nil {
			parent = k.parent.erp
		}
		t.add(k.erp, account, domain, k.country, k.owner, parent, local(k.since.Add(11*time.Hour)))
	}
	return t
}

func (c *company) erpOrders() *table {
	t := &table{name: "erp-auftraege.csv", comma: ';', header: []string{
		"Auftrag", "Debitor", "Datum", "Waehrung", "Brutto", "Rabatt", "Einstand", "Land", "Eingang", "Status",
	}}
	for _, o := range c.orders {
		if !o.shop {
			t.add(o.id, o.customer.erp, local(o.at), o.currency, german(money(o.gross)), german(money(o.discount)), german(known(o.cost)),
				o.country, o.touch.medium, o.state)
		}
	}
	return t
}

func (c *company) erpRefunds() *table {
	t := &table{name: "erp-gutschriften.csv", comma: ';', header: []string{"Gutschrift", "Auftrag", "Datum", "Betrag", "Einstand"}}
	for _, f := range c.refunds {
		if !f.order.shop {
			t.add(fmt.Sprintf("G-%04d", 1+len(t.rows)), f.order.id, local(f.at), german(money(f.amount)), german(known(f.cost)))
		}
	}
	return t
}

func (c *company) erpLeads() *table {
	t := &table{name: "erp-interessenten.csv", comma: ';', header: []string{
		"Nummer", "Domain", "E-Mail", "Betreuer", "Angelegt", "Quelle", "Medium", "Kampagne", "MQL", "SQL", "Chance", "Abgesagt", "Erstkontakt",
	}}
	for _, l := range c.leads {
		t.add(fmt.Sprintf("I-%04d", 1+len(t.rows)), l.domain, l.email, l.owner, local(l.created), l.touch.source, l.touch.medium, l.touch.campaign,
			local(l.mql), local(l.sql), local(l.opportunity), local(l.disqualified), local(l.firstAnswer))
	}
	return t
}
