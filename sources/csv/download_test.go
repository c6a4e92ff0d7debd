package csv

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
)

const token = "t0ken-of-the-sheet"

// sheet is a server of one CSV file, for those who have the token.
type sheet struct {
	mu       sync.Mutex
	content  string
	etag     string
	requests int
	sent     int // requests that were answered with the file
	cut      int // bytes that are left out at the end of a body, which Content-Length does not know
}

func (s *sheet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
		if r.Header.Get("If-None-Match") == s.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	s.sent++
	w.Header().Set("Content-Type", "text/csv")
	w.Header().Set("Content-Length", fmt.Sprint(len(s.content)))
	_, _ = w.Write([]byte(s.content[:len(s.content)-s.cut])) // an error means that the client has gone
}

func (s *sheet) set(content, etag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.content, s.etag = content, etag
}

func (s *sheet) counts() (requests, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.sent
}

// serve returns the entry of a file at a URL.
func serve(t testing.TB, handler http.Handler) File {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return fileAt(server.URL)
}

// direct is a transport that calls a handler, without a network.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	d.ServeHTTP(recorder, r)
	resp := recorder.Result()
	resp.Request = r
	return resp, nil
}

func fileAt(server string) File {
	return File{
		Options: endpoint.Options{URL: server + "/export/orders.csv?sheet=1&key=s3cret-key", BearerToken: config.LiteralSecret(token)},
		Config:  rows.Config{Record: record.KindOrder},
	}
}

func TestDownload(t *testing.T) {
	for name, content := range map[string]string{"plain": header + lines(1, 3), "gzip": zip(t, header+lines(1, 3))} {
		t.Run(name, func(t *testing.T) {
			entry := serve(t, &sheet{content: content})
			page := mustFetchAll(t, newSource(t, entry))
			if len(page.Records) != 3 || !page.Sweep || page.Cursor == "" {
				t.Errorf("page %+v, want 3 records, a sweep and a cursor", page)
			}
			if where := page.Where(2); where != "orders.csv:4" {
				t.Errorf("the third record is at %s", where)
			}
		})
	}
}

func TestDownloadUnchanged(t *testing.T) {
	for _, etag := range []string{`"v1"`, ""} {
		t.Run("etag "+etag, func(t *testing.T) {
			s := &sheet{content: header + lines(1, 3), etag: etag}
			src := newSource(t, serve(t, s))
			page := mustFetchAll(t, src)
			_, before := s.counts()
			if pages, err := fetch(t, src, page.Cursor); err != nil || len(pages) != 0 {
				t.Errorf("unchanged: %d pages, error %v", len(pages), err)
			}
			if _, sent := s.counts(); etag != "" && sent != before {
				t.Errorf("the file was sent again although the server knows that it has not changed")
			}
			// A ledger that lost its cursor gets the rows again, whatever the server knows.
			if pages, err := fetch(t, src, ""); err != nil || len(ids(pages)) != 3 {
				t.Errorf("without a cursor: %v, error %v", ids(pages), err)
			}
			s.set(header+lines(1, 2), strings.Replace(etag, "v1", "v2", 1))
			pages, err := fetch(t, src, page.Cursor)
			if err != nil || len(ids(pages)) != 2 {
				t.Errorf("changed: %v, error %v", ids(pages), err)
			}
		})
	}
}

// One file of a stream that has changed makes the others be read again, too.
func TestDownloadBesideFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "more.csv")
	write(t, path, header+lines(11, 12))
	s := &sheet{content: header + lines(1, 3), etag: `"v1"`}
	src := newSource(t, serve(t, s), orderFiles(path))
	page := mustFetchAll(t, src)
	write(t, path, header+lines(11, 13))
	pages, err := fetch(t, src, page.Cursor)
	if got := strings.Join(ids(pages), " "); err != nil || got != "1 2 3 11 12 13" {
		t.Errorf("records %s, error %v", got, err)
	}
}

func TestDownloadFails(t *testing.T) {
	good := &sheet{content: header + lines(1, 3), cut: 40}
	page := func(contentType, body string, status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // an error means that the client has gone
		})
	}
	tests := []struct {
		name    string
		handler http.Handler
		is      func(error) bool
	}{
		{"cut short", good, is[*apiclient.TruncatedError]},
		{"gzip cut short", page("text/csv", zip(t, header+lines(1, 3))[:60], 200), func(err error) bool {
			return strings.Contains(err.Error(), "the compressed file is cut off")
		}},
		{"login page", page("text/html", "<html>log in</html>", 200), is[*apiclient.FormatError]},
		{"empty", page("text/csv", "", 200), func(err error) bool { return strings.Contains(err.Error(), "the file is empty") }},
		{"refused", page("text/plain", "no", 401), is[*apiclient.AuthError]},
		{"gone", page("text/plain", "no", 404), is[*apiclient.APIError]},
		{"not modified without a reason", page("text/plain", "", 304), func(err error) bool { return strings.Contains(err.Error(), "without having been asked") }},
		{"too long", page("text/csv", header+strings.Repeat("x", 1<<20), 200), is[*apiclient.FormatError]},
	}
	for _, test := range tests {
		// In a bubble: what is cut short is retried after some seconds.
		synctest.Test(t, func(t *testing.T) {
			entry := fileAt("http://sheets.example")
			entry.MaxMegabytes = 1
			src, err := New("erp", Options{Files: []File{entry}}, apiclient.Deps{Transport: direct{test.handler}})
			if err != nil {
				t.Fatal(err)
			}
			pages, err := fetch(t, src, "")
			if err == nil || !test.is(err) || len(pages) != 0 {
				t.Fatalf("%s: %d pages, error %v", test.name, len(pages), err)
			}
			for _, secret := range []string{token, "s3cret-key"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		})
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestDownloadCheck(t *testing.T) {
	src := newSource(t, serve(t, &sheet{content: header + lines(1, 3)}))
	findings := src.Check(t.Context(), sources.Environment{Zone: request("").Zone})
	if len(findings) != 1 || findings[0].Err != nil || !strings.HasSuffix(findings[0].Subject, "/export/orders.csv") ||
		!strings.Contains(findings[0].Detail, "of the first 3 rows 0 rejected") {
		t.Errorf("findings %+v", findings)
	}
}

// A server that calls other content unchanged is not believed, and is read at the next poll.
func TestDownloadChangesUnderItsTag(t *testing.T) {
	path := filepath.Join(t.TempDir(), "more.csv")
	write(t, path, header+lines(11, 12))
	s := &sheet{content: header + lines(1, 3), etag: `"v1"`}
	src := newSource(t, serve(t, s), orderFiles(path))
	page := mustFetchAll(t, src)
	write(t, path, header+lines(11, 13))
	s.set(header+lines(1, 2), `"v1"`)
	if pages, err := fetch(t, src, page.Cursor); !errors.Is(err, ErrChanged) || len(pages) != 0 {
		t.Errorf("%d pages, error %v, want ErrChanged", len(pages), err)
	}
	pages, err := fetch(t, src, page.Cursor)
	if got := strings.Join(ids(pages), " "); err != nil || got != "1 2 11 12 13" {
		t.Errorf("records %s, error %v", got, err)
	}
}
