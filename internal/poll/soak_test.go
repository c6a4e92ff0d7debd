package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// 10,000 polls, fewer where the race detector slows them down, leave no goroutine and no memory behind. States and metrics are read
// meanwhile.
func TestManyPolls(t *testing.T) {
	total := int64(10_000)
	if raceEnabled {
		total = 500
	}
	leaks := goleak.IgnoreCurrent()
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		p.Log = slog.New(slog.DiscardHandler)
		m := NewMetrics()
		var polls atomic.Int64
		var jobs []Job
		for i := range 10 {
			jobs = append(jobs, Job{Interval: time.Minute, Timeout: 45 * time.Second, Source: &fakeSource{
				name: fmt.Sprint(i), fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
					n := polls.Add(1)
					switch {
					case n%101 == 0:
						panic("oh no")
					case n%97 == 0:
						<-ctx.Done()
						return ctx.Err()
					case n%7 == 0:
						return errors.New("refused")
					case n%5 == 0:
						return emit(ctx, sources.Page{
							Records:  []record.Record{order(fmt.Sprint(n%50), time.Unix(n, 0))},
							Rejected: []sources.Rejection{{Kind: record.KindOrder, Reason: "bad amount"}}, Progress: 1,
						})
					}
					return nil
				},
			}})
		}
		s, stop := start(t, p, Options{Metrics: m}, jobs...)
		heap := func() uint64 {
			runtime.GC()
			runtime.GC() // what finalizers have kept
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			return stats.HeapAlloc
		}
		var early uint64
		for polls.Load() < total {
			if early == 0 && polls.Load() > total/4 {
				early = heap()
			}
			pass(10 * time.Minute)
			if n := len(s.States()); n != len(jobs) {
				t.Fatalf("%d states", n)
			}
			exposition(t, m)
		}
		late := heap()
		if late > early+4<<20 {
			t.Errorf("the heap grew from %d to %d bytes", early, late)
		}
		stop()
	})
	if err := goleak.Find(leaks); err != nil {
		t.Error(err)
	}
}
