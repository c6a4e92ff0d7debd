package policy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// allowed says where something forbidden is right, and why.
type allowed map[string]string

// check reports the entries of a list that nothing needs any more.
func (a allowed) check(t *testing.T, used map[string]bool) {
	t.Helper()
	for name, why := range a {
		if !used[name] {
			t.Errorf("%s is on the list (%s) and no longer needed there", name, why)
		}
		if why == "" {
			t.Errorf("%s is on the list without a reason", name)
		}
	}
}

func (a allowed) folder(dir string) (string, bool) {
	for name := range a {
		if under(dir, name) {
			return name, true
		}
	}
	return "", false
}

func TestPackageComments(t *testing.T) {
	type pkg struct{ dir, name string }
	comments, first := map[pkg]int{}, map[pkg]*goFile{}
	for _, f := range readTree(t).product() {
		p := pkg{f.dir(), f.syntax.Name.Name}
		if first[p] == nil {
			first[p] = f
		}
		if f.syntax.Doc == nil {
			continue
		}
		comments[p]++
		begin := "Package " + p.name + " "
		if p.name == "main" {
			begin = "Command "
		}
		if text := f.syntax.Doc.Text(); !strings.HasPrefix(text, begin) {
			t.Errorf("%s: the comment of the package begins with %q, want %q", f.path, firstLine(text), begin)
		}
	}
	for p := range first {
		if comments[p] != 1 {
			t.Errorf("package %s in %s has %d comments, want 1", p.name, p.dir, comments[p])
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func TestFileLength(t *testing.T) {
	const limit = 600
	for _, f := range readTree(t).code {
		if n := strings.Count(f.text, "\n"); n > limit {
			t.Errorf("%s has %d lines, more than %d: it holds a second subject", f.path, n, limit)
		}
	}
}

func TestNoInit(t *testing.T) {
	tr := readTree(t)
	for _, f := range tr.code {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init: what is needed at the start is called from main", tr.at(fn))
			}
		}
	}
}

// clocks lists who may ask what time it is. Everything else is told.
func clocks() allowed {
	return allowed{
		"cmd":                        "starts everything and hands the clock on",
		"internal/poll":              "decides when to poll, and measures how long things take",
		"sources/internal/apiclient": "measures how long requests take and when the next may go out",
		"sources/sourcetest":         "plays a vendor whose records change while a source reads them",
	}
}

func TestClock(t *testing.T) {
	tr, used := readTree(t), map[string]bool{}
	for _, f := range tr.product() {
		for sel := range selectors(f, "time") {
			if !slices.Contains([]string{"Now", "Since", "Until", "Tick"}, sel.Sel.Name) {
				continue
			}
			if folder, ok := clocks().folder(f.dir()); ok && sel.Sel.Name != "Tick" {
				used[folder] = true
				continue
			}
			t.Errorf("%s: time.%s: a moment is an argument, so that KPIs and tests are repeatable", tr.at(sel), sel.Sel.Name)
		}
	}
	clocks().check(t, used)
}

// A context that is made on the way cannot be cancelled from above.
func TestContexts(t *testing.T) {
	tr := readTree(t)
	for _, f := range tr.product() {
		for sel := range selectors(f, "context") {
			if name := strings.ToLower(sel.Sel.Name); (name == "background" || name == "todo") && !under(f.dir(), "cmd") {
				t.Errorf("%s: context.%s below cmd: pass the caller's context", tr.at(sel), sel.Sel.Name)
			}
		}
	}
}

// selectors yields the uses of a package of the standard library in a file.
func selectors(f *goFile, importPath string) func(yield func(*ast.SelectorExpr) bool) {
	local := ""
	for i, name := range f.imports {
		if name != importPath {
			continue
		}
		local = importPath
		if alias := f.syntax.Imports[i].Name; alias != nil {
			local = alias.Name
		}
	}
	return func(yield func(*ast.SelectorExpr) bool) {
		if local == "" {
			return
		}
		for n := range ast.Preorder(f.syntax) {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && !yield(sel) {
				return
			}
		}
	}
}

// variables lists variables of packages that TestVariables cannot see to be constant.
func variables() allowed {
	return allowed{
		"collector/internal/oracle.one": "counts a record; sums are new numbers",
	}
}

// Variables of packages are shared by everything that runs in the process, also by
// tests. Those stay that never change: errors, patterns, embedded files, tables that
// nothing writes to.
func TestVariables(t *testing.T) {
	tr, used := readTree(t), map[string]bool{}
	written := map[string]map[string]token.Position{} // by folder and name
	for _, f := range tr.product() {
		if written[f.dir()] == nil {
			written[f.dir()] = map[string]token.Position{}
		}
		for _, name := range writes(f.syntax) {
			written[f.dir()][name.Name] = tr.fset.Position(name.Pos())
		}
	}
	for _, f := range tr.product() {
		for name, spec := range packageVariables(f.syntax) {
			full := f.dir() + "." + name.Name
			if _, ok := variables()[full]; ok {
				used[full] = true
				continue
			}
			if !constant(spec) {
				t.Errorf("%s: variable %s of the package: make it a field, an argument or a function's result", tr.at(name), name.Name)
			} else if where, ok := written[f.dir()][name.Name]; ok {
				t.Errorf("%s: %s, a variable of the package, or one of the same name, is written to", where, name.Name)
			}
		}
	}
	variables().check(t, used)
}

// variable is a variable of a package as it is declared.
type variable struct {
	*ast.ValueSpec
	embedded bool
	value    ast.Expr // nil where it has none
}

func packageVariables(file *ast.File) map[*ast.Ident]variable {
	list := map[*ast.Ident]variable{}
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, s := range decl.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			embedded := embeds(decl.Doc) || embeds(spec.Doc)
			for i, name := range spec.Names {
				v := variable{ValueSpec: spec, embedded: embedded}
				if i < len(spec.Values) {
					v.value = spec.Values[i]
				}
				if name.Name != "_" {
					list[name] = v
				}
			}
		}
	}
	return list
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// constant says whether a variable can be one only because Go has no such constants.
func constant(v variable) bool {
	switch value := v.value.(type) {
	case nil:
		return v.embedded
	case *ast.CallExpr:
		called, ok := value.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		from, ok := called.X.(*ast.Ident)
		if !ok {
			return false
		}
		switch from.Name + "." + called.Sel.Name {
		case "errors.New", "fmt.Errorf", "regexp.MustCompile", "prometheus.NewDesc":
			return true
		}
	case *ast.CompositeLit:
		switch value.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			return true
		}
	}
	return false
}

// writes returns the names that a file assigns to, also inside them, or takes the
// address of.
func writes(file *ast.File) []*ast.Ident {
	var names []*ast.Ident
	note := func(e ast.Expr) {
		if name := base(e); name != nil {
			names = append(names, name)
		}
	}
	for n := range ast.Preorder(file) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, target := range n.Lhs {
				if _, local := target.(*ast.Ident); n.Tok != token.DEFINE || !local {
					note(target)
				}
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				note(n.X)
			}
		case *ast.CallExpr:
			if called, ok := n.Fun.(*ast.Ident); ok && (called.Name == "delete" || called.Name == "clear") && len(n.Args) > 0 {
				note(n.Args[0])
			}
		}
	}
	return names
}

// base returns the variable that an expression is a part of.
func base(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.SelectorExpr:
		return base(e.X)
	case *ast.ParenExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	}
	return nil
}
