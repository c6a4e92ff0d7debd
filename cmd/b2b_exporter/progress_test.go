package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stepping is a clock that tests set.
type stepping struct{ t time.Time }

func (s *stepping) now() time.Time { return s.t }

func (s *stepping) step(d time.Duration) { s.t = s.t.Add(d) }

func TestProgressIsLogged(t *testing.T) {
	clock := &stepping{noon()}
	var log bytes.Buffer
	p := &progress{log: slog.New(slog.NewTextHandler(&log, nil)), now: clock.now}
	for range 25 {
		p.show("shop/order", -1, 100)
		clock.step(time.Second)
	}
	if got := strings.Count(log.String(), "\n"); got != 2 {
		t.Errorf("%d lines in 25 seconds, want one every 10:\n%s", got, log.String())
	}
	if !strings.Contains(log.String(), "what=shop/order records=2100") || strings.Contains(log.String(), "remaining") {
		t.Errorf("after 20 seconds 2100 records of an unknown number have been read:\n%s", log.String())
	}
	log.Reset()
	// A stream is timed by itself.
	p.show("shop/refund", 0, 1)
	clock.step(10 * time.Second)
	p.show("shop/refund", 0.25, 49)
	if want := "what=shop/refund records=50 done_percent=25 remaining=30s"; !strings.Contains(log.String(), want) {
		t.Errorf("no %q in %q", want, log.String())
	}
}

func TestProgressOnATerminal(t *testing.T) {
	clock := &stepping{noon()}
	var screen, log bytes.Buffer
	p := &progress{out: &screen, log: slog.New(slog.NewTextHandler(&log, nil)), now: clock.now}
	p.show("shop/order", 0, 100)
	clock.step(time.Second)
	p.show("shop/order", 0.25, 100)
	bar := "shop/order  [######..................]  25 %  200 records, about 3s left"
	if got, want := screen.String(), "\r"+bar; got != want {
		t.Errorf("the screen shows %q, want %q", got, want)
	}
	screen.Reset()
	clock.step(time.Millisecond)
	p.show("shop/order", 0.26, 100)
	if screen.Len() > 0 {
		t.Errorf("redrawn after a millisecond: %q", screen.String())
	}
	// A shorter line covers what was there.
	clock.step(time.Second)
	p.show("shop/order", -1, 100)
	if got, want := screen.String(), "\r"+fmt.Sprintf("%-*s", len(bar), "shop/order  400 records"); got != want {
		t.Errorf("the screen shows %q, want %q", got, want)
	}
	screen.Reset()
	p.clear()
	if got := screen.String(); strings.TrimSpace(got) != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("at its end the screen shows %q, want an empty line", got)
	}
	if log.Len() > 0 {
		t.Errorf("a terminal gets a bar and no log lines: %s", log.String())
	}
}

func TestTerminal(t *testing.T) {
	if terminal(&bytes.Buffer{}) != nil {
		t.Error("a buffer is a terminal")
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if terminal(f) != nil {
		t.Error("a file is a terminal")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no terminal to try")
	}
	defer tty.Close()
	if terminal(tty) == nil {
		t.Error("a terminal is none")
	}
}

// While sync reads a large file it says how far it has come.
func TestSyncLogsProgress(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id,placed_at,currency,gross\n")
	for i := range 10_001 {
		fmt.Fprintf(&rows, "%d,2026-06-30,EUR,1\n", i)
	}
	dir := newShop(t, map[string]string{"orders.csv": rows.String()})
	clock := &stepping{noon()}
	r := runAt(t, func() time.Time { clock.step(logEvery); return clock.t }, dir, "sync").ok(t)
	if !strings.Contains(r.errors, "what=shop/order records=") || !strings.Contains(r.errors, "remaining=") {
		t.Errorf("no progress is logged:\n%s", r.errors)
	}
}
