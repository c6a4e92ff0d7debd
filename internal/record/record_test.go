package record_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestTombstone(t *testing.T) {
	for _, kind := range record.Kinds() {
		r := record.Tombstone(kind, "7")
		if got, want := *r.RecordMeta(), (record.Meta{ID: "7", Deleted: true}); got != want || r.RecordKind() != kind {
			t.Errorf("%s: got %+v of the kind %s", kind, got, r.RecordKind())
		}
	}
}
