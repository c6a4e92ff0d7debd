package poll

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

func TestAPanickingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, logged := newPoller(t)
		var bad, good moments
		s, stop := start(t, p, Options{},
			Job{Source: polls("bad", &bad, func(context.Context, sources.Emit) error { panic("oh no") }), Interval: time.Hour},
			Job{Source: polls("good", &good, nil), Interval: time.Minute})
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		states := s.States()
		if st := states[0]; st.Up || st.Failures != len(bad.all()) || len(bad.all()) < 3 || !strings.Contains(st.Error, "panic in the source: oh no") {
			t.Errorf("state %+v after %d polls", st, len(bad.all()))
		}
		if st := states[1]; !st.Up || len(good.all()) < 25 {
			t.Errorf("the other source: state %+v after %d polls", st, len(good.all()))
		}
		stop()
		if text := logged.String(); !strings.Contains(text, "scheduler_test.go") || !strings.Contains(text, `panic="oh no"`) {
			t.Errorf("no stack is logged:\n%s", text)
		}
		if got := streamOf(t, p.Ledger, "bad", "orders"); !strings.Contains(got.Error, "oh no") {
			t.Errorf("the ledger holds %+v", got)
		}
	})
}

func TestAHangingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, logged := newPoller(t)
		release := make(chan struct{})
		var jobs []Job
		for i := range defaultConcurrency {
			jobs = append(jobs, Job{Interval: time.Minute, Timeout: 20 * time.Minute, Source: &fakeSource{
				name: fmt.Sprint("hangs ", i), fetch: func(ctx context.Context, _ sources.Request, _ sources.Emit) error {
					if i == 0 {
						<-ctx.Done()
						return fmt.Errorf("get: %w", ctx.Err())
					}
					<-release // whatever its context says
					return ctx.Err()
				},
			}})
		}
		var good moments
		// It comes when all slots are taken.
		jobs = append(jobs, Job{Source: polls("good", &good, nil), Interval: 10 * time.Minute})
		s, stop := start(t, p, Options{}, jobs...)
		time.Sleep(20*time.Minute - time.Millisecond)
		synctest.Wait()
		for _, st := range s.States() {
			if st.Error != "" {
				t.Errorf("state %+v before the timeout", st)
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for _, st := range s.States()[:defaultConcurrency] {
			if st.Up || !strings.Contains(st.Error, "no page came for 20m0s") {
				t.Errorf("state %+v after the timeout", st)
			}
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if len(good.all()) < 10 {
			t.Errorf("the other source was polled %d times beside the hanging ones", len(good.all()))
		}
		states := s.States()
		if st := states[0]; st.Failures < 4 || !strings.Contains(st.Error, "get: context canceled") {
			t.Errorf("a source that obeys is read again: state %+v", st)
		}
		if !strings.Contains(logged.String(), `msg="source hangs" source="hangs 1"`) {
			t.Errorf("logged:\n%s", logged)
		}
		close(release)
		synctest.Wait()
		if st := s.States()[1]; st.Failures != 1 || st.Up {
			t.Errorf("a source that came back: state %+v", st)
		}
		stop()
	})
}

