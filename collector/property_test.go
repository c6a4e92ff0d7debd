package collector_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// TestEqualsRecomputation holds the incremental figures against a full recomputation
// from all records: after commits, after time has passed without any, for a past
// as_of, and read afresh.
func TestEqualsRecomputation(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		h := oracle.Generate(t)
		for i := range h.Settings.Sources {
			h.Settings.Sources[i].Read = true
		}
		w := newWorld(t, dir+"/"+time.Duration(n).String(), h.Settings, h.FreeMail)
		defer w.ledger.Close()
		held := map[[3]string]oracle.Record{}
		asOf := h.AsOf
		check := func(when string) {
			records := make([]oracle.Record, 0, len(held))
			for _, r := range held {
				records = append(records, r)
			}
			want := oracle.Compute(records, w.settings, asOf)
			compare(t, w.output(t, w.engine, asOf), want, when+" at "+asOf.In(h.Settings.Zone).Format(time.RFC3339Nano))
		}
		check("empty")
		var batch []record.Record
		for i, step := range h.Steps {
			sealed := step.Seal(w.sealer)
			key := [3]string{step.Source, string(step.Record.RecordKind()), sealed.Record.RecordMeta().ID}
			if step.Record.RecordMeta().Deleted {
				delete(held, key)
			} else {
				held[key] = sealed
			}
			batch = append(batch, clone(step.Record))
			last := i+1 == len(h.Steps)
			if !last && h.Steps[i+1].Source == step.Source && rapid.IntRange(0, 3).Draw(t, "more") > 0 {
				continue
			}
			w.commit(t, step.Source, batch...)
			batch = nil
			if last || rapid.IntRange(0, 24).Draw(t, "check") == 0 {
				check("after commits")
				asOf = asOf.Add(passes(t))
				check("after time")
			}
		}
		want := keyedSeries(w.output(t, w.engine, asOf))
		if d := differences(keyedSeries(w.output(t, w.newEngine(), asOf)), want); len(d) > 0 {
			t.Fatalf("read afresh: %v", d)
		}
	})
}

// passes draws how much time goes by, or, where the clock is set, comes back.
func passes(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{
		0, time.Microsecond, time.Millisecond, time.Minute, 17 * time.Minute, 3 * time.Hour, 26 * time.Hour, 40 * 24 * time.Hour,
		-time.Microsecond, -20 * time.Minute, -40 * 24 * time.Hour,
	}).Draw(t, "passes")
}
