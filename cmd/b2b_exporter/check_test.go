package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	dir := newShop(t, nil)
	r := runIn(t, dir, "check").ok(t)
	if !strings.Contains(r.out, "will be created") {
		t.Errorf("check does not say that there is no ledger yet:\n%s", r.out)
	}
	if _, err := os.Stat(filepath.Join(dir, "b2b.db")); err == nil {
		t.Error("check made a ledger")
	}
	runIn(t, dir, "sync").ok(t)
	r = runIn(t, dir, "check").ok(t)
	if !strings.Contains(r.out, "usable") {
		t.Errorf("check does not say that the ledger is usable:\n%s", r.out)
	}
	if strings.Contains(r.out, "FAILED") {
		t.Errorf("something failed, and the exit code is 0:\n%s", r.out)
	}
	write(t, dir, "b2b.yml", strings.Replace(shopConfig, "Europe/Berlin", "America/New_York", 1))
	if r := runIn(t, dir, "check").ok(t); !strings.Contains(r.out, "derive everything again") {
		t.Errorf("check does not say what a changed zone means:\n%s", r.out)
	}
}

func TestCheckFailures(t *testing.T) {
	dir := newShop(t, map[string]string{"b2b.yml": twoSources, "refunds.csv": "id,amount\nr1,10.00\n", "b2b.db": "no ledger"})
	r := runIn(t, dir, "check").fails(t, 1)
	for _, test := range []struct {
		cells        []string
		result, says string
	}{
		{[]string{"configuration"}, "ok", "2 sources, zone Europe/Berlin, currency EUR"},
		{[]string{"ledger"}, "FAILED", "not a usable ledger"},
		{[]string{"shop", "order"}, "ok", "0 rejected"},
		{[]string{"shop", "refund"}, "FAILED", "at"},
		{[]string{"erp", "order"}, "FAILED", "erp-*.csv"},
	} {
		line := strings.Join(row(t, r.out, test.cells...), " ")
		if !strings.Contains(line, " "+test.result+" ") || !strings.Contains(line, test.says) {
			t.Errorf("%v: want %s and %q: %s", test.cells, test.result, test.says, line)
		}
	}
	if lines := strings.Count(r.out, "\n"); lines != 6 {
		t.Errorf("the table has %d lines, want a header and one for each of 5 findings:\n%s", lines, r.out)
	}
}
