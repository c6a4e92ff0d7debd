package rows

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func BenchmarkConvertOrder(b *testing.B) {
	header := []string{"id", "customer", "placed_at", "currency", "gross", "discount", "country"}
	for _, bench := range []struct{ name, at string }{
		{"rfc3339", "2010-12-01T08:26:00+00:00"},
		{"local", "2010-12-01 08:26:00"},
		{"date", "2010-12-01"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m, err := Config{Record: record.KindOrder}.Compile(header, berlin(b))
			if err != nil {
				b.Fatal(err)
			}
			fields := []string{"536365", "17850", bench.at, "GBP", "139.12", "0", "United Kingdom"}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, rejected := m.Convert(fields, "orders.csv:17"); rejected != nil {
					b.Fatal(rejected)
				}
			}
		})
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(uint8(1), "1", "2026-03-01T10:00:00Z", "EUR", "1.50", "counted", "yes", "")
	f.Add(uint8(1), "1", "2026-03-29 02:30:00", "eur", "1,50", "", "0", "02.01.2006")
	f.Add(uint8(9), "", "2026-03-01", "USD", "1e-30", "month", "", "2006-01-02 15:04:05")
	f.Add(uint8(10), "\xff", "0000-01-01", "xxx", "-999999999999999999999", "once", "1", "")
	f.Fuzz(func(t *testing.T, n uint8, id, at, currency, amount, choice, flag, format string) {
		kinds := record.Kinds()
		c := Config{Record: kinds[int(n)%len(kinds)], TimeFormat: format}
		var header, fields []string
		for _, f := range Fields(c.Record) {
			header = append(header, f.Name)
			text := map[Type]string{
				TypeText: id, TypeList: id, TypeTime: at, TypeDate: at, TypeAmount: amount, TypeNumber: amount,
				TypeCurrency: currency, TypeBoolean: flag, TypeChoice: choice, TypeChannel: choice,
			}[f.Type]
			fields = append(fields, text)
		}
		m, err := c.Compile(header, time.UTC)
		if err != nil {
			if c.Validate() == nil {
				t.Fatalf("valid, but does not compile: %v", err)
			}
			return
		}
		r, rounded, rejected := m.Convert(fields, "x:1")
		switch {
		case (r == nil) == (rejected == nil):
			t.Fatalf("record %v, rejection %v", r, rejected)
		case rejected != nil:
			if rejected.Reason == "" || rejected.Where != "x:1" || !utf8.ValidString(rejected.Detail) {
				t.Fatalf("rejection %+v", rejected)
			}
		case r.RecordMeta().ID == "" || r.RecordKind() != c.Record || rounded < 0:
			t.Fatalf("record %+v, rounded %d", r, rounded)
		}
	})
}
