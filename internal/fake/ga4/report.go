package ga4

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

type named struct {
	Name string `json:"name"`
}

// query is a RunReportRequest, as far as the fake knows it.
type query struct {
	DateRanges []struct {
		Start string `json:"startDate"`
		End   string `json:"endDate"`
	} `json:"dateRanges"`
	Dimensions []named `json:"dimensions"`
	Metrics    []named `json:"metrics"`
	Filter     *struct {
		Filter struct {
			Field  string `json:"fieldName"`
			String struct {
				Match string `json:"matchType"`
				Value string `json:"value"`
			} `json:"stringFilter"`
		} `json:"filter"`
	} `json:"dimensionFilter"`
	OrderBys []struct {
		Dimension struct {
			Name string `json:"dimensionName"`
		} `json:"dimension"`
	} `json:"orderBys"`
	Limit  int64 `json:"limit,string"`
	Offset int64 `json:"offset,string"`
	Quota  bool  `json:"returnPropertyQuota"`
}

// line is what was counted under values of dimensions.
type line struct {
	values map[string]string
	counts Counts
	users  Users
	events int64
}

// other is the value of what was folded together.
const other = "(other)"

// run runs a report.
func (s *Server) run(q query) (object, *fault) {
	from, to, bad := q.days()
	if bad != nil {
		return nil, bad
	}
	lines, bad := s.lines(q, from, to)
	if bad != nil {
		return nil, bad
	}
	lines = aggregate(q, lines)
	meta := object{"currencyCode": s.Currency, "timeZone": s.Zone}
	if s.Rows > 0 {
		lines = s.fold(q, lines, meta)
	}
	rows := []object{}
	for _, l := range lines {
		if s.Threshold > 0 {
			meta["subjectToThresholding"] = true
			if max(l.counts.Sessions, l.users.Total) < s.Threshold {
				continue
			}
		}
		row, empty, bad := q.row(l)
		if bad != nil {
			return nil, bad
		}
		if !empty {
			rows = append(rows, row)
		}
	}
	if s.Sampled {
		meta["samplingMetadatas"] = []object{{"samplesReadCount": "500000", "samplingSpaceSize": "15000000"}}
	}
	limit := q.Limit
	if limit == 0 {
		limit = 10_000
	}
	if limit < 0 || limit > 250_000 || q.Offset < 0 {
		return nil, invalid("limit must be between 1 and 250000, offset not below 0")
	}
	quota, bad := s.pay(5 + int(to-from)/30 + len(rows)/1000)
	if bad != nil {
		return nil, bad
	}
	body := object{"metadata": meta, "kind": "analyticsData#runReport", "metricHeaders": q.metricHeaders()}
	if len(q.Dimensions) > 0 {
		body["dimensionHeaders"] = q.Dimensions
	}
	if len(rows) > 0 { // zeros and empty lists are left out
		body["rowCount"] = len(rows)
	}
	rows = rows[min(int(q.Offset), len(rows)):]
	if rows = rows[:min(int(limit), len(rows))]; len(rows) > 0 {
		body["rows"] = rows
	}
	if q.Quota {
		body["propertyQuota"] = quota
	}
	return body, nil
}

// days returns the days of the one date range that a report may have here.
func (q query) days() (from, to record.Day, bad *fault) {
	if len(q.DateRanges) != 1 {
		return 0, 0, invalid("expected one date range, found %d", len(q.DateRanges))
	}
	var days [2]record.Day
	for i, text := range []string{q.DateRanges[0].Start, q.DateRanges[0].End} {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return 0, 0, invalid("Invalid date: %s", text)
		}
		days[i] = record.DayOf(t)
	}
	if days[0] < record.DateDay(2015, time.August, 14) || days[0] > days[1] {
		return 0, 0, invalid("the start date must not be before 2015-08-14 or after the end date")
	}
	return days[0], days[1], nil
}

// names returns a report's dimensions without date, as one text.
func (q query) names() string {
	var list []string
	for _, d := range q.Dimensions {
		if d.Name != "date" {
			list = append(list, d.Name)
		}
	}
	return strings.Join(list, ",")
}

