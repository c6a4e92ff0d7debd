package json

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
)

func parse(t *testing.T, lists string) (*config.Config, error) {
	t.Helper()
	text := "timezone: Europe/Berlin\ncurrency: EUR\nledger: {path: b2b.db}\nsources:\n  - name: erp\n    type: json\n    lists:\n" + lists
	return config.Parse("/etc/b2b.yml", []byte(text), config.Schema{
		Sources: map[string]func() config.Options{Type: func() config.Options { return &Options{} }},
	})
}

func TestOptions(t *testing.T) {
	c, err := parse(t, `
      - url: https://erp.example.com/orders
        method: POST
        body: '{"limit": 100}'
        oauth2: {token_url: "https://login.example.com/token", client_id: abc, client_secret: s3cret, scopes: [read], endpoint_params: {audience: erp}}
        headers: [{name: X-Company, value: "7"}]
        timeout: 30s
        max_megabytes: 8
        record: survey
        rows: data.rows
        omits_empty: true
        error: errors
        paging: {by: page, parameter: page.no, in: body, first: 0, size: 100, more: more}
        increment: {parameter: since, in: body, value: "x {since}", format: unix, from: 2020-01-01, overlap: 1h, sweep_every: 12h}
        columns: {id: no, at: answered.at, score: answered.score}
`)
	if err != nil {
		t.Fatal(err)
	}
	zero, from := 0, record.DateDay(2020, 1, 1)
	want := &Options{Lists: []List{{
		Options: endpoint.Options{
			URL: "https://erp.example.com/orders", Timeout: 30 * time.Second, MaxMegabytes: 8,
			OAuth2: &endpoint.OAuth2{
				TokenURL: "https://login.example.com/token", ClientID: "abc", Scopes: []string{"read"}, EndpointParams: map[string]string{"audience": "erp"},
			},
			Headers: []endpoint.Parameter{{Name: "X-Company"}},
		},
		Method: "POST", Body: `{"limit": 100}`, Rows: "data.rows", OmitsEmpty: true, Error: "errors",
		Paging: Paging{By: byPage, Parameter: "page.no", In: inBody, First: &zero, Size: 100, More: "more"},
		Increment: &Increment{
			Parameter: "since", In: inBody, Value: "x {since}", Format: "unix", From: &from, Overlap: time.Hour, SweepEvery: 12 * time.Hour,
		},
		Config: rows.Config{Record: record.KindSurvey, Columns: map[string]string{"id": "no", "at": "answered.at", "score": "answered.score"}},
	}}}
	got := c.Sources[0].Options.(*Options)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(config.SecretRef{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if secret, err := got.Lists[0].OAuth2.ClientSecret.Get(); err != nil || secret.Reveal() != "s3cret" {
		t.Errorf("the client secret is not the one given (error %v)", err)
	}
	shown, err := c.Redacted()
	if err != nil || strings.Contains(string(shown), "s3cret") {
		t.Errorf("error %v; the configuration that is shown:\n%s", err, shown)
	}
}

func TestOptionErrors(t *testing.T) {
	tests := []struct{ name, list, want string }{
		{"no url", `record: survey`, "sources[0].lists[0].url: expected an http or https URL with a host"},
		{"no record", `url: "https://example.com"`, "sources[0].lists[0].record: is missing"},
		{"method", `url: "https://example.com", record: survey, method: PUT`, "sources[0].lists[0].method: expected one of GET, POST, found"},
		{"body with GET", `url: "https://example.com", record: survey, body: "{}"`, "sources[0].lists[0].body: is sent with the method POST only"},
		{"body that is none", `url: "https://example.com", record: survey, method: POST, body: "[1]"`, `sources[0].lists[0].body: is not a JSON object: it does not begin with "{"`},
		{"body that is no JSON", `url: "https://example.com", record: survey, method: POST, body: "{"`, `sources[0].lists[0].body: is not a JSON object: it is not JSON`},
		{"path", `url: "https://example.com", record: survey, rows: a..b`, `sources[0].lists[0].rows: "a..b" is not a path of names with dots between them`},
		{
			"parameter in a body", `url: "https://example.com", record: survey, increment: {parameter: a, in: body}`,
			"sources[0].lists[0].increment.in: there is a body with the method POST only; set method: POST",
		},
		{"cursor without field", `url: "https://example.com", record: survey, paging: {by: cursor, parameter: a}`, "sources[0].lists[0].paging.field: is missing; paging by cursor needs it"},
		{"page without parameter", `url: "https://example.com", record: survey, paging: {by: page}`, "sources[0].lists[0].paging.parameter: is missing; paging by page needs it"},
		{"link with field", `url: "https://example.com", record: survey, paging: {by: link, field: a}`, "sources[0].lists[0].paging.field: has no use here"},
		{"size without paging", `url: "https://example.com", record: survey, paging: {size: 7}`, "sources[0].lists[0].paging.by: is missing; give one of"},
		{"negative size", `url: "https://example.com", record: survey, paging: {by: link, size: -7}`, "sources[0].lists[0].paging.size: must be above 0"},
		{"value", `url: "https://example.com", record: survey, increment: {parameter: a, value: x}`, "sources[0].lists[0].increment.value: must hold {since}"},
		{"format", `url: "https://example.com", record: survey, increment: {parameter: a, format: ISO}`, `sources[0].lists[0].increment.format: "ISO" gives no year`},
		{
			"field", `url: "https://example.com", record: survey, columns: {id: a, at: b, score: c, note: d}`,
			`sources[0].lists[0].columns.note: survey has no field "note"`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(t, "      - {"+test.list+"}\n")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v\nwant %s", err, test.want)
			}
		})
	}
	for _, o := range []Options{{}, {Lists: []List{{}}}} {
		if _, err := New("erp", o, apiclient.Deps{}); err == nil || !strings.HasPrefix(err.Error(), "source erp: ") {
			t.Errorf("error %v", err)
		}
	}
}

// The document's example is one, and every option is in it.
func TestDocumentedOptions(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(document), "    lists:\n")
	lists, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("there is no example")
	}
	lists = strings.ReplaceAll(lists, "bearer_token_file: /run/secrets/erp", "bearer_token: x")
	if _, err := parse(t, lists); err != nil {
		t.Error(err)
	}
	var check func(reflect.Type)
	check = func(options reflect.Type) {
		for f := range options.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			inner := f.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if name != "" && !strings.Contains(string(document), "`"+name+"`") {
				t.Errorf("the document does not mention %s", name)
			}
			if inner.Kind() == reflect.Struct && inner.PkgPath() != "time" && inner != reflect.TypeFor[config.SecretRef]() {
				check(inner)
			}
		}
	}
	check(reflect.TypeFor[List]())
}
