package stripe

import (
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// customerRecord makes a customer of a customer.
func (f *fetch) customerRecord(o object) (record.Record, error) {
	var c customer
	if err := decode(o, &c); err != nil {
		return nil, err
	}
	r := &record.Customer{
		Meta: record.Meta{ID: c.ID}, Keys: record.Keys{Email: c.Email, Domain: c.Metadata[f.options.DomainMetadata]},
		CreatedAt: moment(c.Created),
	}
	if c.Address != nil {
		r.Country = strings.ToUpper(c.Address.Country)
	}
	for _, e := range f.options.ExternalIDs {
		if id := strings.TrimSpace(c.Metadata[e.Metadata]); id != "" {
			r.Keys.ExternalIDs = append(r.Keys.ExternalIDs, e.Namespace+":"+id)
		}
	}
	return r, nil
}