// lines returns what a report is made of, the days in their order.
func (s *Server) lines(q query, from, to record.Day) ([]line, *fault) {
	filter := ""
	if q.Filter != nil {
		if q.Filter.Filter.String.Match != "EXACT" {
			return nil, invalid("the filter's matchType must be EXACT")
		}
		filter = q.Filter.Filter.Field + "=" + q.Filter.Filter.String.Value
	}
	if len(q.Dimensions) == 0 {
		return []line{{users: s.Users(from, to)}}, nil
	}
	var lines []line
	for day := from; day <= to; day++ {
		figures, counted := s.days[day]
		if !counted {
			continue
		}
		date := strings.ReplaceAll(day.String(), "-", "")
		if s.LostDates {
			date = other
		}
		part, bad := figures.lines(q.names(), filter)
		if bad != nil {
			return nil, bad
		}
		for _, l := range part {
			l.values["date"] = date
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// lines returns a day's part of a report with these dimensions.
func (f Figures) lines(dimensions, filter string) ([]line, *fault) {
	switch {
	case dimensions == "" && filter == "eventName=file_download":
		return []line{{values: map[string]string{}, events: f.Downloads, counts: Counts{Sessions: f.DownloadSessions}}}, nil
	case dimensions == "" && filter == "":
		return []line{{values: map[string]string{}, counts: f.Total}}, nil
	case dimensions == "deviceCategory" && filter == "":
		return byValue(dimensions, f.Devices), nil
	case dimensions == "countryId" && filter == "":
		return byValue(dimensions, f.Countries), nil
	case dimensions == "userAgeBracket" && filter == "":
		return byValue(dimensions, f.Ages), nil
	}
	for name := range strings.SplitSeq(dimensions, ",") {
		if !slices.Contains([]string{"sessionSource", "sessionMedium", "sessionCampaignName", "sessionDefaultChannelGroup"}, name) {
			return nil, invalid("Field %s is not a valid dimension. For a list of valid dimensions and metrics, see https://developers.google.com/analytics.", name)
		}
	}
	group, filtered := strings.CutPrefix(filter, "sessionDefaultChannelGroup=")
	if filter != "" && !filtered {
		return nil, invalid("no such filter: %s", filter)
	}
	var lines []line
	for _, v := range f.Channels {
		if !filtered || v.Group == group {
			lines = append(lines, line{counts: v.Counts, values: map[string]string{
				"sessionSource": v.Source, "sessionMedium": v.Medium, "sessionCampaignName": v.Campaign, "sessionDefaultChannelGroup": v.Group,
			}})
		}
	}
	return lines, nil
}

func byValue(dimension string, parts map[string]Counts) []line {
	var lines []line
	for value, counts := range parts {
		lines = append(lines, line{counts: counts, values: map[string]string{dimension: value}})
	}
	return lines
}

// key returns a line's values of the report's dimensions.
func (q query) key(l line) string {
	var list []string
	for _, d := range q.Dimensions {
		list = append(list, l.values[d.Name])
	}
	return strings.Join(list, "\x00")
}

// aggregate adds lines with the same values up and sorts them as the report wants, by all of
// its dimensions.
func aggregate(q query, lines []line) []line {
	sums := map[string]line{}
	for _, l := range lines {
		sum, met := sums[q.key(l)]
		if !met {
			sum.values = l.values
		}
		sum.counts, sum.events, sum.users = sum.counts.plus(l.counts), sum.events+l.events, l.users
		sums[q.key(l)] = sum
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b line) int { return strings.Compare(q.key(a), q.key(b)) })
}

func (c Counts) plus(d Counts) Counts {
	return Counts{
		Sessions: c.Sessions + d.Sessions, Engaged: c.Engaged + d.Engaged, Views: c.Views + d.Views,
		NewUsers: c.NewUsers + d.NewUsers, Seconds: c.Seconds + d.Seconds,
		KeyEvents: record.Micros(c.KeyEvents.Micros + d.KeyEvents.Micros),
	}
}

// fold puts the values of a day beyond Rows into (other).
func (s *Server) fold(q query, lines []line, meta object) []line {
	met := map[string]int{}
	for i, l := range lines {
		if met[l.values["date"]]++; len(l.values) == 1 || met[l.values["date"]] <= s.Rows {
			continue
		}
		meta["dataLossFromOtherRow"] = true
		values := map[string]string{"date": l.values["date"]}
		for name := range l.values {
			if name != "date" {
				values[name] = other
			}
		}
		lines[i].values = values
	}
	return aggregate(q, lines)
}

func (q query) metricHeaders() []object {
	var list []object
	for _, m := range q.Metrics {
		kind := "TYPE_INTEGER"
		switch m.Name {
		case "averageSessionDuration":
			kind = "TYPE_SECONDS"
		case "keyEvents":
			kind = "TYPE_FLOAT"
		}
		list = append(list, object{"name": m.Name, "type": kind})
	}
	return list
}

// row returns a row of the answer, and whether all of its metrics are zero: such rows are left out.
func (q query) row(l line) (row object, empty bool, bad *fault) {
	dimensions, metrics := []object{}, []object{}
	empty = true
	for _, d := range q.Dimensions {
		dimensions = append(dimensions, object{"value": l.values[d.Name]})
	}
	for _, m := range q.Metrics {
		text, ok := l.metric(m.Name)
		if !ok {
			return nil, false, invalid("Field %s is not a valid metric. For a list of valid dimensions and metrics, see https://developers.google.com/analytics.", m.Name)
		}
		empty = empty && text == "0"
		metrics = append(metrics, object{"value": text})
	}
	row = object{"metricValues": metrics}
	if len(dimensions) > 0 {
		row["dimensionValues"] = dimensions
	}
	return row, empty, nil
}

// metric returns a metric as the vendor writes it.
func (l line) metric(name string) (string, bool) {
	c := l.counts
	whole := map[string]int64{
		"sessions": c.Sessions, "engagedSessions": c.Engaged, "screenPageViews": c.Views, "newUsers": c.NewUsers,
		"eventCount": l.events, "totalUsers": l.users.Total,
	}
	if name == "newUsers" && l.users != (Users{}) {
		return strconv.FormatInt(l.users.New, 10), true
	}
	switch name {
	case "keyEvents":
		return decimals(big.NewRat(c.KeyEvents.Micros, 1_000_000), 6), true
	case "averageSessionDuration":
		if c.Sessions == 0 {
			return "0", true
		}
		return decimals(big.NewRat(c.Seconds, c.Sessions), 14), true
	}
	n, ok := whole[name]
	return strconv.FormatInt(n, 10), ok
}

// decimals returns a number without zeros at its end.
func decimals(r *big.Rat, digits int) string {
	text := r.FloatString(digits)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
