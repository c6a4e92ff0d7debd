package window_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func TestParseSpan(t *testing.T) {
	for _, tc := range []struct {
		text string
		want window.Span
		back string
	}{
		{"180d", window.Span{Days: 180}, "180d"},
		{"1d", window.Span{Days: 1}, "1d"},
		{"007d", window.Span{Days: 7}, "7d"},
		{"36525d", window.Span{Days: 36525}, "36525d"},
		{"36h", window.Span{Elapsed: 36 * time.Hour}, "36h"},
		{"90m", window.Span{Elapsed: 90 * time.Minute}, "1h30m"},
		{"1h30m", window.Span{Elapsed: 90 * time.Minute}, "1h30m"},
		{"45s", window.Span{Elapsed: 45 * time.Second}, "45s"},
		{"10m", window.Span{Elapsed: 10 * time.Minute}, "10m"},
		{"10h10m10s", window.Span{Elapsed: 10*time.Hour + 10*time.Minute + 10*time.Second}, "10h10m10s"},
		{"20h20s", window.Span{Elapsed: 20*time.Hour + 20*time.Second}, "20h0m20s"},
	} {
		got, err := window.ParseSpan(tc.text)
		if err != nil || got != tc.want {
			t.Errorf("ParseSpan(%q) = %+v, %v, want %+v", tc.text, got, err, tc.want)
		}
		if got.String() != tc.back {
			t.Errorf("ParseSpan(%q).String() = %q, want %q", tc.text, got, tc.back)
		}
	}
}

func TestParseSpanErrors(t *testing.T) {
	const usage = ": use whole days (180d), or hours, minutes and seconds in that order (36h, 90m, 1h30m)"
	for _, tc := range []struct{ text, want string }{
		{"", `"" is not a duration` + usage},
		{"d", `"d" is not a duration` + usage},
		{"180", `"180" is not a duration` + usage},
		{"-1d", `"-1d" is not a duration` + usage},
		{"1.5h", `"1.5h" is not a duration` + usage},
		{"30m1h", `"30m1h" is not a duration` + usage},
		{"6w", `"6w" is not a duration` + usage},
		{"500ms", `"500ms" is not a duration` + usage},
		{" 1d", `" 1d" is not a duration` + usage},
		{"1d\n", `"1d\n" is not a duration` + usage},
		{"1d12h", `duration "1d12h" mixes calendar days with elapsed time` + usage},
		{"0d", `duration "0d" must be longer than 0`},
		{"0h0m0s", `duration "0h0m0s" must be longer than 0`},
		{"36526d", `duration "36526d" is too long: use at most 36525d`},
		{"99999999999999999999d", `duration "99999999999999999999d" is too long: use at most 36525d`},
		{"876601h", `duration "876601h" is too long: use at most 36525d`},
		{"99999999999999999999h", `duration "99999999999999999999h" is too long: use at most 36525d`},
	} {
		got, err := window.ParseSpan(tc.text)
		if err == nil {
			t.Errorf("ParseSpan(%q) = %+v, want an error", tc.text, got)
		} else if err.Error() != tc.want {
			t.Errorf("ParseSpan(%q): error %q, want %q", tc.text, err, tc.want)
		}
	}
}

func TestSpanRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := window.Span{Elapsed: time.Duration(rapid.Int64Range(1, 36525*86400).Draw(t, "seconds")) * time.Second}
		if rapid.Bool().Draw(t, "days") {
			want = window.Span{Days: rapid.IntRange(1, 36525).Draw(t, "number")}
		}
		if got, err := window.ParseSpan(want.String()); err != nil || got != want {
			t.Fatalf("ParseSpan(%q) = %+v, %v, want %+v", want, got, err, want)
		}
	})
}