// A first read may take a day, as long as pages come.
func TestALongFirstRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		const pages = 60
		var reread atomic.Bool
		done := 0
		src := &fakeSource{name: "shop", fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
			if reread.Load() {
				if err := emit(ctx, sources.Page{Progress: 0.5}); err != nil {
					return err
				}
				<-ctx.Done()
				return ctx.Err()
			}
			for ; done < pages; done++ {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(29 * time.Minute):
				}
				if err := emit(ctx, sources.Page{
					Records: []record.Record{order(fmt.Sprint(done), time.Now())}, Cursor: fmt.Sprint(done), Progress: float64(done+1) / pages,
				}); err != nil {
					return err
				}
			}
			return nil
		}}
		s, stop := start(t, p, Options{}, Job{Source: src, Interval: 5 * time.Minute})
		for i := range pages - 1 {
			time.Sleep(29 * time.Minute)
			if i == 0 {
				time.Sleep(firstSpread)
			}
			synctest.Wait()
			st := s.States()[0]
			if want := float64(i+1) / pages; st.Backfill != want || st.Up || st.Complete || st.Failures != 0 {
				t.Fatalf("after page %d: state %+v, want backfill %v", i, st, want)
			}
		}
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if st := s.States()[0]; !st.Up || !st.Complete || st.Backfill != 1 || st.Failures != 0 {
			t.Errorf("state %+v at the end", st)
		}
		// What comes later is no backfill.
		reread.Store(true)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if st := s.States()[0]; !st.LastAttempt.After(st.LastSuccess) || st.Backfill != 1 {
			t.Errorf("state %+v while a later poll has read half", st)
		}
		stop()
		if n := orders(t, p.Ledger); n != pages {
			t.Errorf("%d orders, want %d", n, pages)
		}
	})
}

// The stop comes while a page is written: it is there with its cursor or not at all, and
// the next run reads on from there.
func TestStopLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, logged := newPoller(t)
		const total = 60
		src := &fakeSource{name: "shop", fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
			from := 0
			if req.Cursor != "" {
				if _, err := fmt.Sscan(req.Cursor, &from); err != nil {
					return err
				}
			}
			for i := from; i < total; i++ {
				time.Sleep(time.Second)
				page := sources.Page{Cursor: fmt.Sprint(i + 1)}
				for n := range 3 {
					page.Records = append(page.Records, order(fmt.Sprintf("%d.%d", i, n), time.Unix(int64(i), 0)))
				}
				if err := emit(ctx, page); err != nil {
					return err
				}
			}
			return nil
		}}
		for run := 0; ; run++ {
			s := NewScheduler(p, []Job{{Source: src, Interval: time.Hour}}, Options{})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.Run(ctx) }()
			// The stop races with the page of that second.
			time.Sleep(firstSpread + 7*time.Second)
			go cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			session, err := p.Ledger.Begin(t.Context(), "shop", "orders", nil, false, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var pages int64
			if _, err := fmt.Sscan(session.Cursor, &pages); err != nil {
				t.Fatal(err)
			}
			if n := orders(t, p.Ledger); n != 3*pages {
				t.Fatalf("run %d: %d orders, want 3 of each of the %d pages of the cursor", run, n, pages)
			}
			if st := s.States()[0]; st.Error != "" || st.Failures != 0 {
				t.Errorf("run %d: state %+v: a stop is no failure", run, st)
			}
			if pages == total {
				break
			}
			if run > total {
				t.Fatal("no run makes progress")
			}
		}
		if strings.Contains(logged.String(), "level=ERROR") {
			t.Errorf("logged:\n%s", logged)
		}
	})
}

// A source that hangs after a page is cancelled as well, and a ledger that takes long
// is not the source's fault.
func TestOnlyTheSourceIsTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		p.Observer = slowObserver(2 * minTimeout) // it is called while the page is committed
		for stream, hangs := range map[string]bool{"works": false, "hangs": true} {
			src := &fakeSource{name: "shop", streams: []string{stream}, fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
				if err := emit(ctx, sources.Page{Records: []record.Record{order(stream, time.Now())}}); err != nil {
					return err
				}
				if !hangs {
					return ctx.Err()
				}
				<-ctx.Done()
				return ctx.Err()
			}}
			began := time.Now()
			err := p.Once(t.Context(), src)
			want := 2 * minTimeout
			if hangs {
				want = 3 * minTimeout
			}
			if got := time.Since(began); got != want || (err != nil) != hangs {
				t.Errorf("%s: after %s error %v, want after %s", stream, got, err, want)
			}
		}
	})
}

type slowObserver time.Duration

func (o slowObserver) Committed(Commit) { time.Sleep(time.Duration(o)) }
func (slowObserver) Ended(End)          {}
