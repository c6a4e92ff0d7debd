package apiclient

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// strictVendor refuses what exceeds its limit and counts what it serves.
type strictVendor struct {
	mu      sync.Mutex
	limit   vendorLimit
	rng     *rand.Rand
	jitter  time.Duration
	served  int // in cost
	refused int
}

// vendorLimit is a limit as the vendor keeps it.
type vendorLimit interface {
	allow(now time.Time, cost int) bool
	header(now time.Time) map[string]string
}

func (v *strictVendor) delay() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return 5*time.Millisecond + time.Duration(v.rng.Int64N(int64(v.jitter)))
}

func (v *strictVendor) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(v.delay())
	cost := 1
	if _, err := fmt.Sscan(r.URL.Query().Get("cost"), &cost); err != nil {
		return nil, err
	}
	v.mu.Lock()
	now := time.Now()
	ok := v.limit.allow(now, cost)
	header := v.limit.header(now)
	if ok {
		v.served += cost
	} else {
		v.refused++
	}
	v.mu.Unlock()
	time.Sleep(v.delay())
	if !ok {
		return answer{status: 429, header: header}.response(r)
	}
	return answer{body: "{}", header: header}.response(r)
}

// vendorBucket is a bucket that leaks, or fills with tokens, by rate a second.
type vendorBucket struct {
	size, rate, level float64
	at                time.Time
	tell              bool
}

func (b *vendorBucket) leak(now time.Time) {
	b.level = max(b.level-now.Sub(b.at).Seconds()*b.rate, 0)
	b.at = now
}

func (b *vendorBucket) allow(now time.Time, cost int) bool {
	b.leak(now)
	if b.level+float64(cost) > b.size {
		return false
	}
	b.level += float64(cost)
	return true
}

func (b *vendorBucket) header(now time.Time) map[string]string {
	if !b.tell {
		return nil
	}
	b.leak(now)
	return map[string]string{"X-Used": fmt.Sprintf("%.0f/%.0f", b.level+0.499, b.size)}
}

// vendorWindow counts in fixed windows.
type vendorWindow struct {
	size int
	per  time.Duration
	end  time.Time
	used int
}

func (w *vendorWindow) allow(now time.Time, cost int) bool {
	if !now.Before(w.end) {
		w.end, w.used = now.Truncate(w.per).Add(w.per), 0
	}
	if w.used+cost > w.size {
		return false
	}
	w.used += cost
	return true
}

func (w *vendorWindow) header(now time.Time) map[string]string {
	return map[string]string{
		"X-Left": fmt.Sprint(w.size - w.used), "X-Size": fmt.Sprint(w.size),
		"X-Reset-Ms": fmt.Sprint(w.end.Sub(now).Milliseconds()),
	}
}

// vendorRolling allows size requests in any period; it tells nothing.
type vendorRolling struct {
	size int
	per  time.Duration
	log  []time.Time
}

func (w *vendorRolling) allow(now time.Time, cost int) bool {
	for len(w.log) > 0 && now.Sub(w.log[0]) >= w.per {
		w.log = w.log[1:]
	}
	if len(w.log)+cost > w.size {
		return false
	}
	for range cost {
		w.log = append(w.log, now)
	}
	return true
}

func (w *vendorRolling) header(time.Time) map[string]string { return nil }

