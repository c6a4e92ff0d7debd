package woocommerce

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// addCustomer adds an account. Those of the shop's own people are none.
func (s *Source) addCustomer(_ context.Context, raw json.RawMessage, page *sources.Page) error {
	var c customer
	if err := json.Unmarshal(raw, &c); err != nil {
		unreadable(record.KindCustomer, raw, err, page)
		return nil
	}
	if isStaff(c.Role) {
		return nil
	}
	in := &reader{rounded: &page.Rounded}
	r := &record.Customer{
		Meta: record.Meta{ID: idText(c.ID)}, CreatedAt: in.moment(c.Created, "date_created_gmt"), Country: c.Billing.Country,
		Keys: record.Keys{Email: c.Email},
	}
	// The bill may go to the company where the account is a person's.
	if _, domain, ok := strings.Cut(c.Billing.Email, "@"); ok && !strings.EqualFold(c.Billing.Email, c.Email) {
		r.Keys.Domain = domain
	}
	if id := c.Meta.text(s.options.CompanyMeta); id != "" {
		namespace := s.options.ExternalIDs
		if namespace == "" {
			namespace = s.name
		}
		r.Keys.ExternalIDs = append(r.Keys.ExternalIDs, namespace+":"+id)
	}
	if name := companyName(c.Billing.Company); s.options.CompanyNames && name != "" {
		r.Keys.ExternalIDs = append(r.Keys.ExternalIDs, s.name+":company="+name)
	}
	if in.err == nil {
		page.Records = append(page.Records, r)
	} else {
		page.Rejected = append(page.Rejected, rejection(record.KindCustomer, c.ID, in.reason, in.err))
	}
	return nil
}

// isStaff says whether a role is one of those who run the shop.
func isStaff(role string) bool {
	switch role {
	case "administrator", "editor", "author", "contributor", "shop_manager":
		return true
	}
	return false
}

// companyName returns a name without what people write differently: case, dots, commas and
// spaces. Of fewer than three letters it is taken for "-" or "no".
func companyName(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \t\u00a0.,", r) })
	name := strings.Join(words, " ")
	if len([]rune(name)) < 3 {
		return ""
	}
	return name
}
