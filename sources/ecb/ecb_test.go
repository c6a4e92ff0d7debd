package ecb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakeecb "github.com/b2bexporter/b2b_exporter/internal/fake/ecb"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func open(url string, deps apiclient.Deps) (sources.Source, error) {
	return New("fx", Options{URL: url + "/stats/eurofxref/"}, deps)
}

func TestConformance(t *testing.T) {
	none := "the ECB asks for no credentials"
	sourcetest.Run(t, sourcetest.Harness{
		Stream: "rate", Account: account, Open: open, PageSize: pageDays,
		Settle: (reviewDays + 1) * 24 * time.Hour, Interval: 6 * time.Hour,
		ErrorInside200: fake.Fault{
			Status: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: `<?xml version="1.0"?><Error><Code>InternalError</Code></Error>`,
		},
		Skip: map[string]string{
			"expired token":            none,
			"missing scope":            none,
			"empty account":            "there is always a newest day; a file without days is refused",
			"null money":               "a rate that is not published has no record",
			"deletes":                  "the ECB withdraws no rates",
			"merges":                   "rates are not merged",
			"the same cursor for ever": "a file has no pages",
		},
	})
}

func TestOptions(t *testing.T) {
	load := func(options string) (string, error) {
		o, err := sourcetest.Options(Type, DefaultOptions, options)
		if err != nil {
			return "", err
		}
		return o.URL, nil
	}
	for options, want := range map[string]string{
		"":                             "https://www.ecb.europa.eu/stats/eurofxref",
		", url: http://mirror.test/fx": "http://mirror.test/fx",
	} {
		if got, err := load(options); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", options, got, err, want)
		}
	}
	for _, options := range []string{", url: mirror.test", ", url: ftp://mirror.test", ", url: ''", ", key: 1"} {
		if _, err := load(options); err == nil {
			t.Errorf("%q: no error", options)
		}
	}
}

// account has one day with rates of two currencies for each number, on weekdays.
func account() sourcetest.Account {
	server := fakeecb.New()
	held := map[int]record.Amount{}
	first := record.DateDay(2025, time.December, 1)
	day := func(n int) record.Day {
		d := first
		for range n {
			d = nextWeekday(d)
		}
		return d
	}
	return sourcetest.Account{
		Handler: server,
		Put: func(n int, value record.Amount, _ time.Time) {
			held[n] = value
			server.Publish(day(n).String(), "USD", fmt.Sprintf("%d.%06d", value.Micros/1e6, value.Micros%1e6))
			server.Publish(day(n).String(), "JPY", "133.7")
		},
		Want: func() []record.Record {
			var want []record.Record
			for n, value := range held {
				want = append(want,
					rate("USD", day(n), record.Decimal{Coefficient: value.Micros, Scale: 6, Known: true}),
					rate("JPY", day(n), record.Decimal{Coefficient: 1337, Scale: 1, Known: true}))
			}
			return want
		},
	}
}

func rate(currency string, day record.Day, value record.Decimal) *record.Rate {
	return &record.Rate{
		Meta: record.Meta{ID: currency + "@" + day.String()}, Day: day,
		Currency: currency, Reference: "EUR", PerReference: value,
	}
}

// reader polls a fake and remembers what it asked for and got.
type reader struct {
	t      *testing.T
	source sources.Source
	server *fakeecb.Server
	cursor string
	asked  []string // files, with the status where it is not 200
	got    map[string]string
	bad    []sources.Rejection
}

func newReader(t *testing.T) *reader {
	r := &reader{t: t, server: fakeecb.New(), got: map[string]string{}}
	source, err := open("http://ecb.test", apiclient.Deps{Transport: r})
	if err != nil {
		t.Fatal(err)
	}
	r.source = source
	return r
}

// RoundTrip answers a request and notes it.
func (r *reader) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	r.server.ServeHTTP(answer, req)
	name := strings.TrimSuffix(strings.TrimPrefix(path.Base(req.URL.Path), "eurofxref-"), ".xml")
	if answer.Code != http.StatusOK {
		name += fmt.Sprint(" ", answer.Code)
	}
	r.asked = append(r.asked, name)
	return answer.Result(), nil
}

