package rows_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

const exampleSecret = "s3cret-of-the-example"

// example is a section of docs/sources/generic.md: a source and what it reads.
type example struct {
	title, source string
	data          map[string]string // by path or URL
}

func examples(t *testing.T) []example {
	t.Helper()
	document, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sources", "generic.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^`([^`\n]+)`:\n\n```(?:csv|json)\n(.*?)^```$")
	var list []example
	for _, section := range strings.Split(string(document), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		_, rest, _ := strings.Cut(text, "```yaml\n")
		source, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("%s has no configuration", title)
		}
		e := example{title: title, source: source, data: map[string]string{}}
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			e.data[m[1]] = m[2]
		}
		list = append(list, e)
	}
	return list
}

// internet answers for the URLs of an example, as their hosts do.
type internet struct {
	t    *testing.T
	data map[string]string
	read map[string]bool
}

func (n *internet) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.String()
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, ProtoMajor: 1, ProtoMinor: 1}
	_, sheet := strings.CutPrefix(address, "https://docs.google.com/")
	if sheet {
		resp.StatusCode = http.StatusTemporaryRedirect
		resp.Header.Set("Location", "https://doc-0c-sheets.googleusercontent.com/pub?"+r.URL.RawQuery)
		resp.Body = http.NoBody
		return resp, nil
	}
	if r.URL.Host == "doc-0c-sheets.googleusercontent.com" {
		address = "https://docs.google.com/spreadsheets/d/e/KEY/pub?" + r.URL.RawQuery
	} else if _, password, _ := r.BasicAuth(); password != exampleSecret && r.Header.Get("X-Api-Key") != exampleSecret &&
		r.Header.Get("Authorization") != "Bearer "+exampleSecret {
		n.t.Errorf("%s is asked for without its credentials", address)
	}
	text, ok := n.data[address]
	if !ok {
		n.t.Errorf("%s is asked for, which is not in the example", address)
		resp.StatusCode = http.StatusNotFound
	}
	n.read[address] = true
	if strings.HasPrefix(text, "{") {
		resp.Header.Set("Content-Type", "application/json")
	}
	resp.Body = io.NopCloser(strings.NewReader(text))
	return resp, nil
}

