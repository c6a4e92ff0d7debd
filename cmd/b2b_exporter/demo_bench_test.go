package main

import (
	"strings"
	"testing"
	"time"
)

// BenchmarkDemo is the demo from its start until every stream has been read and no KPI waits for
// history any more. It asks for the metrics all the time, as a person who reloads the page.
func BenchmarkDemo(b *testing.B) {
	for b.Loop() {
		used := cpu(b)
		e := newDemo(b, time.Now)
		eventually(b, "all streams are read and all KPIs computed", func() bool {
			time.Sleep(200 * time.Millisecond)
			streams, up := e.up(b)
			return streams > 15 && up == streams && !strings.Contains(e.get(b, "/metrics"), `reason="immature"`)
		})
		b.ReportMetric((cpu(b) - used).Seconds(), "cpu-s/op")
		b.StopTimer()
		if code := e.stop(); code != 0 {
			b.Fatalf("exit code %d", code)
		}
		b.StartTimer()
	}
}
