package web

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A page of another site must not reload the exporter through its reader's browser.
func TestReloadFromAnotherSite(t *testing.T) {
	reloads := 0
	h := newServer(t, Options{EnableLifecycle: true, Reload: func(context.Context) error { reloads++; return nil }}).Handler()
	if w := ask(t, h, "POST", "/-/reload", "Sec-Fetch-Site", "cross-site", "Origin", "https://attacker.example"); w.Code != 403 || reloads != 0 {
		t.Errorf("from another site: %d and %d reloads, want 403 and none", w.Code, reloads)
	}
	if w := ask(t, h, "POST", "/-/reload", "Sec-Fetch-Site", "same-origin"); w.Code != 200 || reloads != 1 {
		t.Errorf("from the same site: %d and %d reloads, want 200 and 1", w.Code, reloads)
	}
}

func TestReloadsRunOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, most, total := 0, 0, 0
		var mu sync.Mutex
		count := func(by int) {
			mu.Lock()
			defer mu.Unlock()
			running += by
			most = max(most, running)
		}
		h := newServer(t, Options{EnableLifecycle: true, Reload: func(context.Context) error {
			count(1)
			defer count(-1)
			time.Sleep(time.Minute)
			total++
			return nil
		}}).Handler()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if w := ask(t, h, "POST", "/-/reload"); w.Code != 200 {
					t.Errorf("reload: %d %s", w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		// A client that has gone while it waits gets no reload.
		gone, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "POST", "/-/reload", nil))
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if most != 1 || total != 3 {
			t.Errorf("%d reloads, up to %d at a time; want 3, one at a time", total, most)
		}
	})
}

func TestReloadOutlivesItsClient(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	seen := errors.New("Reload was not called")
	h := newServer(t, Options{EnableLifecycle: true, Reload: func(ctx context.Context) error {
		leave()
		seen = ctx.Err()
		return nil
	}}).Handler()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "POST", "/-/reload", nil))
	if seen != nil {
		t.Errorf("after the client went away the reload's context says: %v", seen)
	}
}