func TestLimitsAreUsedAndNotExceeded(t *testing.T) {
	used := func(r *Response) []Signal {
		if s, ok := UsedSignal("q", r.Header.Get("X-Used")); ok {
			return []Signal{s}
		}
		return nil
	}
	left := HeaderSignal{Quota: "q", Size: "X-Size", Remaining: "X-Left", Reset: "X-Reset-Ms", ResetUnit: time.Millisecond}
	windows := func(r *Response) []Signal {
		if s, ok := left.Read(r.Header, time.Now()); ok {
			return []Signal{s}
		}
		return nil
	}
	for name, tt := range map[string]struct {
		vendor  func() vendorLimit
		limit   func() Limit
		signals func(*Response) []Signal
		cost    int // the largest
		perHour float64
	}{
		"leaky bucket": {
			vendor: func() vendorLimit { return &vendorBucket{size: 40, rate: 2, tell: true} },
			limit:  func() Limit { return Bucket("q", 40, 2) }, signals: used, cost: 1, perHour: 7200,
		},
		"leaky bucket larger than thought": {
			vendor: func() vendorLimit { return &vendorBucket{size: 80, rate: 2, tell: true} },
			limit:  func() Limit { return Bucket("q", 40, 2) }, signals: used, cost: 1, perHour: 7200,
		},
		"token bucket without signals": {
			vendor: func() vendorLimit { return &vendorBucket{size: 10, rate: 5} },
			limit:  func() Limit { return Bucket("q", 10, 5) }, cost: 1, perHour: 18000,
		},
		"fixed window": {
			vendor: func() vendorLimit { return &vendorWindow{size: 150, per: 30 * time.Second} },
			limit:  func() Limit { return Window("q", 150, 30*time.Second) }, signals: windows, cost: 1, perHour: 18000,
		},
		"fixed window smaller than thought": {
			vendor: func() vendorLimit { return &vendorWindow{size: 60, per: time.Minute} },
			limit:  func() Limit { return Window("q", 100, time.Minute) }, signals: windows, cost: 1, perHour: 3600,
		},
		"rolling window without signals": {
			vendor: func() vendorLimit { return &vendorRolling{size: 100, per: 10 * time.Second} },
			limit:  func() Limit { return Window("q", 100, 10*time.Second) }, cost: 1, perHour: 36000,
		},
		"cost based": {
			vendor: func() vendorLimit { return &vendorBucket{size: 2000, rate: 100, tell: true} },
			limit:  func() Limit { return Bucket("q", 2000, 100) }, signals: used, cost: 900, perHour: 360000,
		},
	} {
		for _, concurrency := range []int{1, 4} {
			for seed := range uint64(2) {
				t.Run(fmt.Sprintf("%s/%d at once/%d", name, concurrency, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						v := &strictVendor{limit: tt.vendor(), rng: rand.New(rand.NewPCG(seed, 1)), jitter: 30 * time.Millisecond}
						c := newClient(t, v, func(c *Config) {
							c.Limits, c.Signals, c.Concurrency = []Limit{tt.limit()}, tt.signals, concurrency
						})
						// The bucket that is full at the start does not count.
						const warmUp, measured = 2 * time.Minute, 10 * time.Minute
						start := time.Now()
						before := 0
						time.AfterFunc(warmUp, func() { v.mu.Lock(); before = v.served; v.mu.Unlock() })
						var wg sync.WaitGroup
						for worker := range concurrency {
							rng := rand.New(rand.NewPCG(seed, uint64(worker)+2))
							wg.Go(func() {
								for time.Since(start) < warmUp+measured {
									cost := 1 + rng.IntN(tt.cost)
									_, err := c.Do(t.Context(), Request{Cost: cost, Query: url.Values{"cost": {fmt.Sprint(cost)}}})
									if err != nil {
										t.Error(err)
										return
									}
								}
							})
						}
						wg.Wait()
						if use := float64(v.served-before) / (tt.perHour * measured.Hours()); use < 0.95 {
							t.Errorf("used %.1f %% of what is allowed, want 95 %% at least", use*100)
						}
						if v.refused > 0 {
							t.Errorf("%d requests were refused", v.refused)
						}
					})
				})
			}
		}
	}
}

func TestTheVendorsWordIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Another tool has used up the window: nothing is sent until it ends.
		s := &script{answers: []answer{
			{body: "{}", header: map[string]string{"X-Left": "0", "X-Size": "100", "X-Reset": "25"}}, {body: "{}"},
		}}
		header := HeaderSignal{Quota: "q", Size: "X-Size", Remaining: "X-Left", Reset: "X-Reset"}
		c := newClient(t, s, func(c *Config) {
			c.Limits = []Limit{Window("q", 100, 30*time.Second)}
			c.Signals = func(r *Response) []Signal {
				if s, ok := header.Read(r.Header, time.Now()); ok {
					return []Signal{s}
				}
				return nil
			}
		})
		start := time.Now()
		for range 2 {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 25*time.Second {
			t.Errorf("the second request went after %v, want 25 s", took)
		}
	})
}

func TestOneThrottledAnswerHoldsAllRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 429, header: map[string]string{"Retry-After": "60"}}, {body: "{}"}}}
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return s.RoundTrip(r)
		}), func(c *Config) { c.Concurrency = 2 })
		start := time.Now()
		go func() {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Error(err)
			}
		}()
		time.Sleep(2 * time.Second)
		if _, err := c.Do(t.Context(), Request{}); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 61*time.Second {
			t.Errorf("a request went %v after the start, want 61 s at least", took)
		}
		synctest.Wait()
		time.Sleep(time.Minute)
	})
}

func TestDailyBudget(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, &script{answers: []answer{{body: "{}"}}}, func(c *Config) {
			c.Limits = []Limit{Daily("daily", 100, 0.8, berlin)}
		})
		day := func(want int, until time.Time) {
			t.Helper()
			sent := 0
			for ; sent <= 100; sent++ {
				_, err := c.Do(t.Context(), Request{})
				if limited, ok := errors.AsType[*RateLimitedError](err); ok {
					if !limited.Until.Equal(until) || limited.Quota != "daily" {
						t.Errorf("until %v by %q, want %v by daily", limited.Until, limited.Quota, until)
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if sent != want {
				t.Errorf("%d requests, want %d", sent, want)
			}
		}
		midnight := time.Date(2000, 1, 2, 0, 0, 0, 0, berlin)
		day(80, midnight)
		time.Sleep(time.Until(midnight))
		day(80, midnight.AddDate(0, 0, 1))
	})
	synctest.Test(t, func(t *testing.T) {
		// Other tools have used 70 of 100: 10 are left of our 80.
		remaining := 31
		c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			remaining--
			return answer{body: "{}", header: map[string]string{"X-Left": fmt.Sprint(remaining)}}.response(r)
		}), func(c *Config) {
			c.Limits = []Limit{Daily("daily", 100, 0.8, time.UTC)}
			c.Signals = func(r *Response) []Signal {
				s, _ := HeaderSignal{Quota: "daily", Remaining: "X-Left"}.Read(r.Header, time.Now())
				return []Signal{s}
			}
		})
		sent := 0
		for ; sent < 100; sent++ {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				break
			}
		}
		if sent != 11 || remaining != 20 {
			t.Errorf("%d requests, %d left; want 11 and the reserve of 20", sent, remaining)
		}
	})
}

func TestSignals(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	header := func(size, left, reset string) http.Header {
		return http.Header{"Size": {size}, "Left": {left}, "Reset": {reset}}
	}
	for _, tt := range []struct {
		header http.Header
		unit   time.Duration
		want   Signal
		ok     bool
	}{
		{header("100", "40", "12"), 0, Signal{Size: 100, Remaining: 40, Reset: 12 * time.Second}, true},
		{header("100, 100;w=60", "-3", "1.5"), 0, Signal{Size: 100, Remaining: 0, Reset: 1500 * time.Millisecond}, true},
		{header("", "7", "250"), time.Millisecond, Signal{Remaining: 7, Reset: 250 * time.Millisecond}, true},
		{header("", "7", fmt.Sprint(now.Unix()+30)), 0, Signal{Remaining: 7, Reset: 30 * time.Second}, true},
		{header("", "7", "soon"), 0, Signal{Remaining: 7}, true},
		{header("100", "", "12"), 0, Signal{}, false},
		{header("100", "many", "12"), 0, Signal{}, false},
	} {
		got, ok := HeaderSignal{Quota: "q", Size: "Size", Remaining: "Left", Reset: "Reset", ResetUnit: tt.unit}.Read(tt.header, now)
		tt.want.Quota = "q"
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%v: got %+v, %v; want %+v, %v", tt.header, got, ok, tt.want, tt.ok)
		}
	}
	for value, want := range map[string]int{"32/40": 8, "40/40": 0, "45/40": 0, "0/80": 80} {
		if s, ok := UsedSignal("q", value); !ok || s.Remaining != want {
			t.Errorf("%s: got %+v, %v; want %d left", value, s, ok, want)
		}
	}
	for _, value := range []string{"", "32", "a/b", "3/0"} {
		if s, ok := UsedSignal("q", value); ok {
			t.Errorf("%q: got %+v", value, s)
		}
	}
}
