package googleads

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// contract is a part of the vendor's interface definitions.
type contract struct {
	Resources map[string]map[string]string `json:"resources"` // types of fields
	Enums     map[string][]string          `json:"enums"`
	Errors    map[string][]string          `json:"errors"` // codes of families
	Messages  map[string]map[string]string `json:"messages"`
}

func loadContract(t *testing.T) contract {
	t.Helper()
	text, err := os.ReadFile("testdata/googleads-v25.json")
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// kind returns the type of a field by its name in queries; empty where there is no such field.
func (c contract) kind(name string) string {
	resource, field, _ := strings.Cut(name, ".")
	return c.Resources[resource][field]
}

func camel(name string) string {
	return regexp.MustCompile(`_[a-z]`).ReplaceAllStringFunc(name, func(s string) string { return strings.ToUpper(s[1:]) })
}

// exercise sends every query that the source has, and returns them.
func exercise(t *testing.T, p *poller) []string {
	t.Helper()
	today := p.today()
	p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Name: "Valves", Start: today - 5})
	p.server.AddCampaign(fakegoogleads.Campaign{ID: 2, Name: "Clip", Type: "VIDEO", Status: "PAUSED", Start: today - 5})
	p.server.SetDay(1, today, fakegoogleads.Metrics{CostMicros: 1, Impressions: 2, Clicks: 1, Conversions: "0.25", Value: "1.5"})
	p.server.AddKeyword(fakegoogleads.Keyword{ID: 3, Campaign: 1, AdGroup: 4, Text: "valves"})
	p.server.SetQuality(3, today, 7, 10)
	p.server.AddArm(fakegoogleads.Arm{Experiment: "5", Name: "control", Control: true, Campaign: 1, Start: today - 2, End: today + 9})
	p.Poll("spend")
	p.Poll("ad_quality")
	queries := p.server.Queries()
	manager := newPoller(t, nil)
	manager.use(fakegoogleads.Account{ID: testCustomer, Currency: "USD", Zone: newYork(t), Manager: true})
	manager.server.AddClient(fakegoogleads.Account{ID: "4445556666", Name: "Client", Currency: "USD", Zone: newYork(t)})
	manager.source.Check(t.Context(), manager.environment())
	return append(queries, manager.server.Queries()...)
}

// TestQueries looks every field of every query up, and compares its type with the one that it is
// decoded into.
func TestQueries(t *testing.T) {
	c := loadContract(t)
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		queries := exercise(t, newPoller(t, nil))
		for _, q := range queries {
			words := regexp.MustCompile(`[a-z_]+\.[a-z_]+`).FindAllString(q, -1)
			if len(words) == 0 {
				t.Errorf("no fields in %q", q)
			}
			from := regexp.MustCompile(`FROM ([a-z_]+)`).FindStringSubmatch(q)
			if from == nil || c.Resources[from[1]] == nil {
				t.Errorf("the vendor has no resource of %q", q)
			}
			for _, name := range words {
				seen[name] = true
				if c.kind(name) == "" {
					t.Errorf("the vendor has no field %s", name)
				}
			}
			selected, _, _ := strings.Cut(strings.TrimPrefix(q, "SELECT "), " FROM ")
			for name := range strings.SplitSeq(selected, ", ") {
				if got, ok := decoded(name); !ok || !slices.Contains(got, c.kind(name)) && !strings.HasPrefix(c.kind(name), "enum ") {
					t.Errorf("%s is of the type %q and decoded as one of %q", name, c.kind(name), got)
				}
			}
		}
		for _, query := range []string{queryAccount, queryClients, queryArms, queryCampaigns, queryFirstDay, querySpend, queryQuality} {
			selected, _, _ := strings.Cut(query, " FROM ")
			if !slices.ContainsFunc(queries, func(q string) bool { return strings.HasPrefix(q, selected+" FROM ") }) {
				t.Errorf("not sent: %s", query)
			}
		}
	})
}

