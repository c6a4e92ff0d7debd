package googleads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// channel returns the channel of an advertising channel type (docs/sources/google_ads.md,
// "Channels").
func channel(kind string) string {
	switch kind {
	case "SEARCH", "SHOPPING", "PERFORMANCE_MAX", "SMART", "LOCAL", "LOCAL_SERVICES", "HOTEL", "TRAVEL":
		return "paid_search"
	case "DISPLAY", "DEMAND_GEN", "MULTI_CHANNEL":
		return "display"
	case "VIDEO":
		return "video"
	}
	return record.ChannelOther
}

// readSpend reads what the campaigns did from first to last.
func readSpend(ctx context.Context, s *Source, f *facts, first, last record.Day) (*days, error) {
	if f.campaigns == nil {
		var err error
		if f.campaigns, err = s.listCampaigns(ctx); err != nil {
			return nil, err
		}
	}
	campaigns := f.campaigns
	found := &days{records: map[dayKey]record.Record{}, rejected: map[dayKey]sources.Rejection{}}
	rows := map[dayKey]row{}
	err := s.eachDay(ctx, between(querySpend, first, last), first, last, func(key dayKey, r row) {
		rows[key] = r
		if _, listed := campaigns[key.campaign]; !listed { // it is removed, or new
			campaigns[key.campaign] = r.Campaign
		}
	})
	if err != nil {
		return nil, err
	}
	for key, r := range rows {
		spend := f.spend(key, r.Campaign)
		rounded, err := fill(spend, r.Metrics)
		if err != nil {
			found.rejected[key] = rejection(record.KindSpend, key, err)
			continue
		}
		found.records[key] = spend
		found.rounded += rounded
	}
	for id, c := range campaigns {
		if c.Status == "ENABLED" {
			found.running = append(found.running, id)
		}
	}
	found.zero = func(key dayKey) record.Record {
		c := campaigns[key.campaign]
		if c.Status != "ENABLED" || !c.runs(key.day) {
			return nil
		}
		zero := f.spend(key, c)
		none := record.Micros(0)
		zero.Cost, zero.Impressions, zero.Clicks, zero.Conversions, zero.ConversionValue = none, none, none, none, none
		return zero
	}
	return found, nil
}

// runs reports whether a day lies between a campaign's start and its end; what is not given, or
// is no date, does not bound it.
func (c campaign) runs(day record.Day) bool {
	if start, err := parseDay(c.Start); err == nil && day < start {
		return false
	}
	end, err := parseDay(c.End)
	return err != nil || day <= end
}

// eachDay sends a query for days of campaigns.
func (s *Source) eachDay(ctx context.Context, query string, first, last record.Day, fn func(dayKey, row)) error {
	return s.search(ctx, query, func(r row) error {
		day, err := parseDay(r.Segments.Date)
		if err != nil || day < first || day > last || r.Campaign.ID == 0 {
			return s.unexpected(fmt.Sprintf("a row without a campaign or a day between %s and %s", first, last))
		}
		fn(dayKey{r.Campaign.ID, day}, r)
		return nil
	})
}

// spend returns the record of a campaign's day without its numbers. The campaigns of an
// experiment's arms have the name of the one under test: its copies carry its tracking parameters, and the arms are
// compared under one name.
func (f *facts) spend(key dayKey, c campaign) *record.Spend {
	r := &record.Spend{
		Meta: record.Meta{ID: key.String()}, Day: key.day, Platform: platform, CampaignID: strconv.FormatInt(key.campaign, 10),
		Currency: f.currency,
		Touch:    record.Touch{Source: "google", Medium: "cpc", Campaign: strings.TrimSpace(c.Name), Channel: channel(c.Type)},
	}
	if a, control, ok := f.arm(key.campaign, key.day); ok {
		r.Variant = a.name
		if base, known := f.campaigns[control]; known {
			r.Touch.Campaign = strings.TrimSpace(base.Name)
		}
	}
	return r
}

// fill reads the numbers. Counts that are not there are 0, the others unknown.
func fill(r *record.Spend, m metrics) (rounded int, err error) {
	if m.CostMicros != nil {
		n, err := strconv.ParseInt(m.CostMicros.String(), 10, 64)
		if err != nil {
			return 0, &fieldError{"metrics.cost_micros", "a whole number of 64 bits"}
		}
		r.Cost = record.Micros(n)
	}
	r.Impressions, r.Clicks = record.Micros(0), record.Micros(0)
	for _, f := range []struct {
		name string
		from *json.Number
		to   *record.Amount
	}{
		{"metrics.impressions", m.Impressions, &r.Impressions},
		{"metrics.clicks", m.Clicks, &r.Clicks},
		{"metrics.conversions", m.Conversions, &r.Conversions},
		{"metrics.conversions_value", m.ConversionsValue, &r.ConversionValue},
	} {
		if f.from == nil {
			continue
		}
		amount, cut, err := record.ParseAmount(f.from.String())
		if errors.Is(err, record.ErrOverflow) {
			return 0, &fieldError{f.name, "within the ledger's range"}
		}
		if err != nil {
			return 0, &fieldError{f.name, "a decimal number"}
		}
		*f.to = amount
		if cut {
			rounded++
		}
	}
	return rounded, nil
}
