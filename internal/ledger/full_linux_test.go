package ledger_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// fullEnv says that the test runs in a namespace of its own, where it may mount.
const fullEnv = "LEDGER_TEST_FULL"

// A small file system really fills up. Mounting one needs privileges: where the test
// has none it runs itself again as the root of a user namespace.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	switch err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); {
	case err == nil:
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		fillDisk(t, dir)
	case os.Getenv(fullEnv) != "":
		t.Fatalf("mount in a namespace: %v", err)
	case !errors.Is(err, fs.ErrPermission):
		t.Fatalf("mount: %v", err)
	default:
		runInNamespace(t)
	}
}

func runInNamespace(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), fullEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	// The machine may forbid namespaces, or mounting in them; CI must not.
	if err != nil && os.Getenv("CI") == "" && (errors.Is(err, fs.ErrPermission) || strings.Contains(string(out), "mount in a namespace")) {
		t.Skipf("neither root nor user namespaces: %v", err)
	}
	if err != nil {
		t.Fatalf("in a user namespace: %v\n%s", err, out)
	}
}

// fill leaves that many bytes of the file system's space.
func fill(t *testing.T, path string, leave int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	var size int64
	for {
		n, err := f.Write(block)
		size += int64(n)
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(max(0, size-leave)); err != nil {
		t.Fatal(err)
	}
}

func wantFull(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, ledger.ErrFull) {
		t.Errorf("%s: %v, want ErrFull", what, err)
	} else if !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "next poll") {
		t.Errorf("%s: the message does not say what is wrong and what to do: %v", what, err)
	}
}

func fillDisk(t *testing.T, dir string) {
	path, ballast := filepath.Join(dir, "test.db"), filepath.Join(dir, "ballast")
	free := func() {
		t.Helper()
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
	for _, leave := range []int64{0, 8 << 10, 40 << 10, 80 << 10, 120 << 10} {
		fill(t, ballast, leave)
		l, err := tryOpen(t.Context(), path)
		if err == nil {
			closeLedger(t, l)
		} else {
			wantFull(t, fmt.Sprintf("a new ledger with %d bytes left", leave), err)
			if errors.Is(err, ledger.ErrForeign) {
				t.Errorf("a full disk is taken for damage: %v", err)
			}
		}
		free()
	}

	l := openReady(t, path)
	calm := newPath(t)
	undisturbed := openReady(t, calm)
	// Both have one key, so that their states can be compared.
	session, calmly := begin(t.Context(), t, l, "shop", false), begin(t.Context(), t, undisturbed, "shop", false)
	big := func(round int) ledger.Batch {
		b := ledger.Batch{Cursor: fmt.Sprint("round ", round)}
		for n := range 700 {
			o := order(fmt.Sprint(n), fmt.Sprint(n%50), n)
			o.Country = fmt.Sprint("country ", round, n%5)
			o.Gross = record.Micros(int64(round))
			b.Records = append(b.Records, o, customer(fmt.Sprint(n%50), round, email(fmt.Sprintf("x@d%d.example", (n+round)%20))))
		}
		return b
	}
	full := 0
	for round, leave := range []int64{0, 4 << 10, 20 << 10, 36 << 10, 60 << 10, 100 << 10, 160 << 10, 240 << 10} {
		before := look(t.Context(), t, l)
		cursor := session.Cursor
		fill(t, ballast, leave)
		res, err := session.Commit(t.Context(), big(round))
		if err != nil {
			full++
			wantFull(t, fmt.Sprintf("a commit with %d bytes left", leave), err)
			if session.Cursor != cursor || res.Counts != nil {
				t.Errorf("a failed commit has the cursor %q and counts %v", session.Cursor, res.Counts)
			}
			if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
				t.Fatalf("with %d bytes left a commit that failed changed (-before +after):\n%s", leave, diff)
			}
			if round%2 == 1 { // also a process that begins anew finds what was there before
				closeLedger(t, l)
				free()
				l = openReady(t, path)
				session = begin(t.Context(), t, l, "shop", false)
				if session.Cursor != cursor {
					t.Errorf("after opening it again the cursor is %q, want %q", session.Cursor, cursor)
				}
				if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
					t.Fatalf("with %d bytes left, after opening it again (-before +after):\n%s", leave, diff)
				}
			} else {
				free()
			}
			commitBatch(t.Context(), t, session, big(round))
		} else {
			free()
		}
		commitBatch(t.Context(), t, calmly, big(round))
		if diff := cmp.Diff(look(t.Context(), t, undisturbed), look(t.Context(), t, l)); diff != "" {
			t.Fatalf("after round %d (-undisturbed +got):\n%s", round, diff)
		}
	}
	if full < 4 {
		t.Errorf("only %d commits met a full disk", full)
	}

	// How a reading ended cannot be noted either, and a rebuild stays to be done.
	before := look(t.Context(), t, l)
	for _, leave := range []int64{0, 60 << 10} {
		fill(t, ballast, leave)
		if leave == 0 {
			wantFull(t, "the end of a reading", session.End(t.Context(), time.Unix(0, 0), nil, false))
		}
		wantFull(t, "a rebuild", l.Rebuild(t.Context(), nil))
		free()
		if err := l.Ready(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
			t.Errorf("after a rebuild on a full disk (-before +after):\n%s", diff)
		}
	}
	// Nor can the ledger be opened, which is not its fault.
	closeLedger(t, l)
	for _, leave := range []int64{0, 4 << 10, 8 << 10, 36 << 10, 40 << 10} {
		fill(t, ballast, leave)
		if l, err := tryOpen(t.Context(), path); err == nil {
			closeLedger(t, l)
		} else {
			wantFull(t, fmt.Sprintf("opening with %d bytes left", leave), err)
		}
		free()
		l = openReady(t, path)
		if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
			t.Errorf("after opening on a full disk (-before +after):\n%s", diff)
		}
		closeLedger(t, l)
	}
}
