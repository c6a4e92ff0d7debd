package ledger_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// What TestKill and the process that it kills agree on.
const (
	killEnv     = "LEDGER_TEST_KILL" // the ledger's path
	killSeed    = 20240601
	killRecords = 250 // a page
)

func killPages() int { return scaled(80, 8) }

// killPage is page n of the history that the killed process reads.
func killPage(n int) []record.Record {
	w := world{r: rand.New(rand.NewPCG(killSeed, uint64(n))), ids: 3000, sharing: 8}
	records := make([]record.Record, killRecords)
	for i := range records {
		records[i] = w.record()
	}
	return records
}

func openKilled(ctx context.Context, path string) (*ledger.Ledger, error) {
	l, err := tryOpen(ctx, path, basis(ledger.BasisBoth), keyFile(filepath.Join(filepath.Dir(path), "key")))
	if err != nil {
		return nil, err
	}
	if err := l.Ready(ctx, nil); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// readUntilKilled reads the history from where the ledger's cursor stands. It says when
// the ledger is open, so that it is not always killed before.
func readUntilKilled(ctx context.Context, path string, say io.Writer) error {
	fmt.Fprintln(say, "started")
	l, err := openKilled(ctx, path)
	if err != nil {
		return err
	}
	session, err := l.Begin(ctx, "shop", "all", record.Kinds(), false, time.Unix(0, 0))
	if err != nil {
		return err
	}
	fmt.Fprintln(say, "reading")
	n := 0
	if session.Cursor != "" {
		if n, err = strconv.Atoi(session.Cursor); err != nil {
			return err
		}
	}
	for ; n < killPages(); n++ {
		if _, err := session.Commit(ctx, ledger.Batch{Records: killPage(n), Cursor: strconv.Itoa(n + 1)}); err != nil {
			return err
		}
	}
	return errors.Join(session.End(ctx, time.Unix(0, 0), nil, false), l.Close())
}

// newKillPath returns a path for a ledger with the key that all of this test have.
func newKillPath(t *testing.T) string {
	t.Helper()
	path := newPath(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "key"), []byte("the same key for all"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Processes that read a history are killed at any moment, and others go on from where
// they were. What they leave is what one makes that nobody disturbs.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	seed := rand.Uint64()
	if text := os.Getenv("LEDGER_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the moments of the kills: LEDGER_TEST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	calm := newKillPath(t)
	began := time.Now()
	if err := readUntilKilled(t.Context(), calm, io.Discard); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	want := readState(t.Context(), t, calm)

	kills := scaled(50, 8)
	path, runs, whole := newKillPath(t), 0, 0
	for killed := 0; killed < kills || runs > 0; {
		limit := time.Duration(-1)
		if killed < kills {
			// Some kills to each reading, and some of them before the ledger is open.
			limit = time.Duration(random.Int64N(int64(took) / 14))
		}
		done := runAndKill(t, path, limit, random.IntN(8) == 0)
		if !done {
			killed, runs = killed+1, runs+1
			continue
		}
		if diff := cmp.Diff(want, readState(t.Context(), t, path)); diff != "" {
			t.Fatalf("after %d kills the ledger differs (-undisturbed +killed):\n%s", runs, diff)
		}
		path, runs, whole = newKillPath(t), 0, whole+1
	}
	t.Logf("%d kills in %d readings of %d records, each of which takes %v by itself", kills, whole, killPages()*killRecords, took)

	// What is derived of it all is also what a rebuild makes.
	l, err := openKilled(t.Context(), calm)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLedger(t, l)
	if err := l.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, readState(t.Context(), t, calm)); diff != "" {
		t.Errorf("(-kept +rebuilt):\n%s", diff)
	}
}

// runAndKill runs a process that reads on and kills it after limit, counted from its
// start or from when its ledger is open. It reports whether the process was through
// before; a negative limit lets it be.
func runAndKill(t *testing.T, path string, limit time.Duration, fromStart bool) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for more := lines.Scan(); more && lines.Text() != "reading" && !fromStart; {
		more = lines.Scan()
	}
	if limit >= 0 {
		timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() }) // it may have ended
		defer timer.Stop()
	}
	for lines.Scan() { // until the process ends
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true
	case errors.As(err, &exit) && exit.ExitCode() == -1 && limit >= 0:
		return false
	}
	t.Fatalf("the process that reads: %v", err)
	return false
}
