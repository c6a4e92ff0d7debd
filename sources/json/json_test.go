package json

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
)

func now() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }

func newSource(t testing.TB, lists ...List) *Source {
	t.Helper()
	s, err := New("erp", Options{Lists: lists}, apiclient.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fetchAt(t testing.TB, s *Source, cursor string, at time.Time) ([]sources.Page, error) {
	t.Helper()
	var pages []sources.Page
	err := s.Fetch(t.Context(), sources.Request{
		Environment: sources.Environment{Zone: time.UTC, Currency: "EUR", Now: at}, Stream: s.Streams()[0].Name, Cursor: cursor,
	}, func(_ context.Context, p sources.Page) error {
		pages = append(pages, p)
		return nil
	})
	return pages, err
}

// script is a server that answers its requests in turn and notes them.
type script struct {
	answers []string
	header  func(n int) http.Header
	asked   []string // method, path with query, body
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, 4096)
	n, _ := r.Body.Read(body) // a body is one short text, or none
	s.asked = append(s.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body[:n])))
	i := len(s.asked) - 1
	if s.header != nil {
		maps.Copy(w.Header(), s.header(i))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(s.answers[min(i, len(s.answers)-1)])) // an error means that the client has gone
}

// surveys is a list of answers to a survey at the server of s.
func (s *script) surveys(t testing.TB, change func(*List)) List {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	l := List{Options: endpoint.Options{URL: server.URL + "/v1/answers"}, Config: rows.Config{Record: record.KindSurvey}}
	if change != nil {
		change(&l)
	}
	return l
}

