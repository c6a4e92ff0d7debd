package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
)

// process is the service as a process of its own.
type process struct {
	*exporter
	cmd   *exec.Cmd
	ended chan int // its exit code, -1 where a signal ended it
}

// start starts the service on the configuration in dir. It does not outlive the test.
func (p program) start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	s := &process{exporter: &exporter{dir: dir, logs: &logs{}}, ended: make(chan int, 1)}
	args = append([]string{"--config.file=" + filepath.Join(dir, "b2b.yml"), "--web.listen-address=127.0.0.1:0"}, args...)
	s.cmd = exec.CommandContext(t.Context(), string(p), append(args, "run")...)
	s.cmd.Stderr = s.logs
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		var exit *exec.ExitError
		if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
			fmt.Fprintln(s.logs, err)
		}
		s.ended <- s.cmd.ProcessState.ExitCode()
	}()
	s.stop = sync.OnceValue(func() int { return <-s.ended })
	t.Cleanup(func() {
		s.signal(t, syscall.SIGKILL)
		s.stop()
	})
	return s
}

// listen waits until the process serves.
func (s *process) listen(t *testing.T) *process {
	t.Helper()
	s.url = awaitURL(t, s.logs, s.ended)
	return s
}

// signal sends a signal, unless the process has ended.
func (s *process) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("send %s: %v", signal, err)
	}
}

// What only a process of its own can show: signals, and the lock on the ledger.
func TestProcess(t *testing.T) {
	t.Parallel()
	binary := build(t)
	t.Run("killed", func(t *testing.T) { testKilled(t, binary) })
	t.Run("two on one ledger", func(t *testing.T) { testTwoProcesses(t, binary) })
	t.Run("terminated", func(t *testing.T) { testTerminated(t, binary) })
	t.Run("hung up", func(t *testing.T) { testHungUp(t, binary) })
}

// crowd returns the files of a shop with so many orders, of which each fourth is refunded.
func crowd(orders int) map[string]string {
	var o, r strings.Builder
	o.WriteString("id,customer,placed_at,currency,gross\n")
	r.WriteString("id,order,at,amount\n")
	for i := range orders {
		at := noon().Add(-time.Duration(orders-i) * 10 * time.Minute).Format(time.RFC3339)
		fmt.Fprintf(&o, "%d,c%d,%s,EUR,%d.%02d\n", i, i%997, at, 10+i%300, i%100)
		if i%4 == 0 {
			fmt.Fprintf(&r, "r%d,%d,%s,1.50\n", i, i, at)
		}
	}
	return map[string]string{"b2b.yml": often(shopConfig), "orders.csv": o.String(), "refunds.csv": r.String()}
}

// Killed at any moment, the service loses nothing that it has read, and reads nothing twice.
func testKilled(t *testing.T, binary program) {
	const kills, killsOfALedger, orders = 50, 10, 10_000
	asOf := "--as-of=" + noon().Format(time.RFC3339)
	files := crowd(orders)
	undisturbed := newShop(t, files)
	began := time.Now()
	runAt(t, time.Now, undisturbed, "sync").ok(t)
	took := time.Since(began)
	want := runIn(t, undisturbed, "kpis", "--output=prometheus", asOf).ok(t).out
	if !strings.Contains(want, "b2b_revenue_net{") {
		t.Fatalf("the undisturbed figures are few:\n%s", want)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, undisturbed it takes %s", seed, took)
	r := rand.New(rand.NewPCG(seed, 0))
	inTheMiddle := 0
	for range kills / killsOfALedger {
		dir := newShop(t, files)
		for range killsOfALedger {
			p := binary.start(t, dir)
			select {
			case code := <-p.ended:
				p.ended <- code
				t.Fatalf("the service ended by itself with exit code %d:\n%s", code, p.logs)
			case <-time.After(50*time.Millisecond + time.Duration(r.Int64N(int64(400*time.Millisecond)))):
			}
			p.signal(t, syscall.SIGKILL)
			if code := p.stop(); code != -1 {
				t.Fatalf("the killed service ended with exit code %d:\n%s", code, p.logs)
			}
			if text := p.logs.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN") {
				t.Fatalf("after a kill the service complains:\n%s", text)
			}
		}
		r := runAt(t, time.Now, dir, "sync").ok(t)
		if inserted := row(t, r.out, "shop", "order")[2]; inserted != "0" && inserted != fmt.Sprint(orders) {
			inTheMiddle++
		}
		if got := runIn(t, dir, "kpis", "--output=prometheus", asOf).ok(t).out; got != want {
			t.Errorf("after %d kills the figures are not those of an undisturbed service:\n%s", killsOfALedger, got)
		}
		again := runAt(t, time.Now, dir, "sync").ok(t)
		synced(t, again.out, "shop", "order", "0 0 0 0 0 0 ok")
		synced(t, again.out, "shop", "refund", "0 0 0 0 0 0 ok")
	}
	t.Logf("of %d ledgers %d were found in the middle of the orders after the last kill", kills/killsOfALedger, inTheMiddle)
}

