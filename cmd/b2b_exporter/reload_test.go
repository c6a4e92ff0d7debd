package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReloadOfABadFile(t *testing.T) {
	t.Parallel()
	e := newService(t, newClock(noon()).now, nil)
	if got := e.value(t, reloaded); got != "1" {
		t.Errorf("%s is %q before any reload, want 1", reloaded, got)
	}
	good := often(shopConfig)
	for name, bad := range map[string]string{
		"two errors":     strings.Replace(good, "Berlin", "Nowhere", 1) + "stalenes: 1h\n",
		"no YAML":        "timezone: [Europe/Berlin\n",
		"no column":      strings.Replace(good, "record: order", "record: orders", 1),
		"taken name":     strings.Replace(good, "name: shop", "name: configuration", 1),
		"foreign ledger": strings.Replace(good, "b2b.db", "orders.csv", 1),
	} {
		write(t, e.dir, "b2b.yml", bad)
		answer := e.reload(t, http.StatusInternalServerError)
		if got := e.value(t, reloaded); got != "0" {
			t.Errorf("%s: %s is %q, want 0", name, reloaded, got)
		}
		told := strings.TrimPrefix(strings.TrimSpace(answer), "failed to reload the configuration: ")
		check := runIn(t, e.dir, "check").fails(t, 1)
		// Where the configuration is a good one, check has a table.
		printed := strings.TrimPrefix(strings.TrimSpace(check.errors), "b2b_exporter: ")
		if check.out != "" {
			printed = check.out
		}
		if name != "foreign ledger" && told != printed || !strings.Contains(printed, told) {
			t.Errorf("%s: the reload says\n%s\nand check\n%s", name, told, printed)
		}
		// The old one is still at work.
		if got := e.value(t, shopOrders7d); got != "3" {
			t.Errorf("%s: %q orders, want 3", name, got)
		}
		if shown := e.get(t, "/config"); !strings.Contains(shown, "Europe/Berlin") || !strings.Contains(shown, "b2b.db") {
			t.Errorf("%s: the configuration shown is not the old one:\n%s", name, shown)
		}
	}
	write(t, e.dir, "orders.csv", shopOrders+"4,c2,2026-06-30T12:00:00Z,EUR,1.00\n")
	e.await(t, shopOrders7d, "4")
	write(t, e.dir, "b2b.yml", good)
	e.reload(t, http.StatusOK)
	if got := e.value(t, reloaded); got != "1" {
		t.Errorf("after a good reload %s is %q, want 1", reloaded, got)
	}
	text, err := os.ReadFile(filepath.Join(e.dir, "orders.csv"))
	if err != nil || !strings.HasPrefix(string(text), shopOrders) {
		t.Errorf("the file that is no ledger was changed (%v):\n%s", err, text)
	}
}

func TestReloadWithoutASource(t *testing.T) {
	t.Parallel()
	e := newService(t, newClock(noon()).now, map[string]string{
		"b2b.yml": often(twoSources), "erp-1.csv": "id,placed_at,currency,gross\n1,2026-06-30,EUR,5\n",
	})
	const erpOrders = `b2b_orders{channel="unknown",store="erp",window="7d"}`
	e.await(t, erpOrders, "1")
	write(t, e.dir, "b2b.yml", often(shopConfig))
	e.reload(t, http.StatusOK)
	e.await(t, erpOrders, "")
	for line := range strings.Lines(e.scrape(t)) {
		if strings.Contains(line, `"erp"`) {
			t.Errorf("a source that is gone has a series: %s", line)
		}
	}
	e.await(t, shopOrders7d, "3")
	// It comes back with what the ledger holds of it.
	write(t, e.dir, "b2b.yml", often(twoSources))
	e.reload(t, http.StatusOK)
	e.await(t, erpOrders, "1")
}

// The orders of a night, by which the days of two zones differ: one in the morning in
// Berlin is still the evening of the day before in New York.
const (
	nightOrders = 6_000
	ordersToday = `b2b_orders{channel="unknown",store="shop",window="today"}`
	orders1d    = `b2b_orders{channel="unknown",store="shop",window="1d"}`
)

