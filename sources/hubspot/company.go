package hubspot

import (
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// account makes an account of a company.
func (m *mapper) account(o object) (record.Record, error) {
	opt := &m.source.options
	r := &record.Account{
		Meta: record.Meta{ID: o.ID}, Keys: record.Keys{Domain: o.value("domain")},
		Parent: record.RefTo(o.value("hs_parent_company_id")), Owner: m.owner(o),
	}
	for _, e := range opt.ExternalIDs {
		if value := o.value(e.Property); value != "" {
			r.Keys.ExternalIDs = append(r.Keys.ExternalIDs, e.Namespace+":"+value)
		}
	}
	if opt.TargetProperty != "" {
		r.Target = slices.ContainsFunc(opt.TargetValues, func(v string) bool { return strings.EqualFold(v, o.value(opt.TargetProperty)) })
	}
	if opt.TierProperty != "" {
		r.Tier = o.value(opt.TierProperty)
	}
	var err error
	if r.CreatedAt, err = instant(o, "createdate"); err != nil {
		return nil, err
	}
	if opt.TargetSinceProperty != "" && r.Target {
		if r.TargetSince, err = instant(o, opt.TargetSinceProperty); err != nil {
			return nil, err
		}
	}
	return r, nil
}
