package ga4

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// The vendor's bounds, and a bound of our own on how often a report that changes while its
// pages are read is begun anew.
const (
	mostReports  = 5
	mostRows     = 100_000 // the vendor allows 250,000
	mostRestarts = 3
)

// other stands for values that the vendor has not kept apart.
const other = "(other)"

type named struct {
	Name string `json:"name"`
}

type dateRange struct {
	Start string `json:"startDate"`
	End   string `json:"endDate"` // inclusive
}

type filter struct {
	Filter fieldFilter `json:"filter"`
}

type fieldFilter struct {
	Field  string       `json:"fieldName"`
	String stringFilter `json:"stringFilter"`
}

type stringFilter struct {
	Match string `json:"matchType"`
	Value string `json:"value"`
}

type orderBy struct {
	Dimension struct {
		Name string `json:"dimensionName"`
	} `json:"dimension"`
}

// query is a RunReportRequest. Its rows are ordered by their dimensions, so that pages fit together.
type query struct {
	DateRanges []dateRange `json:"dateRanges"`
	Dimensions []named     `json:"dimensions,omitempty"`
	Metrics    []named     `json:"metrics"`
	Filter     *filter     `json:"dimensionFilter,omitempty"`
	OrderBys   []orderBy   `json:"orderBys,omitempty"`
	Limit      int64       `json:"limit,string"`
	Offset     int64       `json:"offset,omitempty,string"`
	Quota      bool        `json:"returnPropertyQuota"`
}

// span is a number of days, both ends included.
type span struct{ from, to record.Day }

// report is what is asked for, without the days.
type report struct {
	name       string
	dimensions []string // without date
	metrics    []string
	filter     *filter
}

// exactly returns a filter on one value of a dimension.
func exactly(field, value string) *filter {
	return &filter{fieldFilter{field, stringFilter{"EXACT", value}}}
}

// over returns the query for a report over days; byDay tells the days apart.
func (r report) over(days span, byDay bool, rows int) query {
	q := query{
		DateRanges: []dateRange{{days.from.String(), days.to.String()}}, Filter: r.filter, Limit: int64(rows), Quota: true,
	}
	dimensions := r.dimensions
	if byDay {
		dimensions = append([]string{"date"}, r.dimensions...)
	}
	for _, name := range dimensions {
		q.Dimensions = append(q.Dimensions, named{name})
		var by orderBy
		by.Dimension.Name = name
		q.OrderBys = append(q.OrderBys, by)
	}
	for _, name := range r.metrics {
		q.Metrics = append(q.Metrics, named{name})
	}
	return q
}

type value struct {
	Value string `json:"value"`
}

type metadata struct {
	Currency    string     `json:"currencyCode"`
	TimeZone    string     `json:"timeZone"`
	Other       bool       `json:"dataLossFromOtherRow"`
	Thresholded bool       `json:"subjectToThresholding"`
	Sampling    []struct{} `json:"samplingMetadatas"`
	Truncation  []struct{} `json:"dataTruncationReasons"`
	Restriction struct {
		Metrics []struct{} `json:"activeMetricRestrictions"`
	} `json:"schemaRestrictionResponse"`
}

// answer is a RunReportResponse. Every value is text.
type answer struct {
	Kind       string  `json:"kind"`
	Dimensions []named `json:"dimensionHeaders"`
	Metrics    []named `json:"metricHeaders"`
	Rows       []struct {
		Dimensions []value `json:"dimensionValues"`
		Metrics    []value `json:"metricValues"`
	} `json:"rows"`
	RowCount int      `json:"rowCount"`
	Metadata metadata `json:"metadata"`
}

// row holds a row's values in the order in which they were asked for.
type row struct{ dimensions, metrics []string }

// table is a whole report.
type table struct {
	rows []row
	meta metadata
}

func (s *Source) path(method string) string {
	return "/v1beta/properties/" + s.options.Property + ":" + method
}

// call is a request for a number of reports.
type call struct {
	method  string
	reports int
	body    any
}

// post sends a request and decodes its answer.
func (s *Source) post(ctx context.Context, c call, into any) error {
	text, err := json.Marshal(c.body)
	if err != nil {
		return fmt.Errorf("make the body of %s: %w", c.method, err)
	}
	_, err = s.client.JSON(ctx, apiclient.Request{
		Method: http.MethodPost, Path: s.path(c.method), Body: text, Cost: c.reports * tokensReport,
		Header: http.Header{"Content-Type": {"application/json"}},
	}, into)
	return err
}

