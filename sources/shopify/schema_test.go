package shopify

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// The part of the vendor's schema that the queries use. Where the vendor's whole schema
// lies beside the repository, the part is compared with it, and -update writes it anew.
const (
	schemaFile   = "testdata/schema.graphql"
	schemaBeside = "../../../shared/specs/shopify/admin_2026-10.nodesc.graphql"
	schemaBefore = "../../../shared/specs/shopify/admin_2026-07.nodesc.graphql"
)

var update = flag.Bool("update", false, "write testdata/schema.graphql")

func documents() map[string]string {
	return map[string]string{
		"Orders": queryOrders, "OrdersByID": queryOrdersByID, "Lines": queryLines, "RefundLines": queryRefundLines,
		"Adjustments": queryAdjustments, "Customers": queryCustomers, "Companies": queryCompanies, "Checkouts": queryCheckouts,
		"Settings": querySettings, "StartBulk": mutationBulk, "Bulk": queryBulk, "Bulks": queryBulks, "BulkOrders": queryBulkOrders,
	}
}

func loadSchema(t testing.TB, name, text string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// keptSchema is the schema that is kept with the tests.
func keptSchema(t testing.TB) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return loadSchema(t, schemaFile, string(text))
}

func TestQueriesAreValid(t *testing.T) {
	schema := keptSchema(t)
	for name, text := range documents() {
		doc, err := gqlparser.LoadQueryWithRules(schema, text, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if op := doc.Operations[0]; op.Name != "" && op.Name != name || op.Name != "" && operation(text) != name {
			t.Errorf("%s: the operation is called %s, and operation says %s", name, op.Name, operation(text))
		}
		if isMutation := doc.Operations[0].Operation == ast.Mutation; isMutation != (name == "StartBulk") {
			t.Errorf("%s: mutation: %v; the source only reads", name, isMutation)
		}
	}
}

func TestKeptSchemaIsTheVendors(t *testing.T) {
	for _, file := range []string{schemaBefore, schemaBeside} {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("the vendor's schema is not beside the repository")
		}
		if err != nil {
			t.Fatal(err)
		}
		schema := loadSchema(t, file, string(text))
		var docs []*ast.QueryDocument
		for name, query := range documents() {
			doc, err := gqlparser.LoadQueryWithRules(schema, query, nil)
			if err != nil {
				t.Errorf("%s: %s: %v", file, name, err)
				continue
			}
			docs = append(docs, doc)
		}
		if file == schemaBefore {
			continue // an older version has the queries' fields too
		}
		want := schemaHeader + cut(schema, docs)
		if *update {
			if err := os.WriteFile(schemaFile, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(schemaFile)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not the part of the vendor's schema that the queries use; run this test with -update (-want +got):\n%s", schemaFile, diff)
		}
	}
}

const schemaHeader = `# The part of Shopify's GraphQL Admin API, version 2026-10, that the queries use,
# without descriptions. From the package @shopify/dev-mcp 1.16.0; see schema.LICENSE.

`

// cutter collects the parts of a schema that queries use.
type cutter struct {
	schema *ast.Schema
	fields map[string]map[string]map[string]bool // used fields by type, with their arguments
	others map[string]bool                       // enums and scalars
}

// cut returns the parts that the documents use, as a schema.
func cut(schema *ast.Schema, docs []*ast.QueryDocument) string {
	c := &cutter{schema: schema, fields: map[string]map[string]map[string]bool{}, others: map[string]bool{}}
	for _, d := range docs {
		for _, op := range d.Operations {
			root := schema.Query
			if op.Operation == ast.Mutation {
				root = schema.Mutation
			}
			c.selected(root, op.SelectionSet)
		}
	}
	return c.text()
}

func (c *cutter) selected(of *ast.Definition, set ast.SelectionSet) {
	if c.fields[of.Name] == nil {
		c.fields[of.Name] = map[string]map[string]bool{}
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.InlineFragment:
			c.selected(c.schema.Types[s.TypeCondition], s.SelectionSet)
		case *ast.Field:
			if s.Name == "__typename" {
				continue
			}
			if c.fields[of.Name][s.Name] == nil {
				c.fields[of.Name][s.Name] = map[string]bool{}
			}
			for _, a := range s.Arguments {
				c.fields[of.Name][s.Name][a.Name] = true
			}
			for _, a := range s.Definition.Arguments {
				if c.fields[of.Name][s.Name][a.Name] {
					c.others[a.Type.Name()] = true
				}
			}
			if result := c.schema.Types[s.Definition.Type.Name()]; len(s.SelectionSet) > 0 {
				c.selected(result, s.SelectionSet)
			} else {
				c.others[result.Name] = true
			}
		}
	}
}

func (c *cutter) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema {\n  query: %s\n  mutation: %s\n}\n", c.schema.Query.Name, c.schema.Mutation.Name)
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		c.composite(&b, c.schema.Types[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.others)) {
		switch d := c.schema.Types[name]; {
		case d.Kind == ast.Enum:
			fmt.Fprintf(&b, "\nenum %s {\n", name)
			for _, v := range d.EnumValues {
				fmt.Fprintf(&b, "  %s\n", v.Name)
			}
			b.WriteString("}\n")
		case !d.BuiltIn:
			fmt.Fprintf(&b, "\nscalar %s\n", name)
		}
	}
	return b.String()
}

func (c *cutter) composite(b *strings.Builder, d *ast.Definition) {
	switch d.Kind {
	case ast.Union:
		var members []string
		for _, m := range d.Types {
			if c.fields[m] != nil {
				members = append(members, m)
			}
		}
		fmt.Fprintf(b, "\nunion %s = %s\n", d.Name, strings.Join(members, " | "))
		return
	case ast.Interface:
		fmt.Fprintf(b, "\ninterface %s {\n  id: ID!\n}\n", d.Name)
		return
	}
	implements := ""
	if slices.Contains(d.Interfaces, "Node") && c.fields[d.Name]["id"] != nil {
		implements = " implements Node"
	}
	fmt.Fprintf(b, "\ntype %s%s {\n", d.Name, implements)
	for _, f := range d.Fields {
		used, ok := c.fields[d.Name][f.Name]
		if !ok {
			continue
		}
		var args []string
		for _, a := range f.Arguments {
			if !used[a.Name] {
				continue
			}
			text := a.Name + ": " + a.Type.String()
			if a.DefaultValue != nil {
				text += " = " + a.DefaultValue.String()
			}
			args = append(args, text)
		}
		list := ""
		if len(args) > 0 {
			list = "(" + strings.Join(args, ", ") + ")"
		}
		fmt.Fprintf(b, "  %s%s: %s\n", f.Name, list, f.Type)
	}
	b.WriteString("}\n")
}