func answerRows(ids ...int) string {
	list := make([]string, 0, len(ids))
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"id":%d,"at":"2026-03-01","score":9}`, id))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func ids(pages []sources.Page) []string {
	var list []string
	for _, p := range pages {
		for _, r := range p.Records {
			list = append(list, r.RecordMeta().ID)
		}
	}
	return list
}

// TestRequests: what is sent for each way of paging, and where it stops.
func TestRequests(t *testing.T) {
	zero := 0
	tests := []struct {
		name    string
		change  func(*List)
		answers []string
		header  func(n int) http.Header
		asked   []string
		ids     string
	}{
		{"one page", nil, []string{answerRows(1, 2)}, nil, []string{"GET /v1/answers"}, "1 2"},
		{
			"the query as it is written", func(l *List) { l.URL += "?b=2&a=x%20y&" },
			[]string{"[]"},
			nil,
			[]string{"GET /v1/answers?b=2&a=x%20y&"},
			"",
		},
		{
			"page until one is empty", func(l *List) { l.URL += "?limit=2"; l.Paging = Paging{By: byPage, Parameter: "p"} },
			[]string{answerRows(1, 2), answerRows(3), answerRows(), answerRows(1, 2), answerRows(3)},
			nil,
			[]string{
				"GET /v1/answers?limit=2&p=1", "GET /v1/answers?limit=2&p=2", "GET /v1/answers?limit=2&p=3",
				"GET /v1/answers?limit=2&p=1", "GET /v1/answers?limit=2&p=2",
			},
			"1 2 3",
		},
		{
			"page from 0 until a short one comes again", func(l *List) { l.Paging = Paging{By: byPage, Parameter: "p", First: &zero, Size: 2} },
			[]string{answerRows(1, 2), answerRows(3), answerRows(3), answerRows(1, 2), answerRows(3)},
			nil,
			[]string{"GET /v1/answers?p=0", "GET /v1/answers?p=1", "GET /v1/answers?p=2", "GET /v1/answers?p=0", "GET /v1/answers?p=1"},
			"1 2 3",
		},
		{
			"page while there is more, were it an empty one", func(l *List) { l.Rows, l.Paging = "rows", Paging{By: byPage, Parameter: "p", More: "more"} },
			[]string{`{"rows":[],"more":true}`, `{"rows":` + answerRows(1) + `,"more":false}`, `{"rows":[]}`},
			nil,
			[]string{"GET /v1/answers?p=1", "GET /v1/answers?p=2", "GET /v1/answers?p=1"},
			"1",
		},
		{
			"offset", func(l *List) { l.Paging = Paging{By: byOffset, Parameter: "skip"} },
			[]string{answerRows(1, 2), answerRows(3), answerRows(), answerRows(1, 2), answerRows(3)},
			nil,
			[]string{
				"GET /v1/answers?skip=0", "GET /v1/answers?skip=2", "GET /v1/answers?skip=3", "GET /v1/answers?skip=0", "GET /v1/answers?skip=2",
			},
			"1 2 3",
		},
		{
			"offset in the body", func(l *List) {
				l.Method, l.Body, l.Paging = "POST", `{"page":{"limit":2},"big":12345678901234567890}`, Paging{By: byOffset, Parameter: "page.skip", In: inBody}
			},
			[]string{answerRows(1, 2), answerRows(), answerRows(1, 2)},
			nil,
			[]string{
				`POST /v1/answers {"big":12345678901234567890,"page":{"limit":2,"skip":0}}`,
				`POST /v1/answers {"big":12345678901234567890,"page":{"limit":2,"skip":2}}`,
				`POST /v1/answers {"big":12345678901234567890,"page":{"limit":2,"skip":0}}`,
			},
			"1 2",
		},
		{
			"cursor until it is null", func(l *List) { l.Rows, l.Paging = "rows", Paging{By: byCursor, Field: "page.next", Parameter: "after"} },
			[]string{
				`{"rows":` + answerRows(1) + `,"page":{"next":12345678901234567890}}`, `{"page":{"next":"a b"},"rows":[]}`,
				`{"rows":` + answerRows(2) + `,"page":{"next":null}}`,
			},
			nil,
			[]string{"GET /v1/answers", "GET /v1/answers?after=12345678901234567890", "GET /v1/answers?after=a+b"},
			"1 2",
		},
		{
			"cursor while there is more", func(l *List) {
				l.Method, l.Rows, l.Paging = "POST", "rows", Paging{By: byCursor, Field: "end", More: "more", Parameter: "variables.after", In: inBody}
			},
			[]string{`{"rows":` + answerRows(1) + `,"end":"x","more":true}`, `{"rows":` + answerRows(2) + `,"end":"x","more":false}`},
			nil,
			[]string{"POST /v1/answers {}", `POST /v1/answers {"variables":{"after":"x"}}`},
			"1 2",
		},
		{
			"url", func(l *List) { l.Rows, l.Paging = "rows", Paging{By: byURL, Field: "next"} },
			[]string{`{"rows":` + answerRows(1) + `,"next":"answers?token=7"}`, `{"rows":` + answerRows(2) + `,"next":""}`},
			nil,
			[]string{"GET /v1/answers", "GET /v1/answers?token=7"},
			"1 2",
		},
		{
			"link", func(l *List) { l.Paging = Paging{By: byLink} },
			[]string{answerRows(1), answerRows(2)},
			func(n int) http.Header {
				if n > 0 {
					return http.Header{"Link": {`</v1/answers>; rel="prev"`}}
				}
				return http.Header{"Link": {`</v1/answers>; rel="self", </v1/more?x=1,2>; title="a; b"; rel="last next"`}}
			},
			[]string{"GET /v1/answers", "GET /v1/more?x=1,2"},
			"1 2",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &script{answers: test.answers, header: test.header}
			pages, err := fetchAt(t, newSource(t, s.surveys(t, test.change)), "", now())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.asked, s.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if got := strings.Join(ids(pages), " "); got != test.ids {
				t.Errorf("records %s, want %s", got, test.ids)
			}
			for i, p := range pages {
				if last := i == len(pages)-1; p.Sweep != last || (p.Cursor != "") != last {
					t.Errorf("page %d of %d sweeps: %v, cursor %q", i+1, len(pages), p.Sweep, p.Cursor)
				}
			}
		})
	}
}

func TestIncrements(t *testing.T) {
	from := record.DateDay(2020, 1, 1)
	tests := []struct {
		name         string
		increment    Increment
		first, later string
	}{
		{"defaults", Increment{Parameter: "since"}, "GET /v1/answers", "GET /v1/answers?since=2026-03-02T09%3A20%3A00Z"},
		{"unix", Increment{Parameter: "since", Format: "unix", Overlap: time.Minute}, "GET /v1/answers", "GET /v1/answers?since=1772443740"},
		{
			"a filter, from a day on",
			Increment{Parameter: "$filter", Value: "changed ge {since}", Format: "2006-01-02", From: &from},
			"GET /v1/answers?%24filter=changed+ge+2020-01-01", "GET /v1/answers?%24filter=changed+ge+2026-03-02",
		},
		{
			"milliseconds in the body",
			Increment{Parameter: "filter.since", In: inBody, Format: "unix_ms"},
			`POST /v1/answers {}`, `POST /v1/answers {"filter":{"since":1772443200000}}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &script{answers: []string{answerRows(1)}}
			l := s.surveys(t, func(l *List) {
				l.Increment = &test.increment
				if test.increment.In == inBody {
					l.Method = "POST"
				}
			})
			src := newSource(t, l)
			var last string
			read := func(at time.Time) sources.Page {
				t.Helper()
				pages, err := fetchAt(t, src, last, at)
				if err != nil || len(pages) != 1 {
					t.Fatalf("%d pages, error %v", len(pages), err)
				}
				last = pages[0].Cursor
				return pages[0]
			}
			if !read(now()).Sweep {
				t.Error("the first Fetch does not sweep")
			}
			if read(now().Add(time.Hour)).Sweep {
				t.Error("a Fetch of what has changed sweeps")
			}
			if !read(now().Add(24 * time.Hour)).Sweep {
				t.Error("a Fetch after a day does not sweep")
			}
			l.TimeFormat = "2006-01-02"
			if src = newSource(t, l); !read(now().Add(25 * time.Hour)).Sweep {
				t.Error("a Fetch with other settings does not sweep")
			}
			if diff := cmp.Diff([]string{test.first, test.later, test.first, test.first}, s.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestValues: numbers stay exact, and what stands deep in a row is found.
func TestValues(t *testing.T) {
	s := &script{answers: []string{`{"d":{"rows":[
		{"no":12345678901234567890,"order":{"placed":1772443800,"sum":{"net":1234567890.123456}},"tags":["x","y"],"ship.country":"DE","lines":[{"cost":0.1}]},
		{"no":2,"order":{"placed":"yesterday","sum":null}}, 7
	]}}`}}
	l := s.surveys(t, func(l *List) {
		l.Rows = "d.rows"
		l.Config = rows.Config{Record: record.KindOrder, TimeFormat: "unix", Columns: map[string]string{
			"id": "no", "placed_at": "order.placed", "currency": "=EUR", "gross": "order.sum.net", "country": "ship.country", "cost": "lines.0.cost",
		}}
	})
	pages, err := fetchAt(t, newSource(t, l), "", now())
	if err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, error %v", len(pages), err)
	}
	order := pages[0].Records[0].(*record.Order)
	if order.ID != "12345678901234567890" || order.Gross != record.Micros(1_234_567_890_123_456) || order.PlacedAt.N != now().UnixMicro() ||
		order.Country != "DE" || order.Cost != record.Micros(100_000) {
		t.Errorf("order %+v", order)
	}
	if where := pages[0].Where(0); where != "page 1, row 1" {
		t.Errorf("the first row is at %s", where)
	}
	want := []sources.Rejection{
		{
			Kind: record.KindOrder, ID: "2", Reason: rows.ReasonTime, Where: "page 1, row 2",
			Detail: `placed_at (column "order.placed") "yesterday" is not a whole number of seconds since 1970, as time_format unix says`,
		},
		{Kind: record.KindOrder, Reason: rows.ReasonMissing, Where: "page 1, row 3", Detail: `id (column "no") is empty`},
	}
	if diff := cmp.Diff(want, pages[0].Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

func TestFailures(t *testing.T) {
	byLinkTo := func(target string) func(int) http.Header {
		return func(int) http.Header { return http.Header{"Link": {"<" + target + `>; rel="next"`}} }
	}
	tests := []struct {
		name    string
		change  func(*List)
		answers []string
		header  func(int) http.Header
		want    string
	}{
		{
			"no rows", func(l *List) { l.Rows = "data.items" },
			[]string{`{"data":{"rows":[]}}`},
			nil,
			"page 1: the answer has no field data.items, where rows says that the rows are",
		},
		{"no array", nil, []string{`{"rows":[]}`}, nil, "{ where an array should begin"},
		{
			"an error inside a 200", func(l *List) { l.Error = "error" },
			[]string{`{"error":{"message":"no such company"}}`},
			nil,
			"status 200: no such company",
		},
		{
			"every row rejected", func(l *List) { l.Columns = map[string]string{"id": "no", "at": "at", "score": "score"} },
			[]string{answerRows(1, 2)},
			nil,
			`stream survey: all 2 rows are rejected, the first at page 1, row 1, missing value: id (column "no") is empty; check the columns`,
		},
		{
			"the same page", func(l *List) { l.Paging = Paging{By: byPage, Parameter: "p"} },
			[]string{answerRows(1)},
			nil,
			"the paging does not end: the cursor after page 1 was met before",
		},
		{
			"the same full page", func(l *List) { l.Paging = Paging{By: byOffset, Parameter: "p", Size: 2} },
			[]string{answerRows(1, 2)},
			nil,
			"the paging does not end: the cursor after page 1 was met before",
		},
		{
			"more, but nothing comes", func(l *List) { l.Rows, l.Paging = "rows", Paging{By: byPage, Parameter: "p", More: "more", Size: 2} },
			[]string{`{"rows":[],"more":true}`},
			nil,
			"the paging does not end: the cursor after page 1 was met before",
		},
		{
			"the same cursor", func(l *List) { l.Rows, l.Paging = "rows", Paging{By: byCursor, Field: "next", Parameter: "p"} },
			[]string{`{"rows":[],"next":"a"}`},
			nil, "the paging does not end: the cursor after page 2 was met before",
		},
		{
			"more without a cursor", func(l *List) {
				l.Rows, l.Paging = "rows", Paging{By: byCursor, Field: "next", More: "more", Parameter: "p"}
			},
			[]string{`{"rows":[],"more":true}`},
			nil, "page 1: more says that there are more pages, but next, which leads there, is empty",
		},
		{
			"a cursor that is an object", func(l *List) { l.Rows, l.Paging = "rows", Paging{By: byCursor, Field: "next", Parameter: "p"} },
			[]string{`{"rows":[],"next":{"a":1}}`},
			nil, "the field next is not a single value",
		},
		{
			"another host", func(l *List) { l.Paging = Paging{By: byLink} },
			[]string{answerRows(1)},
			byLinkTo("http://elsewhere.example/x?secret=1"),
			"page 1: the next page is at http://elsewhere.example, not at http://127.0.0.1:",
		},
		{"no URL", func(l *List) { l.Paging = Paging{By: byLink} }, []string{answerRows(1)}, byLinkTo("http://a b/"), "the address of the next page is not a URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &script{answers: test.answers, header: test.header}
			pages, err := fetchAt(t, newSource(t, s.surveys(t, test.change)), "", now())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v\nwant %s", err, test.want)
			}
			if slices.ContainsFunc(pages, func(p sources.Page) bool { return p.Sweep || p.Cursor != "" }) {
				t.Error("a Fetch that fails sweeps or has a cursor")
			}
		})
	}
}