// run runs reports, several with one request where it can.
func (s *Source) run(ctx context.Context, queries []query) ([]table, error) {
	var tables []table
	for part := range slices.Chunk(queries, s.batchSize) {
		answers, err := s.batch(ctx, part)
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			t, err := s.whole(ctx, part[i], a)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
		}
	}
	return tables, nil
}

// batch returns the first pages of reports.
func (s *Source) batch(ctx context.Context, queries []query) ([]answer, error) {
	if len(queries) == 1 {
		a, err := s.first(ctx, queries[0])
		return []answer{a}, err
	}
	var body struct {
		Reports []answer `json:"reports"`
	}
	request := struct {
		Requests []query `json:"requests"`
	}{queries}
	if err := s.post(ctx, call{"batchRunReports", len(queries), request}, &body); err != nil {
		return nil, err
	}
	if len(body.Reports) != len(queries) {
		return nil, s.unexpected("batchRunReports", "%d reports, asked for %d", len(body.Reports), len(queries))
	}
	return body.Reports, nil
}

// first returns the page of a report that its offset says.
func (s *Source) first(ctx context.Context, q query) (answer, error) {
	var a answer
	err := s.post(ctx, call{"runReport", 1, q}, &a)
	return a, err
}

func (s *Source) unexpected(method, format string, args ...any) error {
	return &apiclient.FormatError{Endpoint: "POST " + s.path(method), Detail: fmt.Sprintf(format, args...)}
}

// whole reads the pages of a report behind the first. The vendor has no snapshot: a report that
// has changed meanwhile is begun anew.
func (s *Source) whole(ctx context.Context, q query, a answer) (table, error) {
	for restart := range mostRestarts {
		if restart > 0 {
			q.Offset = 0
			var err error
			if a, err = s.first(ctx, q); err != nil {
				return table{}, err
			}
		}
		t, same, err := s.pages(ctx, q, a)
		if err != nil || same {
			return t, err
		}
	}
	return table{}, fmt.Errorf("%w: the report changed under %d readings", &apiclient.LoopError{Pages: mostRestarts}, mostRestarts)
}

// pages reads the pages behind a. Same says that they fit together.
func (s *Source) pages(ctx context.Context, q query, a answer) (t table, same bool, err error) {
	count, met := a.RowCount, map[string]bool{}
	for {
		rows, err := s.read(q, a)
		if err != nil {
			return t, false, err
		}
		for _, r := range rows {
			name := strings.Join(r.dimensions, "\x00")
			if met[name] {
				return t, false, nil
			}
			met[name] = true
		}
		t.rows, t.meta = append(t.rows, rows...), a.Metadata
		switch {
		case a.RowCount != count || len(t.rows) > count:
			return t, false, nil
		case len(t.rows) == count:
			return t, true, nil
		case len(rows) == 0:
			return t, false, s.unexpected("runReport", "no rows behind row %d of %d", len(t.rows), count)
		}
		q.Offset = int64(len(t.rows))
		if a, err = s.first(ctx, q); err != nil {
			return t, false, err
		}
	}
}

// read returns the rows of an answer by the names of their columns, which the vendor may order
// as it likes.
func (s *Source) read(q query, a answer) ([]row, error) {
	if len(a.Rows) == 0 {
		if a.Kind != "analyticsData#runReport" {
			return nil, s.unexpected("runReport", "no report (kind %.40q)", a.Kind)
		}
		return nil, nil
	}
	dimensions, err := s.columns(a.Dimensions, q.Dimensions)
	if err != nil {
		return nil, err
	}
	metrics, err := s.columns(a.Metrics, q.Metrics)
	if err != nil {
		return nil, err
	}
	rows := make([]row, 0, len(a.Rows))
	for i, r := range a.Rows {
		if len(r.Dimensions) != len(a.Dimensions) || len(r.Metrics) != len(a.Metrics) {
			return nil, s.unexpected("runReport", "row %d has not as many values as there are columns", int(q.Offset)+i)
		}
		rows = append(rows, row{pick(r.Dimensions, dimensions), pick(r.Metrics, metrics)})
	}
	return rows, nil
}

// columns returns where the wanted columns are.
func (s *Source) columns(have, want []named) ([]int, error) {
	at := make([]int, len(want))
	for i, w := range want {
		if at[i] = slices.Index(have, w); at[i] < 0 {
			return nil, s.unexpected("runReport", "the report has no column %s", w.Name)
		}
	}
	return at, nil
}

func pick(values []value, at []int) []string {
	list := make([]string, len(at))
	for i, n := range at {
		list[i] = values[n].Value
	}
	return list
}

// parseDay reads the dimension date, YYYYMMDD.
func parseDay(text string) (record.Day, bool) {
	t, err := time.Parse("20060102", text)
	return record.DayOf(t), err == nil
}
