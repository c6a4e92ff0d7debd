package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// namespaceEnv says that the test runs in a namespace of its own, where it may mount.
const namespaceEnv = "B2B_TEST_NAMESPACE"

// TestFullDisk: while the ledger's disk is full the source is down and says why, and what
// was served stays; with space again the service goes on. The disk is a small file
// system that really fills up; without the privilege to mount one the test runs
// itself again as the root of a user namespace.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m")
	switch {
	case err == nil:
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		fullDisk(t, dir)
	case !errors.Is(err, fs.ErrPermission) || os.Getenv(namespaceEnv) != "":
		t.Fatalf("mount: %v", err)
	default:
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), namespaceEnv+"=1")
		again.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := again.CombinedOutput()
		// The machine may forbid namespaces, or mounting in them; CI must not.
		if err != nil && os.Getenv("CI") == "" && (errors.Is(err, fs.ErrPermission) || strings.Contains(string(out), "mount:")) {
			t.Skipf("neither root nor user namespaces: %v", err)
		}
		if err != nil {
			t.Fatalf("in a user namespace: %v\n%s", err, out)
		}
	}
}

func fullDisk(t *testing.T, disk string) {
	config := strings.Replace(often(shopConfig), "ledger: {path: b2b.db}", "ledger: {path: "+filepath.Join(disk, "b2b.db")+"}", 1)
	if !strings.Contains(config, disk) {
		t.Fatalf("the shop's configuration has no ledger.path to replace:\n%s", config)
	}
	e := newService(t, newClock(noon()).now, map[string]string{"b2b.yml": config})
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	if err := filler.Close(); err != nil {
		t.Fatal(err)
	}
	more := strings.Builder{}
	more.WriteString(shopOrders)
	const added = 3000
	for i := range added {
		fmt.Fprintf(&more, "more-%d,customer-%d,2026-06-30T12:00:00Z,EUR,1.00\n", i, i)
	}
	write(t, e.dir, "orders.csv", more.String())
	e.await(t, shopUp, "0")
	eventually(t, "the log says that the disk is full", func() bool {
		return strings.Contains(e.logs.String(), "no space left for the ledger")
	})
	if got := e.value(t, shopOrders7d); got != "3" {
		t.Errorf("with a full disk there are %q orders, want 3: what was read stays", got)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	// The next poll is due after the back-off; a reload polls at once.
	e.reload(t, http.StatusOK)
	e.await(t, shopOrders7d, fmt.Sprint(3+added))
	e.await(t, shopUp, "1")
}
