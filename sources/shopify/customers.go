package shopify

import (
	"context"
	"encoding/json"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// addCustomer adds a person. The companies that it buys for are keys of it, so that
// it is one customer with them.
func (s *Source) addCustomer(_ context.Context, raw json.RawMessage, page *sources.Page) (*stamp, error) {
	var c customer
	if err := json.Unmarshal(raw, &c); err != nil {
		page.Rejected = append(page.Rejected, unreadable(record.KindCustomer, raw, err))
		return nil, nil
	}
	r := &record.Customer{Meta: record.Meta{ID: c.ID}, CreatedAt: record.At(c.CreatedAt)}
	if c.DefaultEmailAddress != nil {
		r.Keys.Email = c.DefaultEmailAddress.EmailAddress
	}
	if c.DefaultAddress != nil {
		r.Country = c.DefaultAddress.CountryCode
	}
	for _, p := range c.CompanyContactProfiles {
		if p.Company.ID != "" {
			r.Keys.ExternalIDs = append(r.Keys.ExternalIDs, s.name+":"+p.Company.ID)
		}
	}
	page.Records = append(page.Records, r)
	return &c.stamp, nil
}

// addCompany adds a B2B company.
func (s *Source) addCompany(_ context.Context, raw json.RawMessage, page *sources.Page) (*stamp, error) {
	var c company
	if err := json.Unmarshal(raw, &c); err != nil {
		page.Rejected = append(page.Rejected, unreadable(record.KindCustomer, raw, err))
		return nil, nil
	}
	r := &record.Customer{Meta: record.Meta{ID: c.ID}, Company: true, CreatedAt: record.At(c.CreatedAt)}
	if c.CustomerSince != nil {
		r.CreatedAt = record.At(*c.CustomerSince)
	}
	if c.ExternalID != "" {
		namespace := s.options.ExternalIDs
		if namespace == "" {
			namespace = s.name
		}
		r.Keys.ExternalIDs = []string{namespace + ":" + c.ExternalID}
	}
	for _, l := range c.Locations.Nodes {
		for _, a := range []*address{l.ShippingAddress, l.BillingAddress} {
			if a != nil && r.Country == "" {
				r.Country = a.CountryCode
			}
		}
	}
	page.Records = append(page.Records, r)
	return &c.stamp, nil
}

// addCheckout adds a checkout that was abandoned, or completed after all.
func (s *Source) addCheckout(_ context.Context, raw json.RawMessage, page *sources.Page) (*stamp, error) {
	var c checkout
	if err := json.Unmarshal(raw, &c); err != nil {
		page.Rejected = append(page.Rejected, unreadable(record.KindCheckout, raw, err))
		return nil, nil
	}
	r := &record.Checkout{Meta: record.Meta{ID: c.ID}, StartedAt: record.At(c.CreatedAt), ChangedAt: record.At(c.UpdatedAt)}
	if c.CompletedAt != nil {
		r.CompletedAt = record.At(*c.CompletedAt)
	}
	if c.Customer != nil {
		r.Customer = record.RefTo(c.Customer.ID)
	}
	page.Records = append(page.Records, r)
	return &c.stamp, nil
}