// decoded returns the vendor's types that the field of row for a name can hold.
func decoded(name string) ([]string, bool) {
	at := reflect.TypeFor[row]()
	tag := ""
	for part := range strings.SplitSeq(name, ".") {
		found := false
		for f := range at.Fields() {
			key, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			if key == camel(part) {
				at, tag, found = f.Type, option, true
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	switch at {
	case reflect.TypeFor[*json.Number]():
		return []string{"int64", "double"}, true
	case reflect.TypeFor[int64]():
		return []string{"int64"}, tag == "string"
	case reflect.TypeFor[string]():
		return []string{"string", "int64"}, true // a number of 64 bits is text
	case reflect.TypeFor[bool]():
		return []string{"bool"}, true
	case reflect.TypeFor[[]string]():
		return []string{"repeated string"}, true
	}
	return nil, false
}

// TestFakeFields compares the fake's fields with the vendor's.
func TestFakeFields(t *testing.T) {
	c := loadContract(t)
	for name, kind := range fakegoogleads.Fields() {
		want := map[string][]string{
			"INT64": {"int64"}, "DOUBLE": {"double"}, "BOOLEAN": {"bool"}, "STRING": {"string"}, "DATE": {"string"},
			"RESOURCE_NAME": {"string", "repeated string"}, "ENUM": {"enum"},
		}[kind]
		got, _, _ := strings.Cut(c.kind(name), " ")
		if got == "repeated" {
			got = c.kind(name)
		}
		if !slices.Contains(want, got) {
			t.Errorf("%s is %s in the fake and %q at the vendor's", name, kind, c.kind(name))
		}
	}
}

// TestFakeAnswers holds the fake's answers against the definitions.
func TestFakeAnswers(t *testing.T) {
	c := loadContract(t)
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		answers := 0
		p.intercept = func(r *http.Request) (int, string) {
			if r.URL.Path == "/token" {
				return 0, ""
			}
			copied := r.Clone(r.Context())
			copied.Body = io.NopCloser(strings.NewReader(readBody(t, r)))
			answer := httptest.NewRecorder()
			p.server.Handler().ServeHTTP(answer, copied)
			var chunks []map[string]json.RawMessage
			if err := json.Unmarshal(answer.Body.Bytes(), &chunks); err != nil {
				t.Fatalf("%s: %v", answer.Body, err)
			}
			for _, chunk := range chunks {
				answers++
				c.checkChunk(t, chunk)
			}
			return 0, ""
		}
		exercise(t, p)
		if answers < 5 {
			t.Errorf("%d chunks were checked", answers)
		}
	})
}

func (c contract) checkChunk(t *testing.T, chunk map[string]json.RawMessage) {
	t.Helper()
	known := map[string]bool{}
	for name := range c.Messages["SearchGoogleAdsStreamResponse"] {
		known[camel(name)] = true
	}
	for name := range chunk {
		if !known[name] {
			t.Errorf("the vendor's chunks have no field %s", name)
		}
	}
	var results []map[string]map[string]any
	if err := json.Unmarshal(chunk["results"], &results); err != nil {
		t.Fatalf("%s: %v", chunk["results"], err)
	}
	for _, r := range results {
		for resource, fields := range r {
			for name := range c.Resources {
				if camel(name) != resource {
					continue
				}
				for field, value := range fields {
					c.checkValue(t, name, field, value)
				}
			}
		}
	}
}

func (c contract) checkValue(t *testing.T, resource, field string, value any) {
	t.Helper()
	for name, kind := range c.Resources[resource] {
		if camel(name) != field {
			continue
		}
		good := false
		switch enum, isEnum := strings.CutPrefix(kind, "enum "); {
		case isEnum:
			text, ok := value.(string)
			good = ok && slices.Contains(c.Enums[enum], text)
		case kind == "int64":
			text, ok := value.(string)
			good = ok && regexp.MustCompile(`^-?\d+$`).MatchString(text)
		case kind == "string":
			_, good = value.(string)
		case kind == "double":
			_, good = value.(float64)
		case kind == "bool":
			_, good = value.(bool)
		case kind == "repeated string":
			_, good = value.([]any)
		}
		if !good {
			t.Errorf("%s.%s is %v, not of the type %s", resource, name, value, kind)
		}
		return
	}
	t.Errorf("%s has no field %s", resource, field)
}

// TestFakeRefusals holds what the fake refuses, and how, against the definitions.
func TestFakeRefusals(t *testing.T) {
	c := loadContract(t)
	errorFields := map[string]bool{}
	for name := range c.Messages["GoogleAdsError"] {
		errorFields[camel(name)] = true
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.Daily = 20
		send := func(token, version, query string) (int, string, string) {
			body, err := json.Marshal(map[string]string{"query": query})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/"+version+"/customers/"+testCustomer+"/googleAds:searchStream", strings.NewReader(string(body)))
			r.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			p.server.Handler().ServeHTTP(answer, r)
			if answer.Code == http.StatusOK {
				return answer.Code, "", ""
			}
			var shape []struct {
				Error struct {
					Details []struct{ Errors []map[string]any }
				}
			}
			if err := json.Unmarshal(answer.Body.Bytes(), &shape); err != nil {
				t.Fatalf("%s: %v", answer.Body, err)
			}
			for name := range shape[0].Error.Details[0].Errors[0] {
				if !errorFields[name] {
					t.Errorf("the vendor's errors have no field %s", name)
				}
			}
			f, ok := parseFailure(answer.Body.Bytes())
			if !ok {
				t.Fatalf("not the vendor's form: %s", answer.Body)
			}
			for family, code := range f.Details[0].Errors[0].Code {
				return answer.Code, family, code
			}
			return 0, "", ""
		}
		day := between("%s", record.DateDay(2026, 1, 1), record.DateDay(2026, 1, 31))
		for _, c2 := range []struct {
			token, version, query string
			status                int
			code                  string
		}{
			{testToken, "v26", querySpendFor(day), 200, ""},
			{"stale", "v26", queryAccount, 401, "OAUTH_TOKEN_INVALID"},
			{testToken, "v21", queryAccount, 400, "UNSUPPORTED_VERSION"},
			{testToken, "v26", "SELECT campaign.id", 400, "UNEXPECTED_INPUT"},
			{testToken, "v26", "SELECT campaign.budget FROM campaign", 400, "UNRECOGNIZED_FIELD"},
			{testToken, "v26", "SELECT campaign.id FROM campaigns", 400, "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"},
			{testToken, "v26", "SELECT campaign.id FROM customer", 400, "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"},
			{testToken, "v26", "SELECT metrics.historical_quality_score FROM campaign", 400, "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE"},
			{testToken, "v26", "SELECT campaign.id, segments.date FROM campaign", 400, "EXPECTED_FILTERS_ON_DATE_RANGE"},
			{testToken, "v26", querySpendFor("WHERE segments.date BETWEEN '2026-01-01' AND '2026-02-31'"), 400, "INVALID_VALUE_WITH_BETWEEN_OPERATOR"},
			{testToken, "v26", "SELECT campaign.id FROM campaign ORDER BY campaign.name", 400, "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE"},
		} {
			status, family, code := send(c2.token, c2.version, c2.query)
			if status != c2.status || code != c2.code {
				t.Errorf("%s: status %d, %s, want %d, %s", c2.query, status, code, c2.status, c2.code)
			}
			if family != "" && !c.hasCode(family, code) {
				t.Errorf("the vendor has no code %s of %s", code, family)
			}
		}
		for range 20 {
			send(testToken, "v26", queryAccount)
		}
		if status, family, code := send(testToken, "v26", queryAccount); status != 429 || code != "RESOURCE_EXHAUSTED" || !c.hasCode(family, code) {
			t.Errorf("after the day's operations: status %d, %s.%s", status, family, code)
		}
	})
}

