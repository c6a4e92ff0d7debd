package ga4

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/sources"
)

func findings(list []sources.Finding) []string {
	var lines []string
	for _, f := range list {
		text := f.Subject + ": " + f.Detail
		if f.Err != nil {
			text += "error: " + f.Err.Error()
		}
		lines = append(lines, text)
	}
	return lines
}

func TestCheck(t *testing.T) {
	p := newPoller(t, func(o *Options) { o.Breakdowns = []string{"channel", "age"} })
	p.server.Zone = "America/New_York"
	p.server.Sampled = true
	p.server.Rows = 1
	p.sessions(p.day(1), 5, "a", "b", "c")
	want := []string{
		"property 123456789: can be read",
		"time zone: the property's days are of America/New_York, the report's of UTC: they are taken as report days",
		"currency: EUR; no amounts are read",
		"report total: 1 rows of the last 7 days; estimated from a sample",
		"report downloads: 0 rows of the last 7 days; estimated from a sample",
		"report channel: 2 rows of the last 7 days; values are folded into (other); estimated from a sample",
		"report age: 0 rows of the last 7 days; estimated from a sample",
		"report referrer: 0 rows of the last 7 days; estimated from a sample",
		"report users: 0 rows of the last 7 days; estimated from a sample",
	}
	if diff := cmp.Diff(want, findings(p.source.Check(t.Context(), p.environment()))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
	if len(p.Cursors) != 0 {
		t.Error("a check has kept something")
	}
}

func TestCheckErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		check := func() string { return strings.Join(findings(p.source.Check(t.Context(), p.environment())), "\n") }
		// One report that the property refuses does not hide the others.
		p.intercept = func(body []byte) (int, string) {
			if strings.Contains(string(body), "userAgeBracket") {
				return 400, googleError(400, "INVALID_ARGUMENT", "Please remove userAgeBracket to make the request compatible.", "")
			}
			return 0, ""
		}
		if got := check(); !strings.Contains(got, "report age: error: ") || !strings.Contains(got, "Please remove userAgeBracket") || !strings.Contains(got, "report users: 0 rows") {
			t.Errorf("got %s", got)
		}
		p.intercept = nil
		p.server.Property = "42"
		if got := check(); !strings.Contains(got, "property 123456789: error: ") || !strings.Contains(got, "Viewer") || strings.Count(got, "\n") != 0 {
			t.Errorf("got %s", got)
		}
		p.intercept = func([]byte) (int, string) { return 401, googleError(401, "UNAUTHENTICATED", "No.", "") }
		if got := check(); !strings.HasPrefix(got, "credentials: error: ") {
			t.Errorf("got %s", got)
		}
	})
}

// TestUnexpectedAnswers lets nothing pass for a report that is none.
func TestUnexpectedAnswers(t *testing.T) {
	p := newPoller(t, nil)
	p.sessions(p.day(1), 5)
	p.Poll(streamTraffic)
	report := `{"kind":"analyticsData#runReport"}`
	headers := `"kind":"analyticsData#runReport","dimensionHeaders":[{"name":"date"}],"metricHeaders":[{"name":"sessions"}]`
	for name, tc := range map[string]struct{ reports, want string }{
		"too few reports":  {report, "1 reports, asked for 5"},
		"no report":        {strings.Repeat(`{},`, 4) + `{}`, "no report"},
		"a missing column": {`{` + headers + `,"rowCount":1,"rows":[{"dimensionValues":[{"value":"20260301"}],"metricValues":[{"value":"1"}]}]}` + strings.Repeat(","+report, 4), "no column engagedSessions"},
		"a short row":      {strings.Replace(`{`+headers, `{"name":"sessions"}`, allMetrics(), 1) + `,"rowCount":1,"rows":[{"dimensionValues":[],"metricValues":[{"value":"1"}]}]}` + strings.Repeat(","+report, 4), "not as many values"},
		"no more rows":     {`{` + headers + `,"rowCount":3}` + strings.Repeat(","+report, 4), "no rows behind row 0 of 3"},
	} {
		p.intercept = func([]byte) (int, string) { return 200, `{"reports":[` + tc.reports + `]}` }
		if err := p.TryPoll(streamTraffic); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func allMetrics() string {
	var list []string
	for _, name := range metrics() {
		list = append(list, fmt.Sprintf(`{"name":%q}`, name))
	}
	return strings.Join(list, ",")
}
