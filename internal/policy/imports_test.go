package policy

import (
	"slices"
	"strings"
	"testing"
)

// rule says what the packages of a folder may import. Import paths of the module are
// written from its root; a path stands also for all below it.
type rule struct {
	folders []string
	but     []string // folders within them that the rule is not for
	only    []string // of the module, nothing else
	limited bool     // only is meant, also where it is empty
	never   []string // of the module or of others
	why     string
}

func rules() []rule {
	prometheus := []string{"github.com/prometheus"}
	engines := []string{"database/sql", "modernc.org/sqlite", "github.com/jackc/pgx", "github.com/go-sql-driver/mysql", "github.com/ClickHouse"}
	return []rule{
		{
			folders: []string{"internal/record", "internal/window"}, limited: true,
			never: slices.Concat(prometheus, engines, []string{"net/http", "os", "io/fs", "log/slog"}),
			why:   "records and the calendar know nothing else and do no I/O",
		},
		{
			folders: []string{"internal/ledger"}, limited: true,
			only:  []string{"internal/record", "internal/window", "internal/ledger"},
			never: slices.Concat(prometheus, []string{"net/http"}),
			why:   "the ledger keeps records, wherever they come from and whatever is computed from them",
		},
		{
			folders: []string{"internal/config"}, never: []string{"sources", "internal/ledger", "collector", "internal/poll", "cmd", "net/http"},
			why: "the configuration is data: cmd hands it to what it is for",
		},
		{
			folders: []string{"collector"}, never: []string{"sources", "internal/poll", "internal/config", "net/http", "database/sql", "os", "log/slog"},
			why: "a KPI is a function of the ledger and a moment",
		},
		{
			folders: []string{"sources"}, but: []string{"sources/internal/apiclient"}, never: prometheus,
			why: "only apiclient counts requests",
		},
		{
			folders: []string{"sources"}, never: []string{"internal/ledger", "internal/poll", "collector", "cmd"},
			why: "a source emits records and does not know what becomes of them",
		},
		{
			folders: []string{"sources"}, but: []string{"sources/sql"}, never: engines,
			why: "only the source sql speaks SQL",
		},
		{
			folders: []string{"internal/poll"}, never: []string{"sources/internal", "net/http", "cmd"},
			why: "the scheduler knows sources by their interface",
		},
		{
			folders: []string{"internal/fake"}, limited: true,
			only:  []string{"internal/fake", "internal/record", "internal/window"},
			never: []string{"testing", "net/http/httptest"},
			why:   "fakes are servers like the vendors' own; the demo has them, too",
		},
		{
			folders: []string{"."}, never: []string{"os/exec", "unsafe"},
			why: "the exporter starts no program and needs no unsafe code",
		},
		{
			folders: []string{"."}, but: support(),
			never: append(support(), "testing", "net/http/httptest", "github.com/google/go-cmp", "go.uber.org/goleak", "pgregory.net/rapid"),
			why:   "what only tests need stays out of the program",
		},
	}
}

// support returns the folders of packages that only tests import.
func support() []string { return []string{"sources/sourcetest", "collector/internal/oracle"} }

// within returns a path of the module from its root.
func within(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

func TestImports(t *testing.T) {
	tr := readTree(t)
	for _, r := range rules() {
		checked := 0
		for _, f := range tr.product() {
			if r.folders[0] != "." && !under(f.dir(), r.folders...) || under(f.dir(), r.but...) {
				continue
			}
			checked++
			for _, name := range f.imports {
				local, isLocal := within(name)
				target := name
				if isLocal {
					target = local
				}
				if isLocal && r.limited && !under(local, r.only...) || under(target, r.never...) {
					t.Errorf("%s imports %s: %s", f.path, target, r.why)
				}
			}
		}
		if checked == 0 {
			t.Errorf("the rule for %v meets no file", r.folders)
		}
	}
}

// vendor returns the folder of the vendor that a package of sources belongs to.
func vendor(dir string) (string, bool) {
	rest, ok := strings.CutPrefix(dir, "sources/")
	if !ok {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "/")
	switch name {
	case "all", "internal", "sourcetest":
		return "", false
	}
	return name, true
}

// Also the tests of a vendor know no other one.
func TestVendorsKnowOnlyThemselves(t *testing.T) {
	vendors := map[string]bool{}
	for _, f := range readTree(t).code {
		own, isVendor := vendor(f.dir())
		if isVendor {
			vendors[own] = true
		}
		for _, name := range f.imports {
			local, _ := within(name)
			other, ok := vendor(local)
			switch {
			case !ok || other == own:
			case isVendor:
				t.Errorf("%s imports the vendor %s: what two share belongs in sources/internal", f.path, other)
			case !under(f.dir(), "sources/all", "cmd", "internal/demo"):
				t.Errorf("%s imports the vendor %s: vendors are reached through sources/all", f.path, other)
			}
		}
	}
	if len(vendors) < 2 {
		t.Errorf("found only the vendors %v", vendors)
	}
}