func TestNoRowsAreNoError(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*List)
		answer string
	}{
		"empty":                  {nil, "[]"},
		"null":                   {func(l *List) { l.Rows = "rows" }, `{"rows":null}`},
		"left out":               {func(l *List) { l.Rows, l.OmitsEmpty = "rows", true }, `{}`},
		"an error that is empty": {func(l *List) { l.Rows, l.Error = "rows", "errors" }, `{"rows":[],"errors":[]}`},
		"byte order mark":        {nil, "\xef\xbb\xbf[]"},
	} {
		s := &script{answers: []string{test.answer}}
		pages, err := fetchAt(t, newSource(t, s.surveys(t, test.change)), "", now())
		if err != nil || len(pages) != 1 || !pages[0].Sweep || len(pages[0].Records) > 0 {
			t.Errorf("%s: pages %+v, error %v", name, pages, err)
		}
	}
}

// Lists of one kind are one stream: it sweeps only when all of them were read whole.
func TestSeveralLists(t *testing.T) {
	one, two := &script{answers: []string{answerRows(1)}}, &script{answers: []string{answerRows(2)}}
	src := newSource(t, one.surveys(t, nil), two.surveys(t, func(l *List) { l.Increment = &Increment{Parameter: "since"} }))
	if n := len(src.Streams()); n != 1 {
		t.Fatalf("%d streams", n)
	}
	pages, err := fetchAt(t, src, "", now())
	if err != nil || len(pages) != 2 || !pages[1].Sweep || pages[0].Sweep {
		t.Fatalf("pages %+v, error %v", pages, err)
	}
	again, err := fetchAt(t, src, pages[1].Cursor, now().Add(time.Minute))
	if err != nil || again[len(again)-1].Sweep || strings.Join(ids(again), " ") != "1 2" {
		t.Errorf("pages %+v, error %v", again, err)
	}
}

