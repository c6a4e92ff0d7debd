package googleads

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// query is a query in the part of GAQL that the fake knows.
type query struct {
	fields     []string
	from       string
	conditions []condition
	orderBy    string
	limit      int // 0 for none
	// first and last are the days that are asked for.
	first, last record.Day
}

// condition compares a field with values: =, !=, or BETWEEN two.
type condition struct {
	field, operator string
	values          []string
}

// Types of fields. In JSON an INT64 is text.
const (
	typeInt    = "INT64"
	typeDouble = "DOUBLE"
	typeString = "STRING"
	typeBool   = "BOOLEAN"
	typeEnum   = "ENUM"
	typeDate   = "DATE"
	typeName   = "RESOURCE_NAME"
)

// fieldTypes are the types of all fields that can be queried.
var fieldTypes = map[string]string{
	"customer.id": typeInt, "customer.descriptive_name": typeString, "customer.currency_code": typeString,
	"customer.time_zone": typeString, "customer.manager": typeBool, "customer.status": typeEnum,
	"customer_client.id": typeInt, "customer_client.descriptive_name": typeString, "customer_client.manager": typeBool,
	"customer_client.status": typeEnum,
	"campaign.id":            typeInt, "campaign.name": typeString, "campaign.status": typeEnum,
	"campaign.advertising_channel_type": typeEnum, "campaign.start_date_time": typeString, "campaign.end_date_time": typeString,
	"ad_group.id": typeInt, "ad_group_criterion.criterion_id": typeInt,
	"experiment_arm.name": typeString, "experiment_arm.control": typeBool, "experiment_arm.experiment": typeName,
	"experiment_arm.campaigns": typeName, "experiment.status": typeEnum, "experiment.start_date": typeString,
	"experiment.end_date": typeString,
	"segments.date":       typeDate,
	"metrics.cost_micros": typeInt, "metrics.impressions": typeInt, "metrics.clicks": typeInt,
	"metrics.conversions": typeDouble, "metrics.conversions_value": typeDouble, "metrics.historical_quality_score": typeInt,
}

// Fields returns the types of all fields that can be queried, by their names in queries.
func Fields() map[string]string { return maps.Clone(fieldTypes) }

// selectable returns which resources' fields can be selected from a resource.
func selectable(from string) []string {
	switch from {
	case "customer":
		return []string{"customer", "segments", "metrics"}
	case "customer_client":
		return []string{"customer_client", "customer"}
	case "campaign":
		return []string{"campaign", "customer", "segments", "metrics"}
	case "keyword_view":
		return []string{"campaign", "customer", "ad_group", "ad_group_criterion", "segments", "metrics"}
	case "experiment_arm":
		return []string{"experiment_arm", "experiment", "customer"}
	}
	return nil
}

var (
	clauses   = regexp.MustCompile(`^SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY ([\w.]+)(?: ASC)?)?(?: LIMIT (\d+))?$`)
	comparing = regexp.MustCompile(`^([\w.]+) (=|!=) '?([^']*?)'?$`)
	between   = regexp.MustCompile(`^([\w.]+) (BETWEEN) '(\d{4}-\d\d-\d\d)' AND '(\d{4}-\d\d-\d\d)'$`)
	ranges    = regexp.MustCompile(`BETWEEN ('[^']*') AND `)
)

// parseQuery reads a query and checks it as the vendor does.
func parseQuery(text string) (query, *fault) {
	q := query{first: record.NoDay, last: math.MaxInt32}
	m := clauses.FindStringSubmatch(strings.Join(strings.Fields(text), " "))
	if m == nil {
		return q, queryFault("UNEXPECTED_INPUT", "Error in query: unexpected input.")
	}
	q.fields, q.from, q.orderBy = strings.Split(m[1], ", "), m[2], m[4]
	if m[5] != "" {
		n, err := strconv.Atoi(m[5])
		if err != nil || n < 1 {
			return q, queryFault("INVALID_LIMIT_CLAUSE", "Invalid limit.")
		}
		q.limit = n
	}
	if m[3] != "" {
		// The AND of a range is not one between conditions.
		for part := range strings.SplitSeq(ranges.ReplaceAllString(m[3], "BETWEEN $1 \x00 "), " AND ") {
			part = strings.ReplaceAll(part, "\x00", "AND")
			c := between.FindStringSubmatch(part)
			if c == nil {
				c = comparing.FindStringSubmatch(part)
			}
			if c == nil {
				return q, queryFault("UNEXPECTED_INPUT", "Error in the WHERE clause.")
			}
			q.conditions = append(q.conditions, condition{c[1], c[2], c[3:]})
			if c[1] == "segments.date" && c[2] == "BETWEEN" {
				first, bad := time.Parse(time.DateOnly, c[3])
				last, worse := time.Parse(time.DateOnly, c[4])
				if bad != nil || worse != nil {
					return q, queryFault("INVALID_VALUE_WITH_BETWEEN_OPERATOR", "Invalid date.")
				}
				q.first, q.last = record.DayOf(first), record.DayOf(last)
			}
		}
	}
	return q, q.check()
}

func (q query) check() *fault {
	if selectable(q.from) == nil {
		return queryFault("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", fmt.Sprintf("Resource '%s' is not known.", q.from))
	}
	names := slices.Clone(q.fields)
	for _, c := range q.conditions {
		names = append(names, c.field)
	}
	if q.orderBy != "" {
		names = append(names, q.orderBy)
	}
	for _, name := range names {
		resource, _, _ := strings.Cut(name, ".")
		switch _, known := fieldTypes[name]; {
		case !known:
			return queryFault("UNRECOGNIZED_FIELD", fmt.Sprintf("Unrecognized field in the query: '%s'.", name))
		case !slices.Contains(selectable(q.from), resource):
			return queryFault("PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE", fmt.Sprintf("Cannot select '%s' from '%s'.", name, q.from))
		case name == "metrics.historical_quality_score" && q.from != "keyword_view":
			return queryFault("PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE", fmt.Sprintf("Cannot select '%s' from '%s'.", name, q.from))
		}
	}
	ranged := slices.ContainsFunc(q.conditions, func(c condition) bool { return c.field == "segments.date" && c.operator == "BETWEEN" })
	if slices.Contains(q.fields, "segments.date") && !ranged {
		return queryFault("EXPECTED_FILTERS_ON_DATE_RANGE", "A finite date range is needed.")
	}
	if q.orderBy != "" && !slices.Contains(q.fields, q.orderBy) {
		return queryFault("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", "The field of ORDER BY must be selected.")
	}
	return nil
}

// covers says whether a day is asked for.
func (q query) covers(day record.Day) bool { return q.first <= day && day <= q.last }

// metrics returns the selected metrics.
func (q query) metrics() []string {
	return slices.DeleteFunc(slices.Clone(q.fields), func(name string) bool { return !strings.HasPrefix(name, "metrics.") })
}

// holds says whether a row meets all conditions.
func (q query) holds(r row) bool {
	for _, c := range q.conditions {
		value := strings.ToUpper(fmt.Sprint(r[c.field]))
		switch c.operator {
		case "=":
			if value != strings.ToUpper(c.values[0]) {
				return false
			}
		case "!=":
			if value == strings.ToUpper(c.values[0]) {
				return false
			}
		case "BETWEEN":
			if value < c.values[0] || value > c.values[1] {
				return false
			}
		}
	}
	return true
}
