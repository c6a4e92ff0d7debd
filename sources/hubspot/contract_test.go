package hubspot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// vendorProperties is the list of properties of contacts that a real account has given.
const vendorProperties = "../../../shared/specs/hubspot/fixtures/contact-properties-dump-tracardi.json"

// TestContactProperties compares the names with a real account's, where that list is at hand.
func TestContactProperties(t *testing.T) {
	text, err := os.ReadFile(vendorProperties)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no list of a real account's properties")
	}
	if err != nil {
		t.Fatal(err)
	}
	m := newTestMapper(t, record.KindLead, nil)
	for _, name := range m.source.properties(m.stream, m.directory) {
		if !bytes.Contains(text, []byte(`"name": "`+name+`"`)) && !bytes.Contains(text, []byte(`"name":"`+name+`"`)) {
			t.Errorf("contacts have no property %s", name)
		}
	}
}

// vendorDocuments are OpenAPI documents of the vendor's, which are only where the repository is
// developed: they have no licence to be passed on.
const vendorDocuments = "../../../shared/specs/hubspot/derived-2026-09"

// contract checks requests and answers against OpenAPI documents.
type contract []routers.Router

func loadContract(t *testing.T, files ...string) contract {
	t.Helper()
	var c contract
	for _, file := range files {
		doc, err := openapi3.NewLoader().LoadFromFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc.Servers = nil
		router, err := gorillamux.NewRouter(doc)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c = append(c, router)
	}
	return c
}

// check returns what is wrong with a request, or with the answer that the handler gives to it.
func (c contract) check(r *http.Request, body []byte, handler http.Handler) (*httptest.ResponseRecorder, error) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	for _, router := range c {
		route, path, err := router.FindRoute(r)
		if err != nil {
			continue
		}
		known := map[string]bool{}
		for _, p := range route.Operation.Parameters {
			known[p.Value.In+" "+p.Value.Name] = true
		}
		for name := range r.URL.Query() {
			if !known["query "+name] {
				return answer, fmt.Errorf("%s %s has no parameter %q", r.Method, r.URL.Path, name)
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		input := &openapi3filter.RequestValidationInput{
			Request: r, PathParams: path, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
		}
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			return answer, fmt.Errorf("request: %w", err)
		}
		output := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: answer.Code, Header: answer.Header(), Options: input.Options,
		}
		output.SetBodyBytes(answer.Body.Bytes())
		if err := openapi3filter.ValidateResponse(r.Context(), output); err != nil {
			return answer, fmt.Errorf("answer to %s %s: %w", r.Method, r.URL.Path, err)
		}
		return answer, nil
	}
	return answer, fmt.Errorf("no document has %s %s", r.Method, r.URL.Path)
}

// checked is a transport that checks all that goes through it.
type checked struct {
	t        *testing.T
	handler  http.Handler
	contract contract
	seen     map[string]bool
}

func (c *checked) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	in := r.Clone(r.Context())
	answer, err := c.contract.check(in, body, c.handler)
	if err != nil {
		c.t.Error(err)
	}
	if r.Header.Get("Authorization") != "Bearer "+testToken {
		c.t.Errorf("%s %s: the token is not sent as a bearer", r.Method, r.URL.Path)
	}
	kind := strings.Split(r.URL.Path, "/")[2]
	if kind == "objects" {
		kind = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if r.URL.Query().Get("archived") == "true" {
			kind = "archived " + kind
		}
	}
	c.seen[fmt.Sprintf("%s %d", kind, answer.Code)] = true
	return answer.Result(), nil
}

// TestContract sends every request that the source knows, and gets every answer that the fake
// knows.
func TestContract(t *testing.T) {
	contracts := map[string]contract{"written down": loadContract(t, "testdata/openapi.yaml")}
	if files, err := filepath.Glob(vendorDocuments + "/*.json"); err == nil && len(files) > 0 {
		contracts["vendor"] = loadContract(t, files...)
	}
	for name, c := range contracts {
		t.Run(name, func(t *testing.T) { exercise(t, c) })
	}
}