// run reads an example as the exporter would.
func (e example) run(t *testing.T) (records []record.Record, rejected []string) {
	t.Helper()
	dir := t.TempDir()
	net := &internet{t: t, data: map[string]string{}, read: map[string]bool{}}
	for name, text := range e.data {
		if local, ok := strings.CutPrefix(name, "/data/"); ok {
			writeFile(t, filepath.Join(dir, local), text)
			continue
		}
		net.data[name] = text
	}
	source := strings.ReplaceAll(e.source, "/data/", dir+"/")
	source = regexp.MustCompile(`/run/secrets/\w+`).ReplaceAllString(source, filepath.Join(dir, "secret"))
	writeFile(t, filepath.Join(dir, "secret"), exampleSecret+"\n")
	text := "timezone: Europe/Berlin\ncurrency: EUR\nledger: {path: b2b.db}\n" + source
	c, err := config.Parse(filepath.Join(dir, "b2b.yml"), []byte(text), config.Schema{Sources: all.Options()})
	if err != nil {
		t.Fatal(err)
	}
	src, _, err := all.Open(c.Sources[0], all.Deps{Transport: net})
	if err != nil {
		t.Fatal(err)
	}
	env := sources.Environment{Zone: c.Timezone, Currency: c.Currency, Now: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
	for _, f := range src.Check(t.Context(), env) {
		if f.Err != nil {
			t.Errorf("check: %s: %v", f.Subject, f.Err)
		}
	}
	for _, stream := range src.Streams() {
		err := src.Fetch(t.Context(), sources.Request{Environment: env, Stream: stream.Name}, func(_ context.Context, p sources.Page) error {
			records = append(records, p.Records...)
			for _, r := range p.Rejected {
				rejected = append(rejected, r.Where+", "+r.Reason+": "+r.Detail)
			}
			return nil
		})
		if err != nil {
			t.Errorf("stream %s: %v", stream.Name, err)
		}
	}
	for name := range net.data {
		if !net.read[name] {
			t.Errorf("%s is not read", name)
		}
	}
	return records, rejected
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestExamples runs what docs/sources/generic.md shows.
func TestExamples(t *testing.T) {
	at := func(text string) record.Instant {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return record.At(moment)
	}
	cents := func(n int64) record.Amount { return record.Micros(n * record.MicrosPerUnit / 100) }
	meta := func(id string) record.Meta { return record.Meta{ID: id} }
	on := func(month time.Month, day int) record.Instant { return record.OnDate(record.DateDay(2026, month, day)) }
	want := map[string][]record.Record{
		"An ERP, as files": {
			&record.Customer{Meta: meta("K17"), Company: true, Owner: "Berg", Keys: record.Keys{Domain: "www.muster.example", ExternalIDs: []string{"crm:981"}}},
			&record.Customer{Meta: meta("K18"), Company: true, Owner: "Tal", Keys: record.Keys{Domain: "https://shop.beispiel.example/"}},
			&record.Order{
				Meta: meta("4001"), Customer: record.RefTo("K17"), PlacedAt: at("2026-03-02T07:15:00Z"), Currency: "EUR", Gross: cents(120_050),
				Discount: cents(50), Cost: cents(80_000), Country: "DE",
			},
			&record.Order{Meta: meta("4002"), Customer: record.RefTo("K18"), PlacedAt: at("2026-03-02T10:40:00Z"), Currency: "EUR", Gross: cents(30_000), Country: "AT"},
			&record.Order{Meta: meta("4003"), PlacedAt: at("2026-03-03T08:05:00Z"), Currency: "EUR", Gross: cents(1990), Cost: cents(1200), Country: "DE"},
		},
		"An ERP, over its API": {
			&record.Order{
				Meta: meta("4001"), Customer: record.RefTo("K17"), PlacedAt: at("2026-03-02T07:15:00Z"), State: record.StateCounted, Currency: "EUR",
				Gross: cents(120_050),
			},
			&record.Order{
				Meta: meta("4002"), Customer: record.RefTo("K18"), PlacedAt: at("2026-03-02T10:40:00Z"), State: record.StateCancelled, Currency: "EUR",
				Gross: cents(30_000),
			},
			&record.Order{Meta: meta("4003"), PlacedAt: at("2026-03-03T08:05:00Z"), State: record.StateCounted, Currency: "EUR", Gross: cents(1990)},
		},
		"A spreadsheet of webinars": {
			&record.Attendance{
				Meta: meta("1"), Webinar: "Pricing in B2B", HeldAt: at("2026-03-05T13:00:00Z"), Lead: record.RefTo("jane@muster.example"),
				RegisteredAt: on(2, 20), AttendedAt: at("2026-03-05T13:00:00Z"), Seconds: cents(312_000), Questions: cents(200),
			},
			&record.Attendance{
				Meta: meta("2"), Webinar: "Pricing in B2B", HeldAt: at("2026-03-05T13:00:00Z"), Lead: record.RefTo("joe@beispiel.example"), RegisteredAt: on(2, 21),
			},
			&record.Attendance{
				Meta: meta("3"), Webinar: "Pricing in B2B", HeldAt: at("2026-03-05T13:00:00Z"), Lead: record.RefTo("ann@third.example"),
				RegisteredAt: on(3, 5), AttendedAt: at("2026-03-05T13:00:00Z"), Seconds: cents(180_000), Questions: record.Micros(0),
			},
		},
		"Scores of a survey": {
			&record.Survey{Meta: meta("r-1"), Customer: record.RefTo("jane@muster.example"), At: at("2026-03-02T09:30:00Z"), Score: cents(900)},
			&record.Survey{Meta: meta("r-2"), At: at("2026-03-02T10:30:00Z"), Score: cents(400)},
		},
		"Referrals in a published sheet": {
			&record.Customer{Meta: meta("K17"), Keys: record.Keys{ExternalIDs: []string{"erp:K17"}}},
			&record.Customer{Meta: meta("K18"), Keys: record.Keys{ExternalIDs: []string{"erp:K18"}}},
			&record.Customer{Meta: meta("K21"), Keys: record.Keys{ExternalIDs: []string{"erp:K21"}}},
			&record.Referral{Meta: meta("1"), Referrer: record.RefTo("K17"), Referred: record.RefTo("K18"), At: on(2, 14)},
			&record.Referral{Meta: meta("2"), Referrer: record.RefTo("K17"), Referred: record.RefTo("K21"), At: on(3, 1)},
		},
	}
	wantRejected := map[string][]string{
		"Scores of a survey": {`page 2, row 1, missing value: score (column "answers.nps") is empty`},
	}
	same := cmpopts.IgnoreUnexported(record.Instant{}, record.Amount{})
	for _, e := range examples(t) {
		t.Run(e.title, func(t *testing.T) {
			records, rejected := e.run(t)
			if diff := cmp.Diff(want[e.title], records, same); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantRejected[e.title], rejected); diff != "" {
				t.Errorf("rejected (-want +got):\n%s", diff)
			}
		})
		delete(want, e.title)
	}
	for title := range want {
		t.Errorf("the document has no section %q", title)
	}
}
