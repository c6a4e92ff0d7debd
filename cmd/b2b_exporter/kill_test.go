package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is the built binary.
type program string

func build(t *testing.T) program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b2b_exporter")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program(path)
}

// sync runs sync as a process and kills it after a while. It reports whether the process
// came to its end before.
func (p program) sync(t *testing.T, dir string, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command(string(p), "--config.file="+filepath.Join(dir, "b2b.yml"), "sync")
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(after, func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("kill: %v", err)
		}
	})
	err := cmd.Wait()
	killer.Stop()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return false
	}
	if err != nil {
		t.Fatalf("sync: %v\n%s", err, errs.String())
	}
	return true
}

// What a killed sync has read is kept: the next goes on, and the figures are those of one
// that nobody disturbed, which took so long.
func testKill(t *testing.T, binary program, undisturbed string, took time.Duration) {
	dir, _ := onlineRetail(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, undisturbed it takes %s", seed, took)
	r := rand.New(rand.NewPCG(seed, 0))
	const enough = 6
	killed := 0
	for done := false; !done; {
		after := time.Duration(r.Int64N(int64(took)))
		switch killed {
		case 0: // one lands for certain
			after = took / 4
		case enough:
			after = time.Hour
		}
		if done = binary.sync(t, dir, after); !done {
			killed++
		}
	}
	t.Logf("killed %d times", killed)
	if killed == 0 {
		t.Error("no kill landed while it was reading: there was nothing to test")
	}
	want := runIn(t, undisturbed, "kpis", "--output=prometheus", onlineRetailAsOf).ok(t).out
	if strings.Count(want, "\n") < 1000 {
		t.Errorf("the undisturbed figures are few:\n%s", want)
	}
	if got := runIn(t, dir, "kpis", "--output=prometheus", onlineRetailAsOf).ok(t).out; got != want {
		t.Errorf("after %d kills the figures differ from those of an undisturbed sync", killed)
	}
	// The binary's clock is the machine's, which may be ahead of the tests'.
	again := runIn(t, dir, "sync", "--reset-clock").ok(t)
	synced(t, again.out, "online-retail", "order", "0 0 0 0 0 0 ok")
	synced(t, again.out, "online-retail", "refund", "0 0 0 0 0 0 ok")
}