func querySpendFor(where string) string { return strings.Replace(querySpend, "%s", where, 1) }

func (c contract) hasCode(family, code string) bool {
	for name, codes := range c.Errors {
		if camel(name) == family {
			return slices.Contains(codes, code)
		}
	}
	return false
}

// TestKnownCodes looks up what the source knows of the vendor's codes and types.
func TestKnownCodes(t *testing.T) {
	c := loadContract(t)
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	families := regexp.MustCompile(`case "([a-z]\w+Error)":`).FindAllStringSubmatch(string(source), -1)
	if len(families) < 5 {
		t.Fatalf("found only the families %v", families)
	}
	for _, m := range families {
		if !c.hasCode(m[1], "UNKNOWN") {
			t.Errorf("the vendor has no errors of the family %s", m[1])
		}
	}
	codes := regexp.MustCompile(`"([A-Z][A-Z_]+_[A-Z]+)"`).FindAllStringSubmatch(string(source), -1)
	for _, m := range codes {
		if !slices.ContainsFunc([]string{"quotaError", "authorizationError", "queryError", "requestError"}, func(family string) bool {
			return c.hasCode(family, m[1])
		}) {
			t.Errorf("the vendor has no code %s", m[1])
		}
	}
	for _, kind := range c.Enums["AdvertisingChannelType"] {
		if kind != "UNSPECIFIED" && kind != "UNKNOWN" && channel(kind) == record.ChannelOther {
			t.Errorf("%s has no channel", kind)
		}
	}
	for _, known := range []struct{ enum, value string }{{"CampaignStatus", "ENABLED"}, {"CampaignStatus", "REMOVED"}, {"ExperimentStatus", "SETUP"}} {
		if !slices.Contains(c.Enums[known.enum], known.value) {
			t.Errorf("%s has no value %s", known.enum, known.value)
		}
	}
}
