package ecb

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// envelope is a file of reference rates.
type envelope struct {
	XMLName xml.Name `xml:"Envelope"`
	Days    []struct {
		Time  string `xml:"time,attr"`
		Rates []struct {
			Currency string `xml:"currency,attr"`
			Rate     string `xml:"rate,attr"`
		} `xml:"Cube"`
	} `xml:"Cube>Cube"`
}

// publication is what was published on one day.
type publication struct {
	day      record.Day
	rates    []record.Record
	rejected []sources.Rejection
}

// parse reads a whole file: one that is cut short or is no file of rates gives nothing.
// The days come oldest first.
func parse(file string, r *apiclient.Response) ([]publication, error) {
	var doc envelope
	dec := xml.NewDecoder(bytes.NewReader(r.Body))
	if err := dec.Decode(&doc); err != nil {
		if dec.InputOffset() == int64(len(r.Body)) {
			return nil, &apiclient.TruncatedError{Endpoint: file, Read: int64(len(r.Body)), Detail: "the XML ends in its middle"}
		}
		return nil, &apiclient.FormatError{Endpoint: file, ContentType: r.Header.Get("Content-Type"), Detail: "not a file of reference rates: " + err.Error()}
	}
	days := make([]publication, 0, len(doc.Days))
	for _, d := range doc.Days {
		t, err := time.Parse(time.DateOnly, d.Time)
		if err != nil {
			return nil, &apiclient.FormatError{Endpoint: file, Detail: fmt.Sprintf("the date %.20q is not one", d.Time)}
		}
		p := publication{day: record.DayOf(t)}
		for _, c := range d.Rates {
			p.add(file, c.Currency, strings.TrimSpace(c.Rate))
		}
		days = append(days, p)
	}
	if len(days) == 0 {
		return nil, &apiclient.FormatError{Endpoint: file, Detail: "no day with rates"}
	}
	slices.SortStableFunc(days, func(a, b publication) int { return int(a.day) - int(b.day) })
	return days, nil
}

// add takes over one rate. A currency without one on the day has no record, so that
// its last rate stays the one that counts.
func (p *publication) add(file, currency, rate string) {
	if rate == "" || rate == "N/A" {
		return
	}
	id := currency + "@" + p.day.String()
	reject := func(reason, detail string) {
		p.rejected = append(p.rejected, sources.Rejection{Kind: record.KindRate, ID: id, Reason: reason, Where: file + " " + id, Detail: detail})
	}
	if len(currency) != 3 || strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		reject("bad currency", fmt.Sprintf("currency: %.20q is not a currency code", currency))
		return
	}
	value, err := record.ParseDecimal(rate)
	if err != nil {
		reject("bad rate", fmt.Sprintf("rate: %.40q: %v", rate, err))
		return
	}
	if value.Coefficient <= 0 {
		reject("bad rate", fmt.Sprintf("rate: %.40q is not above 0", rate))
		return
	}
	p.rates = append(p.rates, &record.Rate{
		Meta: record.Meta{ID: id}, Day: p.day, Currency: currency, Reference: reference, PerReference: value,
	})
}