func exercise(t *testing.T, c contract) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	server := fakehubspot.New(func() time.Time { return now })
	server.Token = testToken
	transport := &checked{t: t, handler: server, contract: c, seen: map[string]bool{}}
	open := func() sources.Source {
		src, err := openDefault("http://hubspot.test", apiclient.Deps{Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	at := now.Add(-time.Hour)
	server.PutPipeline(salesPipeline())
	for i := range 120 {
		server.PutOwner(fakehubspot.Owner{ID: fmt.Sprint(i + 1), FirstName: "O", Archived: i%2 == 0})
	}
	for i := range uint64(101) {
		server.Put(fakehubspot.Contacts, i+1, at, map[string]string{"lifecyclestage": "lead", "email": "a@b.example"})
		server.Put(fakehubspot.Companies, i+1, at, map[string]string{"domain": "b.example"})
		server.Put(fakehubspot.Deals, i+1, at, map[string]string{"pipeline": "default", "dealstage": "closedwon"})
	}
	server.Associate(fakehubspot.Deals, 2, fakehubspot.Companies, 2, true, at)
	server.Associate(fakehubspot.Deals, 2, fakehubspot.Contacts, 2, false, at)
	src := open()
	cursors := map[string]string{}
	poll := func(src sources.Source) {
		for _, st := range streams() {
			req := sources.Request{
				Environment: sources.Environment{Now: now, Zone: time.UTC, Currency: "EUR"}, Stream: string(st.kind), Cursor: cursors[string(st.kind)],
			}
			if err := src.Fetch(t.Context(), req, func(_ context.Context, p sources.Page) error {
				if len(p.Rejected) > 0 {
					t.Errorf("rejected: %+v", p.Rejected)
				}
				if p.Cursor != "" {
					cursors[string(st.kind)] = p.Cursor
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}
	poll(src)
	server.Archive(fakehubspot.Deals, 3, now)
	server.Merge(fakehubspot.Contacts, 4, 5, now)
	now = now.Add(2 * time.Hour)
	for id := range uint64(3) {
		server.Put(fakehubspot.Contacts, id+10, now.Add(-time.Hour), map[string]string{"lifecyclestage": "customer"})
		server.Put(fakehubspot.Deals, id+10, now.Add(-time.Hour), map[string]string{"amount": "12.50"})
	}
	poll(src)
	for _, f := range src.Check(t.Context(), sources.Environment{Now: now, Zone: time.UTC, Currency: "EUR"}) {
		if f.Err != nil {
			t.Error(f.Err)
		}
	}
	for _, kind := range []string{
		"contacts 200", "companies 200", "deals 200", "archived contacts 200", "search 200", "read 200",
		"associations 207", "owners 200", "pipelines 200", "properties 200",
	} {
		if !transport.seen[kind] {
			t.Errorf("no %s among %v", kind, transport.seen)
		}
	}
	// The errors.
	server.Scopes = []string{"crm.objects.owners.read"}
	src.Check(t.Context(), sources.Environment{Now: now, Zone: time.UTC, Currency: "EUR"})
	server.Scopes, server.Token = nil, "another"
	src.Check(t.Context(), sources.Environment{Now: now})
	server.Token, server.Daily = testToken, 0
	src.Check(t.Context(), sources.Environment{Now: now})
	for _, kind := range []string{"contacts 403", "owners 401", "owners 429"} {
		if !transport.seen[kind] {
			t.Errorf("no %s among %v", kind, transport.seen)
		}
	}
}

// TestContractRefuses shows that a mistake in a request or an answer is one.
func TestContractRefuses(t *testing.T) {
	c := loadContract(t, "testdata/openapi.yaml")
	const contacts = "/crm/objects/2026-09/contacts"
	search := `{"after":"0","limit":200,"sorts":[],"properties":[],"filterGroups":[{"filters":[{"propertyName":"a","operator":"GT","value":"1"}]}]}`
	good := `{"results":[{"id":"1","properties":{"a":null},"createdAt":"2026-03-02T09:00:00.000Z","updatedAt":"2026-03-02T09:00:00.000Z"}]}`
	total := strings.Replace(good, "{", `{"total":1,`, 1)
	for name, test := range map[string]struct {
		method, path, body, answer string
		good                       bool
	}{
		"a list":                  {"GET", contacts + "?limit=100", "", good, true},
		"a search":                {"POST", contacts + "/search", search, total, true},
		"an unknown parameter":    {"GET", contacts + "?lmit=100", "", good, false},
		"a parameter's type":      {"GET", contacts + "?limit=many", "", good, false},
		"a page too long":         {"GET", contacts + "?limit=101", "", good, false},
		"an unknown type":         {"GET", "/crm/objects/2026-09/parcels", "", good, false},
		"another path":            {"GET", "/crm/objects/2026-09", "", good, false},
		"a field's name":          {"POST", contacts + "/search", strings.Replace(search, "sorts", "sort", 1), total, false},
		"a field's type":          {"POST", contacts + "/search", strings.Replace(search, "200", `"200"`, 1), total, false},
		"an operator":             {"POST", contacts + "/search", strings.Replace(search, "GT", ">", 1), total, false},
		"an answer's field":       {"GET", contacts, "", strings.Replace(good, "results", "result", 1), false},
		"an answer's extra field": {"GET", contacts, "", strings.Replace(good, "{", `{"more":1,`, 1), false},
		"an answer's type":        {"GET", contacts, "", strings.Replace(good, `"1"`, "1", 1), false},
		"an answer's time":        {"GET", contacts, "", strings.Replace(good, "2026-03-02T", "", 1), false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), test.method, "http://hubspot.test"+test.path, nil)
		r.Header.Set("Content-Type", "application/json")
		_, err := c.check(r, []byte(test.body), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if _, err := io.WriteString(w, test.answer); err != nil {
				t.Error(err)
			}
		}))
		if (err == nil) != test.good {
			t.Errorf("%s: got %v, want it good: %v", name, err, test.good)
		}
	}
}

// readAll returns a request's body.
func readAll(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
