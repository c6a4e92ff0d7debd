package policy

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/b2bexporter/b2b_exporter"
)

// textFile is a text file of the repository.
type textFile struct {
	path string // from the root, with slashes
	text string
}

// goFile is a parsed Go file.
type goFile struct {
	textFile
	syntax  *ast.File
	imports []string
}

func (f *goFile) dir() string  { return path.Dir(f.path) }
func (f *goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// tree is what the repository holds. Files are parsed for all platforms, which go list
// does not do, and are read by the test itself, so that a changed file makes go test
// run it again.
type tree struct {
	fset  *token.FileSet
	files []textFile
	code  []*goFile
}

func readTree(t *testing.T) *tree {
	t.Helper()
	tr := &tree{fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if built(rel) {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || built(rel) {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if bytes.IndexByte(data, 0) >= 0 {
			return nil // not text
		}
		file := textFile{rel, string(data)}
		tr.files = append(tr.files, file)
		if path.Ext(rel) != ".go" || strings.Contains(rel, "testdata/") {
			return nil
		}
		return tr.parse(file)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.code) < 50 {
		t.Fatalf("only %d Go files found below %s", len(tr.code), root)
	}
	return tr
}

func (tr *tree) parse(file textFile) error {
	syntax, err := parser.ParseFile(tr.fset, file.path, file.text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &goFile{textFile: file, syntax: syntax}
	for _, spec := range syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		f.imports = append(f.imports, name)
	}
	tr.code = append(tr.code, f)
	return nil
}

// built says whether .gitignore keeps a path out of the repository, or git itself does.
func built(rel string) bool {
	switch rel {
	case ".git", "bin", "dist", "data", "b2b_exporter", "cpu.out", "mem.out":
		return true
	}
	return strings.HasSuffix(rel, ".db") || strings.Contains(rel, ".db-") || strings.HasSuffix(rel, ".db.lock")
}

// at returns file:line of a node.
func (tr *tree) at(n ast.Node) string {
	p := tr.fset.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// product returns the files that are compiled into the program or its test support.
func (tr *tree) product() []*goFile {
	var list []*goFile
	for _, f := range tr.code {
		if !f.isTest() {
			list = append(list, f)
		}
	}
	return list
}

// under says whether a path is one of the folders or inside one.
func under(p string, folders ...string) bool {
	for _, folder := range folders {
		if p == folder || strings.HasPrefix(p, folder+"/") {
			return true
		}
	}
	return false
}