func TestEmitErrorIsReturned(t *testing.T) {
	full := errors.New("disk full")
	s := &script{answers: []string{answerRows(1), answerRows(2)}}
	src := newSource(t, s.surveys(t, func(l *List) { l.Paging = Paging{By: byPage, Parameter: "p"} }))
	err := src.Fetch(t.Context(), sources.Request{Environment: sources.Environment{Zone: time.UTC, Now: now()}, Stream: "survey"},
		func(context.Context, sources.Page) error { return full })
	if !errors.Is(err, full) || len(s.asked) != 1 {
		t.Errorf("error %v after %d requests", err, len(s.asked))
	}
}

func TestCheck(t *testing.T) {
	s := &script{answers: []string{`[{"id":1,"at":"2026-03-01","score":11},{"id":2,"at":"2026-03-01","score":9}]`}}
	l := s.surveys(t, func(l *List) { l.URL += "?key=secret"; l.Paging = Paging{By: byPage, Parameter: "p", Size: 3} })
	findings := newSource(t, l).Check(t.Context(), sources.Environment{Zone: time.UTC})
	want := `columns id, at, score; of the first 2 rows 1 rejected; first at page 1, row 1, bad amount: score "11" is not within 0 and 10; ` +
		`in no row of the first page deleted, customer; ` +
		`the second page has the rows of the first: unless there is one page only, the API does not count by p`
	if len(findings) != 1 || findings[0].Err != nil || findings[0].Detail != want || !strings.HasSuffix(findings[0].Subject, "/v1/answers") {
		t.Errorf("findings %+v", findings)
	}
	if len(s.asked) != 2 {
		t.Errorf("%d requests", len(s.asked))
	}
}

