package ga4

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	fakega4 "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// schema is a schema of the vendor's discovery document.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// contract checks requests and answers against the vendor's schemas.
type contract map[string]schema

func loadContract(t *testing.T) contract {
	t.Helper()
	text, err := os.ReadFile("testdata/analyticsdata-v1beta.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Schemas contract }
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Schemas
}

// check returns what is wrong with a document that should be of a schema.
func (c contract) check(name string, text []byte) error {
	var v any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return err
	}
	return c.value(name, schema{Ref: name}, v)
}

func (c contract) value(at string, s schema, v any) error {
	if s.Ref != "" {
		var ok bool
		if s, ok = c[s.Ref]; !ok {
			return fmt.Errorf("%s: the document has no such schema", at)
		}
	}
	good := false
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			property, known := s.Properties[name]
			if !known {
				return fmt.Errorf("%s has no property %q", at, name)
			}
			if err := c.value(at+"."+name, property, value); err != nil {
				return err
			}
		}
		good = s.Type == "object"
	case []any:
		for i, item := range v {
			if s.Items == nil {
				break
			}
			if err := c.value(fmt.Sprintf("%s[%d]", at, i), *s.Items, item); err != nil {
				return err
			}
		}
		good = s.Type == "array"
	case string:
		if good = s.Type == "string"; s.Format == "int64" {
			good = good && strings.Trim(v, "0123456789") == "" && v != ""
		}
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s: %q is none of %v", at, v, s.Enum)
		}
	case json.Number:
		good = s.Type == "integer" && !strings.ContainsAny(v.String(), ".eE")
	case bool:
		good = s.Type == "boolean"
	}
	if !good {
		return fmt.Errorf("%s: %v is not a %s %s", at, v, s.Type, s.Format)
	}
	return nil
}

// checked is a transport that checks all that goes through it.
type checked struct {
	t        *testing.T
	handler  http.Handler
	contract contract
	seen     map[string]bool
	names    map[string]bool // of dimensions and metrics
}

func (c *checked) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	if r.URL.Path == "/token" {
		c.handler.ServeHTTP(answer, r)
		return answer.Result(), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/v1beta/properties/"+testProperty+":")
	kind := map[string]string{"runReport": "RunReport", "batchRunReports": "BatchRunReports"}[method]
	if r.Method != http.MethodPost || !ok || kind == "" || r.URL.RawQuery != "" {
		c.t.Errorf("the API has no %s %s", r.Method, r.URL)
	}
	if err := c.contract.check(kind+"Request", body); err != nil {
		c.t.Errorf("request: %v", err)
	}
	for _, part := range strings.Split(string(body), `"name":"`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		c.names[name] = true
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.handler.ServeHTTP(answer, r)
	if answer.Code == http.StatusOK {
		if err := c.contract.check(kind+"Response", answer.Body.Bytes()); err != nil {
			c.t.Errorf("answer: %v", err)
		}
	}
	c.seen[fmt.Sprintf("%s %d", method, answer.Code)] = true
	return answer.Result(), nil
}

// vendorNames lists the names of a real property, which are only where the repository is developed.
const vendorNames = "../../../shared/specs/google-analytics/ga4-api-names.json"

// TestContract sends every request that the source knows, and gets every answer that the fake knows.
func TestContract(t *testing.T) {
	p := newPoller(t, nil)
	transport := &checked{t: t, handler: p.server, contract: loadContract(t), seen: map[string]bool{}, names: map[string]bool{}}
	var err error
	if p.source, err = New("web", testOptions("http://ga4.test", nil), apiclient.Deps{Transport: transport}); err != nil {
		t.Fatal(err)
	}
	p.server.Threshold, p.server.Rows, p.server.Sampled = 1, 2, true
	n := map[string]fakega4.Counts{"a": {Sessions: 3, Seconds: 10}, "b": {Sessions: 4}, "c": {Sessions: 1}}
	for ago := range 40 {
		p.server.SetDay(p.day(ago), fakega4.Figures{
			Total: fakega4.Counts{Sessions: 8}, Devices: n, Countries: n, Ages: n, Downloads: 3, DownloadSessions: 2,
			Channels: []fakega4.Visits{{Source: "a.example", Group: "Referral", Counts: fakega4.Counts{Sessions: 3}}},
		})
	}
	p.source.pageRows, p.Source = 50, p.source
	for range 3 {
		for _, stream := range p.source.Streams() {
			p.Poll(stream.Name)
		}
		p.now = p.now.Add(40 * 24 * time.Hour)
	}
	for _, f := range p.source.Check(t.Context(), p.environment()) {
		if f.Err != nil {
			t.Error(f.Err)
		}
	}
	for _, kind := range []string{"runReport 200", "batchRunReports 200"} {
		if !transport.seen[kind] {
			t.Errorf("no %s among %v", kind, transport.seen)
		}
	}
	text, err := os.ReadFile(vendorNames)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no list of a real property's names")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name := range transport.names {
		if !bytes.Contains(text, []byte(`"`+name+`"`)) {
			t.Errorf("the property has no %s", name)
		}
	}
}

// TestContractRefuses shows that a mistake in a request or an answer is one.
func TestContractRefuses(t *testing.T) {
	c := loadContract(t)
	const good = `{"dateRanges":[{"startDate":"2026-03-01","endDate":"2026-03-02"}],"metrics":[{"name":"sessions"}],"limit":"10","dimensionFilter":{"filter":{"fieldName":"a","stringFilter":{"matchType":"EXACT","value":"b"}}}}`
	if err := c.check("RunReportRequest", []byte(good)); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{
		{"dateRanges", "dateRange"}, {`"10"`, "10"}, {`"10"`, `"ten"`}, {"EXACT", "EQUALS"}, {`[{"name":"sessions"}]`, `"sessions"`}, {`"b"`, "true"},
	} {
		if err := c.check("RunReportRequest", []byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s in place of %s is taken", change[1], change[0])
		}
	}
	if err := c.check("RunReportResponse", []byte(`{"rowCount":"1"}`)); err == nil {
		t.Error("a row count that is a text is taken")
	}
}
