package rows

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestTimes(t *testing.T) {
	zone := berlin(t)
	tests := []struct {
		name, layout, text, want string // want as RFC 3339 in UTC, or a date
	}{
		{"UTC", "", "2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z"},
		{"offset", "", "2026-07-01T10:00:00+05:30", "2026-07-01T04:30:00Z"},
		{"fraction", "", "2026-07-01T10:00:00.123456Z", "2026-07-01T10:00:00.123456Z"},
		{"zeros beyond a microsecond", "", "2026-07-01T10:00:00.123456000000Z", "2026-07-01T10:00:00.123456Z"},
		{"space and offset", "", "2026-07-01 10:00:00-01:00", "2026-07-01T11:00:00Z"},
		{"space and UTC", "", "2026-07-01 10:00:00Z", "2026-07-01T10:00:00Z"},
		{"local", "", "2026-07-01 10:00:00", "2026-07-01T08:00:00Z"},
		{"local with T", "", "2026-01-01T10:00:00", "2026-01-01T09:00:00Z"},
		{"local with a fraction", "", "2026-01-01T10:00:00.5", "2026-01-01T09:00:00.5Z"},
		{"in the gap", "", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z"},
		{"first of two", "", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"},
		{"date", "", "2026-07-01", "2026-07-01"},
		{"date of a layout", "2.1.2006", "1.7.2026", "2026-07-01"},
		{"clock of a layout", "02/01/2006 03:04 PM", "01/07/2026 04:30 PM", "2026-07-01T14:30:00Z"},
		{"offset of a layout", "2006-01-02 15:04:05-07", "2026-07-01 10:00:00+00", "2026-07-01T10:00:00Z"},
		{"hour only", "2006010215", "2026070110", "2026-07-01T08:00:00Z"},
		{"before 1970", "", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, err := newLayout(test.layout)
			if err != nil {
				t.Fatal(err)
			}
			got, why := timeReader{layout: l, zone: zone}.instant(test.text)
			if why != "" {
				t.Fatal(why)
			}
			shown := record.Day(got.N).String()
			if got.Form == record.FormMoment {
				shown = time.UnixMicro(got.N).UTC().Format(time.RFC3339Nano)
			}
			if shown != test.want {
				t.Errorf("%s is %s, want %s", test.text, shown, test.want)
			}
		})
	}
}

func TestDayIsTheOneShown(t *testing.T) {
	for _, text := range []string{"2026-07-01", "2026-07-01T23:30:00-08:00", "2026-07-01 00:10:00"} {
		got, why := timeReader{zone: time.UTC}.day(text)
		if want := record.DateDay(2026, 7, 1); why != "" || got != want {
			t.Errorf("%s is %s (%s), want %s", text, got, why, want)
		}
	}
}

// The short way must agree with the exact one wherever it is taken.
func TestPlainAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`-?[0-9]{0,13}(\.[0-9]{0,8})?`),
			rapid.StringMatching(`[-+.,0-9eE ]{0,8}`),
		).Draw(t, "text")
		micros, ok := plainAmount(text, '.')
		if !ok {
			return
		}
		want, rounded, err := record.ParseAmount(text)
		if err != nil || rounded || want != record.Micros(micros) {
			t.Fatalf("%q is %d, want %+v (rounded %v, error %v)", text, micros, want, rounded, err)
		}
	})
	if micros, ok := plainAmount("-1234.567891", '.'); !ok || micros != -1_234_567_891 {
		t.Errorf("-1234.567891 is %d, %v", micros, ok)
	}
}

func TestRoundedAmounts(t *testing.T) {
	_, rounded, rejected := convert(t, Config{Record: record.KindOrder},
		"id=1", "placed_at=2026-07-01", "currency=EUR", "gross=1.00000051", "discount=0.0000001", "cost=1.0000010")
	if rejected != nil || rounded != 2 {
		t.Errorf("rounded %d, rejected %v, want 2 and none", rounded, rejected)
	}
}
