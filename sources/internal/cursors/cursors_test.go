package cursors_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

type cursor struct {
	Read  int64          `json:"read,omitempty"`
	Known map[string]int `json:"known,omitempty"`
}

func TestCursors(t *testing.T) {
	want := cursor{Read: 5, Known: map[string]int{"a": 1}}
	got := cursor{Known: map[string]int{}}
	if err := cursors.Read(sources.Request{}, &got); err != nil || got.Known == nil {
		t.Errorf("no cursor: got %+v, %v; want what was there", got, err)
	}
	if err := cursors.Read(sources.Request{Cursor: cursors.Text(want)}, &got); err != nil || got.Read != 5 || !maps.Equal(got.Known, want.Known) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, text := range []string{"{", `{"read":"x"}`} {
		if err := cursors.Read(sources.Request{Stream: "order", Cursor: text}, &got); err == nil || !strings.Contains(err.Error(), "stream order") {
			t.Errorf("%s: got %v, want an error that names the stream", text, err)
		}
	}
	if text := cursors.Text(func() {}); text != "" {
		t.Errorf("what cannot be marshalled became %q", text)
	}
}