// poll fetches on a date and returns the files that were asked for.
func (r *reader) poll(date string) string {
	r.t.Helper()
	now, err := time.Parse(time.DateOnly, date)
	if err != nil {
		r.t.Fatal(err)
	}
	r.asked = nil
	req := sources.Request{Environment: sources.Environment{Now: now.Add(17 * time.Hour)}, Stream: "rate", Cursor: r.cursor}
	err = r.source.Fetch(r.t.Context(), req, func(_ context.Context, p sources.Page) error {
		for _, rec := range p.Records {
			rate := rec.(*record.Rate)
			r.got[rate.ID] = rate.PerReference.Rat().FloatString(4)
		}
		r.bad = append(r.bad, p.Rejected...)
		r.cursor = p.Cursor
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(r.asked, ", ")
}

func TestTheShortestFileIsRead(t *testing.T) {
	r := newReader(t)
	r.server.Publish("1999-01-04", "USD", "1.1789")
	for _, date := range []string{"2026-02-26", "2026-02-27"} { // Thursday, Friday
		r.server.Publish(date, "USD", "1.1000")
	}
	expect := func(date, want string) {
		t.Helper()
		if got := r.poll(date); got != want {
			t.Errorf("on %s it asked for %q, want %q", date, got, want)
		}
	}
	expect("2026-02-27", "hist")
	expect("2026-02-27", "daily")     // the first time, without a validator
	expect("2026-02-28", "daily 304") // Saturday
	expect("2026-03-01", "daily 304")
	r.server.Publish("2026-03-02", "USD", "1.2000")
	expect("2026-03-02", "daily") // Monday follows Friday
	expect("2026-03-02", "daily 304")
	r.server.Publish("2026-03-02", "USD", "1.2100") // a correction on the same day
	expect("2026-03-02", "daily")
	r.server.Publish("2026-03-03", "USD", "1.3000")
	r.server.Publish("2026-03-04", "USD", "1.4000")
	expect("2026-03-04", "daily, hist-90d") // one day was missed
	r.server.Publish("2026-03-02", "USD", "1.2200")
	expect("2026-03-10", "daily")                // nothing new; six days after the review
	expect("2026-03-11", "daily 304, hist-90d")  // the weekly review finds the correction
	r.server.Publish("2026-08-03", "USD", "1.5") // the exporter was off for months
	r.server.Publish("2026-05-04", "USD", "1.6")
	expect("2026-08-03", "daily, hist")

	want := map[string]string{
		"USD@1999-01-04": "1.1789", "USD@2026-02-26": "1.1000", "USD@2026-02-27": "1.1000", "USD@2026-03-02": "1.2200",
		"USD@2026-03-03": "1.3000", "USD@2026-03-04": "1.4000", "USD@2026-05-04": "1.6000", "USD@2026-08-03": "1.5000",
	}
	if diff := cmp.Diff(want, r.got); diff != "" {
		t.Errorf("rates differ (-want +got):\n%s", diff)
	}
}

func TestACacheThatIsBehindIsIgnored(t *testing.T) {
	r := newReader(t)
	r.server.Publish("2026-02-27", "USD", "1.1")
	r.server.Publish("2026-03-02", "USD", "1.2")
	r.poll("2026-03-02")
	old := r.cursor
	full := r.server
	r.server = fakeecb.New()
	r.server.Publish("2026-02-27", "USD", "1.1")
	if got := r.poll("2026-03-03"); got != "daily" || r.cursor != old {
		t.Errorf("asked for %s, cursor %s; want the cursor %s to stay", got, r.cursor, old)
	}
	if got := r.poll("2026-03-09"); got != "daily, hist-90d" {
		t.Errorf("asked for %s, want the weekly review", got)
	}
	r.server = full
	r.server.Publish("2026-03-03", "USD", "1.3")
	if got := r.poll("2026-03-09"); got != "daily" {
		t.Errorf("asked for %s: the review of a file that is behind has moved the cursor", got)
	}
}

func TestAValidatorIsForItsCursor(t *testing.T) {
	r := newReader(t)
	r.server.Publish("2026-02-27", "USD", "1.1")
	r.poll("2026-02-27")
	old := r.cursor
	r.server.Publish("2026-03-02", "USD", "1.2")
	r.poll("2026-03-02")
	r.cursor = old // the ledger was restored from a copy
	delete(r.got, "USD@2026-03-02")
	if got := r.poll("2026-03-02"); got != "daily" || r.got["USD@2026-03-02"] == "" {
		t.Errorf("asked for %s and got %v, want the rate that the ledger lost", got, r.got)
	}
}

func TestAReviewIsDoneWhenItIsComplete(t *testing.T) {
	r := newReader(t)
	d := record.DateDay(2026, time.January, 1)
	for range 3 * pageDays {
		d = nextWeekday(d)
		r.server.Publish(d.String(), "USD", "1.1")
	}
	r.poll(d.String())
	r.server.Publish(d.String(), "USD", "1.2") // a correction in the last page of the review
	r.server.Publish((d - 1).String(), "USD", "1.3")
	stop := errors.New("the disk is full")
	pages := 0
	now := time.Unix(int64(d+reviewDays)*86400, 0)
	req := sources.Request{Environment: sources.Environment{Now: now}, Stream: "rate", Cursor: r.cursor}
	err := r.source.Fetch(t.Context(), req, func(_ context.Context, p sources.Page) error {
		if pages++; pages == 2 {
			return stop
		}
		r.cursor = p.Cursor
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatalf("got %v, want the error of emit", err)
	}
	if got := r.poll((d + reviewDays).String()); got != "daily, hist-90d" {
		t.Errorf("asked for %s, want the review again", got)
	}
	if got := r.got["USD@"+(d-1).String()]; got != "1.3000" {
		t.Errorf("got %s, want the corrected rate", got)
	}
}

func TestCurrenciesThatEndAndBadRates(t *testing.T) {
	r := newReader(t)
	for date, rates := range map[string]map[string]string{
		"2022-12-30": {"HRK": "7.5365", "USD": "1.0666", "RUB": "N/A"},
		"2023-01-02": {"USD": "1.0683", "JPY": "", "GBP": "0", "CHF": "-1", "SEK": "1,5", "x": "1"},
	} {
		for currency, rate := range rates {
			r.server.Publish(date, currency, rate)
		}
	}
	r.poll("2023-01-02")
	want := map[string]string{"HRK@2022-12-30": "7.5365", "USD@2022-12-30": "1.0666", "USD@2023-01-02": "1.0683"}
	if diff := cmp.Diff(want, r.got); diff != "" {
		t.Errorf("rates differ (-want +got):\n%s", diff)
	}
	var bad []string
	for _, p := range r.bad {
		bad = append(bad, p.ID+" "+p.Reason)
	}
	slices.Sort(bad)
	wantBad := []string{"CHF@2023-01-02 bad rate", "GBP@2023-01-02 bad rate", "SEK@2023-01-02 bad rate", "x@2023-01-02 bad currency"}
	if diff := cmp.Diff(wantBad, bad); diff != "" {
		t.Errorf("rejections differ (-want +got):\n%s", diff)
	}
}

func TestParseTakesAllOrNothing(t *testing.T) {
	const good = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<Cube><Cube time="2026-03-03"><Cube currency="USD" rate="1.2"/></Cube><Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/></Cube></Cube>
</gesmes:Envelope>`
	answer := func(body string) *apiclient.Response {
		return &apiclient.Response{Status: 200, Header: http.Header{}, Body: []byte(body)}
	}
	days, err := parse("GET x", answer(good))
	if err != nil || len(days) != 2 || days[0].day.String() != "2026-03-02" {
		t.Fatalf("got %v, %v; want two days, the older one first", days, err)
	}
	for cut := range len(good) {
		if days, err := parse("GET x", answer(good[:cut])); err == nil || days != nil {
			t.Fatalf("cut after %d bytes: got %v, %v; want an error", cut, days, err)
		}
	}
	for _, bad := range []string{
		strings.Replace(good, "2026-03-02", "02.03.2026", 1), `<Envelope/>`, `<Other/>`, `{"rates":[]}`,
		strings.Replace(good, "gesmes:subject>R", "gesmes:other>R", 1),
	} {
		if days, err := parse("GET x", answer(bad)); err == nil || days != nil {
			t.Errorf("%s: got %v, %v; want an error", bad, days, err)
		}
	}
}

func TestCheckKnowsTheReportingCurrency(t *testing.T) {
	r := newReader(t)
	r.server.Publish("2026-03-02", "USD", "1.1")
	for currency, good := range map[string]bool{"EUR": true, "USD": true, "UAH": false} {
		findings := r.source.Check(t.Context(), sources.Environment{Currency: currency})
		if len(findings) != 1 || (findings[0].Err == nil) != good {
			t.Errorf("%s: got %+v, want it good: %v", currency, findings, good)
		}
		if !strings.Contains(findings[0].Detail, "1 currencies, newest day 2026-03-02") {
			t.Errorf("%s: detail %q", currency, findings[0].Detail)
		}
	}
}
