package hubspot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// mapper makes records of what one stream reads.
type mapper struct {
	source      *Source
	stream      stream
	environment sources.Environment
	directory   *directory
	renewed     bool // the directory was read in this Fetch
	properties  []string
}

func (s *Source) newMapper(ctx context.Context, st stream, env sources.Environment) (*mapper, error) {
	d, err := s.directory(ctx, env.Now, st.kind == record.KindDeal, false)
	if err != nil {
		return nil, err
	}
	m := &mapper{source: s, stream: st, environment: env, directory: d, renewed: d.read.Equal(env.Now)}
	m.properties = s.properties(st, d)
	return m, nil
}

// properties returns what is asked for of a record.
func (s *Source) properties(st stream, d *directory) []string {
	o := &s.options
	names := []string{"createdate", "hubspot_owner_id", "hs_merged_object_ids"}
	switch st.kind {
	case record.KindLead:
		names = append(names, "email", "associatedcompanyid", "lifecyclestage", "hs_lead_status", "hs_analytics_source", "hs_analytics_source_data_1",
			"hs_analytics_source_data_2", "hs_analytics_first_url", "hs_calculated_merged_vids", o.FirstResponseProperty, o.ReferredByProperty)
		for _, list := range o.Lifecycle.stages() {
			for _, stage := range list.values {
				names = append(names, stageProperties(stage)...)
			}
		}
	case record.KindAccount:
		names = append(names, "domain", "hs_parent_company_id", o.TargetProperty, o.TargetSinceProperty, o.TierProperty)
		for _, e := range o.ExternalIDs {
			names = append(names, e.Property)
		}
	case record.KindDeal:
		names = append(names, "amount", "deal_currency_code", "pipeline", "dealstage", "closedate", "hs_is_closed", "hs_is_closed_won",
			"hs_deal_stage_probability", o.DiscountProperty, o.MarginProperty, o.OrderProperty)
		names = append(names, d.entered()...)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// page makes a page of records.
func (m *mapper) page(ctx context.Context, objects []object) (sources.Page, error) {
	page := sources.Page{Progress: -1}
	if err := m.renew(ctx, objects); err != nil {
		return page, err
	}
	var links dealLinks
	if m.stream.kind == record.KindDeal {
		var err error
		if links, err = m.source.dealLinks(ctx, objects); err != nil {
			return page, err
		}
	}
	for i, o := range objects {
		if o.ID == "" {
			page.Rejected = append(page.Rejected, sources.Rejection{
				Kind: m.stream.kind, Reason: "no id", Where: fmt.Sprintf("%s, number %d of a page", m.stream.object, i+1), Detail: "id: is missing",
			})
			continue
		}
		if o.Archived {
			page.Records = append(page.Records, record.Tombstone(m.stream.kind, o.ID))
			continue
		}
		for _, id := range merged(o) {
			page.Records = append(page.Records, record.Tombstone(m.stream.kind, id))
		}
		r, rounded, err := m.record(o, links)
		if err != nil {
			rejection := sources.Rejection{Kind: m.stream.kind, ID: o.ID, Reason: "bad value", Where: m.stream.object + " " + o.ID, Detail: err.Error()}
			if field, ok := errors.AsType[*fieldError](err); ok {
				rejection.Reason = field.reason
			}
			page.Rejected = append(page.Rejected, rejection)
			continue
		}
		page.Records = append(page.Records, r)
		page.Rounded += rounded
	}
	return page, nil
}

// renew reads the directory again, once, where a record has an owner that is not in it.
func (m *mapper) renew(ctx context.Context, objects []object) error {
	if m.renewed || !slices.ContainsFunc(objects, func(o object) bool {
		owner := o.value("hubspot_owner_id")
		return owner != "" && m.directory.owners[owner] == ""
	}) {
		return nil
	}
	d, err := m.source.directory(ctx, m.environment.Now, m.stream.kind == record.KindDeal, true)
	if err != nil {
		return err
	}
	m.directory, m.renewed = d, true
	return nil
}

// owner returns the name of a record's owner; its ID where it has none.
func (m *mapper) owner(o object) string {
	id := o.value("hubspot_owner_id")
	if name := m.directory.owners[id]; name != "" {
		return name
	}
	return id
}

func (m *mapper) record(o object, links dealLinks) (r record.Record, rounded int, err error) {
	switch m.stream.kind {
	case record.KindLead:
		r, err = m.lead(o)
	case record.KindAccount:
		r, err = m.account(o)
	default:
		return m.deal(o, links)
	}
	return r, 0, err
}

// merged returns the IDs of the records that were merged into o.
func merged(o object) []string {
	var ids []string
	for _, name := range []string{"hs_merged_object_ids", "hs_calculated_merged_vids"} {
		for id := range strings.SplitSeq(o.value(name), ";") {
			id, _, _ = strings.Cut(strings.TrimSpace(id), ":") // the second has the form id:time
			if id != "" && id != o.ID && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// fieldError says what is wrong with a property. It does not quote the value, which may be
// anything that people have entered.
type fieldError struct{ reason, property, expected string }

func (e *fieldError) Error() string { return e.property + ": is not " + e.expected }

// instant reads a property that holds a time: ISO 8601, a date, or milliseconds.
func instant(o object, property string) (record.Instant, error) {
	i, ok := parseInstant(o.value(property))
	if !ok {
		return i, &fieldError{"bad time", property, "a date or time"}
	}
	return i, nil
}

func parseInstant(text string) (record.Instant, bool) {
	if text == "" {
		return record.Instant{}, true
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return record.At(t.Truncate(time.Microsecond)), true
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return record.OnDate(record.DayOf(t)), true
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return record.At(time.UnixMilli(ms)), true
	}
	return record.Instant{}, false
}

// money reads a property that holds an amount; null where it is empty or, as HubSpot has it at
// times, N/A.
func money(o object, property string) (a record.Amount, rounded int, err error) {
	text := o.value(property)
	if property == "" || text == "" || text == "N/A" {
		return record.Amount{}, 0, nil
	}
	a, cut, err := record.ParseAmount(text)
	if errors.Is(err, record.ErrOverflow) {
		return a, 0, &fieldError{"bad amount", property, "an amount within the ledger's range"}
	}
	if err != nil {
		return a, 0, &fieldError{"bad amount", property, "a decimal number"}
	}
	if cut {
		rounded = 1
	}
	return a, rounded, nil
}

// earliest returns the first of two moments; null only where both are. A date counts from its
// first instant in zone.
func earliest(a, b record.Instant, zone *time.Location) record.Instant {
	if a.IsNull() {
		return b
	}
	if b.IsNull() {
		return a
	}
	start := func(d record.Day) int64 {
		y, m, day := d.Date()
		return time.Date(y, m, day, 0, 0, 0, 0, zone).UnixMicro()
	}
	if b.Resolve(start) < a.Resolve(start) {
		return b
	}
	return a
}
