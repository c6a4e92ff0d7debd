package googleads

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// row holds the values of fields by their names in queries; what is null is not in it.
type row map[string]any

// rows returns what a query finds.
func (s *Server) rows(q query) []row {
	var list []row
	switch q.from {
	case "customer":
		list = s.customerRows(q)
	case "customer_client":
		for _, a := range s.clients {
			list = append(list, accountRow("customer_client", a))
		}
	case "campaign":
		list = s.campaignRows(q)
	case "keyword_view":
		list = s.keywordRows(q)
	case "experiment_arm":
		list = s.armRows()
	}
	metrics := q.metrics()
	list = slices.DeleteFunc(list, func(r row) bool {
		return !q.holds(r) || len(metrics) > 0 && !slices.ContainsFunc(metrics, func(name string) bool { return !isZero(r[name]) })
	})
	if q.orderBy != "" {
		slices.SortStableFunc(list, func(a, b row) int { return strings.Compare(fmt.Sprint(a[q.orderBy]), fmt.Sprint(b[q.orderBy])) })
	}
	if q.limit > 0 && len(list) > q.limit {
		list = list[:q.limit]
	}
	return list
}

func isZero(value any) bool { return value == nil || strings.Trim(fmt.Sprint(value), "-0.") == "" }

func accountRow(resource string, a Account) row {
	return row{
		resource + ".resource_name": "customers/" + a.ID, resource + ".id": a.ID, resource + ".descriptive_name": a.Name,
		resource + ".currency_code": a.Currency, resource + ".time_zone": a.Zone.String(), resource + ".manager": a.Manager,
		resource + ".status": "ENABLED",
	}
}

// currentDay returns the day in the account's zone.
func (s *Server) currentDay() record.Day { return record.DayOf(s.now().In(s.account.Zone)) }

// customerRows are one row, or one for each day.
func (s *Server) customerRows(q query) []row {
	if len(q.metrics()) == 0 {
		return []row{accountRow("customer", s.account)}
	}
	impressions, cost := map[record.Day]int64{}, map[record.Day]int64{}
	for key, m := range s.days {
		impressions[key.day] += m.Impressions
		cost[key.day] += m.CostMicros
	}
	var list []row
	for day := range impressions {
		if day > s.currentDay() || !q.covers(day) {
			continue
		}
		r := accountRow("customer", s.account)
		maps.Copy(r, row{"segments.date": day.String(), "metrics.impressions": impressions[day], "metrics.cost_micros": cost[day]})
		list = append(list, r)
	}
	return list
}

func (s *Server) campaignRow(c Campaign) row {
	end := "2037-12-30"
	if c.End != 0 {
		end = c.End.String()
	}
	return row{
		"campaign.resource_name": s.name("campaigns", c.ID), "campaign.id": c.ID, "campaign.name": c.Name, "campaign.status": c.Status,
		"campaign.advertising_channel_type": c.Type, "campaign.start_date_time": c.Start.String() + " 00:00:00",
		"campaign.end_date_time": end + " 23:59:59",
	}
}

func (s *Server) name(collection string, id any) string {
	return fmt.Sprintf("customers/%s/%s/%v", s.account.ID, collection, id)
}

// campaignRows are a row for each campaign, or for each of its days.
func (s *Server) campaignRows(q query) []row {
	var list []row
	if !slices.Contains(q.fields, "segments.date") {
		for _, id := range slices.Sorted(maps.Keys(s.campaigns)) {
			list = append(list, s.campaignRow(s.campaigns[id]))
		}
		return list
	}
	var keys []campaignDay
	for key := range s.days {
		if _, known := s.campaigns[key.campaign]; known && key.day <= s.currentDay() && q.covers(key.day) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b campaignDay) int {
		return cmp.Or(cmp.Compare(a.campaign, b.campaign), cmp.Compare(a.day, b.day))
	})
	for _, key := range keys {
		c := s.campaigns[key.campaign]
		m := s.days[key]
		r := s.campaignRow(c)
		maps.Copy(r, row{
			"segments.date": key.day.String(), "metrics.cost_micros": m.CostMicros, "metrics.impressions": m.Impressions,
			"metrics.clicks": m.Clicks, "metrics.conversions": number(m.Conversions), "metrics.conversions_value": number(m.Value),
		})
		if m.CostUnknown {
			delete(r, "metrics.cost_micros")
		}
		list = append(list, r)
	}
	return list
}

func number(text string) json.Number {
	if text == "" {
		return "0"
	}
	return json.Number(text)
}

func (s *Server) keywordRows(q query) []row {
	var list []row
	var keys []keywordDay
	for key := range s.scores {
		if _, known := s.campaigns[s.keywords[key.keyword].Campaign]; known && key.day <= s.currentDay() && q.covers(key.day) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b keywordDay) int { return cmp.Or(cmp.Compare(a.keyword, b.keyword), cmp.Compare(a.day, b.day)) })
	for _, key := range keys {
		k := s.keywords[key.keyword]
		held := s.scores[key]
		r := s.campaignRow(s.campaigns[k.Campaign])
		maps.Copy(r, row{
			"keyword_view.resource_name": s.name("keywordViews", fmt.Sprintf("%d~%d", k.AdGroup, k.ID)), "ad_group.id": k.AdGroup,
			"ad_group_criterion.criterion_id": k.ID, "segments.date": key.day.String(), "metrics.impressions": held.impressions,
		})
		if held.score > 0 {
			r["metrics.historical_quality_score"] = int64(held.score)
		}
		list = append(list, r)
	}
	return list
}

func (s *Server) armRows() []row {
	var list []row
	for i, a := range s.arms {
		r := row{
			"experiment_arm.resource_name": s.name("experimentArms", fmt.Sprintf("%s~%d", a.Experiment, i)),
			"experiment_arm.name":          a.Name, "experiment_arm.control": a.Control,
			"experiment_arm.experiment": s.name("experiments", a.Experiment),
			"experiment_arm.campaigns":  []string{s.name("campaigns", a.Campaign)},
			"experiment.resource_name":  s.name("experiments", a.Experiment), "experiment.status": a.Status,
			"experiment.start_date": a.Start.String(),
		}
		if a.End != 0 {
			r["experiment.end_date"] = a.End.String()
		}
		list = append(list, r)
	}
	return list
}

// project makes the vendor's JSON of a row: the selected fields and the names of their resources.
func (q query) project(r row) map[string]any {
	result := map[string]any{}
	put := func(name string, value any) {
		resource, field, _ := strings.Cut(name, ".")
		inner, ok := result[camel(resource)].(map[string]any)
		if !ok {
			inner = map[string]any{}
			result[camel(resource)] = inner
		}
		inner[camel(field)] = value
	}
	for _, name := range q.fields {
		value, known := r[name]
		if !known {
			continue
		}
		if n, ok := value.(int64); ok && fieldTypes[name] == typeInt {
			value = strconv.FormatInt(n, 10)
		}
		put(name, value)
		resource, _, _ := strings.Cut(name, ".")
		if own, ok := r[resource+".resource_name"]; ok {
			put(resource+".resource_name", own)
		}
	}
	if own, ok := r[q.from+".resource_name"]; ok {
		put(q.from+".resource_name", own)
	}
	return result
}

// camel turns cost_micros into costMicros.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}