func testTwoProcesses(t *testing.T, binary program) {
	dir := newShop(t, map[string]string{"b2b.yml": often(shopConfig)})
	runIn(t, dir, "sync").ok(t)
	p := binary.start(t, dir).listen(t)
	second := binary.start(t, dir)
	if code := second.stop(); code != 1 {
		t.Errorf("the second service ended with exit code %d, want 1", code)
	}
	for _, says := range []string{"b2b.db", fmt.Sprintf("process %d has it open", p.cmd.Process.Pid), "ledger.path"} {
		if !strings.Contains(second.logs.String(), says) {
			t.Errorf("the second service does not say %q:\n%s", says, second.logs)
		}
	}
	r := runAt(t, time.Now, dir, "kpis", "--as-of=2026-07-01T12:00:00Z", "--match=b2b_orders").ok(t)
	if got := last(row(t, r.out, "b2b_orders", "window=7d", "store=shop")); got != "3" {
		t.Errorf("beside the service there are %s orders, want 3", got)
	}
	p.await(t, shopUp, "1")
}

// Told to end, the service does, also while a vendor hangs.
func testTerminated(t *testing.T, binary program) {
	bank, url := newBank(t)
	bank.Set(fake.Fault{Hang: true}, 0, -1)
	p := binary.start(t, newShop(t, map[string]string{"b2b.yml": withRates(often(shopConfig), "bank", url)})).listen(t)
	eventually(t, "the bank is asked", func() bool { return bank.Requests() > 0 })
	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	code := p.stop()
	took := time.Since(began)
	if code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, p.logs)
	}
	if took > 10*time.Second {
		t.Errorf("it took %s to end, want less than 10 s", took)
	}
	if text := p.logs.String(); !strings.Contains(text, "msg=stopped") || strings.Contains(text, "level=ERROR") {
		t.Errorf("the log does not tell of a stop, or of more than that:\n%s", text)
	}
}

func testHungUp(t *testing.T, binary program) {
	p := binary.start(t, newShop(t, map[string]string{"b2b.yml": often(shopConfig)})).listen(t)
	p.await(t, shopUp, "1")
	write(t, p.dir, "b2b.yml", "timezone: Europe/Nowhere\n")
	p.signal(t, syscall.SIGHUP)
	p.await(t, reloaded, "0")
	if text := p.logs.String(); !strings.Contains(text, "Europe/Nowhere") || !strings.Contains(text, "the old one stays") {
		t.Errorf("the log does not say what was wrong:\n%s", text)
	}
	write(t, p.dir, "b2b.yml", often(strings.Replace(shopConfig, "Europe/Berlin", "America/New_York", 1)))
	p.signal(t, syscall.SIGHUP)
	p.await(t, reloaded, "1")
	if shown := p.get(t, "/config"); !strings.Contains(shown, "America/New_York") {
		t.Errorf("the configuration shown is not the new one:\n%s", shown)
	}
	if status, body := p.request(t, http.MethodPost, "/-/reload"); status != http.StatusForbidden {
		t.Errorf("POST /-/reload: status %d, want 403: %s", status, body)
	}
	p.await(t, shopUp, "1")
}