// night returns a shop with many orders of one night, in Berlin's time.
func night() map[string]string {
	var rows strings.Builder
	rows.WriteString("id,customer,placed_at,currency,gross\n")
	for i := range nightOrders {
		fmt.Fprintf(&rows, "%d,c%d,2026-06-30T23:00:00Z,EUR,10.00\n", i, i%1000)
	}
	return map[string]string{"b2b.yml": often(shopConfig), "orders.csv": rows.String()}
}

// inNewYork returns a configuration with another report zone.
func inNewYork(config string) string {
	return strings.Replace(config, "Europe/Berlin", "America/New_York", 1)
}

func TestReloadWithAnotherZone(t *testing.T) {
	t.Parallel()
	e := serve(t, newClock(noon()).now, newShop(t, night()), "--web.enable-lifecycle")
	count := fmt.Sprint(nightOrders)
	e.await(t, ordersToday, count)
	write(t, e.dir, "b2b.yml", inNewYork(often(shopConfig)))
	e.reload(t, http.StatusOK)
	old := 0
	for {
		text := e.scrape(t)
		now, before := valueIn(text, ordersToday), valueIn(text, orders1d)
		if now == "0" && before == count {
			break
		}
		if now != count || before != "0" {
			t.Fatalf("while the zone changes: %q orders today and %q yesterday, want the old %s and 0, or 0 and %s", now, before, count, count)
		}
		if old++; old > 2000 {
			t.Fatalf("the zone has not changed:\n%s", e.logs)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if old == 0 {
		t.Error("no scrape met the old values")
	}
	t.Logf("%d scrapes met the old values", old)
}

// Whoever reloads, or ends, in the middle of a change of the zone gets the figures of what
// is configured last.
func TestReloadDuringARebuild(t *testing.T) {
	t.Parallel()
	files := night()
	e := serve(t, newClock(noon()).now, newShop(t, files), "--web.enable-lifecycle")
	e.await(t, ordersToday, fmt.Sprint(nightOrders))
	for range 3 {
		write(t, e.dir, "b2b.yml", inNewYork(files["b2b.yml"]))
		e.reload(t, http.StatusOK)
		write(t, e.dir, "b2b.yml", files["b2b.yml"])
		e.reload(t, http.StatusOK)
	}
	orders := files["orders.csv"] + "last,c1,2026-06-30T23:00:00Z,EUR,10.00\n"
	write(t, e.dir, "orders.csv", orders)
	e.await(t, ordersToday, fmt.Sprint(nightOrders+1))
	if got := e.value(t, orders1d); got != "0" {
		t.Errorf("back in Berlin there are %q orders yesterday, want 0", got)
	}
	write(t, e.dir, "b2b.yml", inNewYork(files["b2b.yml"]))
	e.reload(t, http.StatusOK)
	if code := e.stop(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, e.logs)
	}
	if text := e.logs.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("to be reloaded and stopped is logged as an error:\n%s", text)
	}
	asOf := "--as-of=" + noon().Format(time.RFC3339)
	fresh := newShop(t, map[string]string{"b2b.yml": inNewYork(files["b2b.yml"]), "orders.csv": orders})
	runIn(t, fresh, "sync").ok(t)
	want := runIn(t, fresh, "kpis", "--output=prometheus", asOf).ok(t).out
	if got := runAt(t, time.Now, e.dir, "kpis", "--output=prometheus", asOf).ok(t).out; got != want {
		t.Errorf("the figures are\n%s\nwant those of a fresh ledger\n%s", got, want)
	}
}

func TestReloadWithoutLifecycle(t *testing.T) {
	t.Parallel()
	e := serve(t, newClock(noon()).now, newShop(t, map[string]string{"b2b.yml": often(shopConfig)}))
	e.await(t, shopOrders7d, "3")
	write(t, e.dir, "b2b.yml", often(twoSources))
	if body := e.reload(t, http.StatusForbidden); !strings.Contains(body, "--web.enable-lifecycle") {
		t.Errorf("the answer does not say which flag allows a reload: %s", body)
	}
	if shown := e.get(t, "/config"); strings.Contains(shown, "erp") {
		t.Errorf("the configuration was reloaded:\n%s", shown)
	}
}
