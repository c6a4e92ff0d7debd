package fake

import (
	"encoding/json"
	"testing"
)

func TestAppendText(t *testing.T) {
	for _, text := range []string{"", "plain", `a "quoted" \ text`, "a line\nand another\x00", "Straße €\u2028", "<&>", "not \xff UTF-8", "\x7f"} {
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var got, expected string
		if err := json.Unmarshal(AppendText(nil, text), &got); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if err := json.Unmarshal(want, &expected); err != nil {
			t.Fatal(err)
		}
		if got != expected {
			t.Errorf("%q: got %q, want %q", text, got, expected)
		}
	}
}