func TestNextLink(t *testing.T) {
	for link, want := range map[string]string{
		"":                                  "",
		"<":                                 "",
		"</a>":                              "",
		"</a>; rel":                         "",
		`</a>; rel=next`:                    "/a",
		`</a>; REL="Next"`:                  "/a",
		`</a?x=1;y=2,3>; rel="next"`:        "/a?x=1;y=2,3",
		`</a>; rel="prev", </b>;rel="next"`: "/b",
		`</a>; rel="nextish"`:               "",
		`</a>; rev="next", </b>; rel="up"`:  "",
		`</a>; rel=next, </b>; rel=last`:    "/a",
	} {
		if got := nextLink(http.Header{"Link": {link}}); got != want {
			t.Errorf("%s leads to %q, want %q", link, got, want)
		}
	}
	if got := nextLink(http.Header{"Link": {`</a>; rel="first"`, `</b>; rel="next"`}}); got != "/b" {
		t.Errorf("two headers lead to %q", got)
	}
}

func TestNoContent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	l := List{Options: endpoint.Options{URL: server.URL}, Rows: "rows", Config: rows.Config{Record: record.KindSurvey}}
	pages, err := fetchAt(t, newSource(t, l), "", now())
	if err != nil || len(pages) != 1 || !pages[0].Sweep {
		t.Errorf("pages %+v, error %v", pages, err)
	}
}
