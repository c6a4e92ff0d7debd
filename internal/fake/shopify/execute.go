package shopify

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
)

// object is a value with fields: scalars, objects, lists and resolvers.
type object []field

type field struct {
	name  string
	value any
}

func (o object) get(name string) (any, bool) {
	for _, f := range o {
		if f.name == name {
			return f.value, true
		}
	}
	return nil, false
}

// typename returns the name of the object's type; nil where it has none.
func (o object) typename() any {
	name, _ := o.get("__typename")
	return name
}

// number is a number as it is written.
type number = json.Number

// resolver is a field that is computed, or one with arguments.
type resolver func(x *execution, args map[string]any) (any, error)

// denied is a field that the app may not see.
type denied struct{ scope string }

// unlimited, as the argument first, asks for the whole list.
const unlimited = "unlimited"

// guarded returns v, or what tells that it may not be seen.
func (s *Server) guarded(scope string, v any) any {
	if s.has(scope) {
		return v
	}
	return denied{scope}
}

// graphError is an entry of an answer's errors.
type graphError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions"`
}

// step is a place in an answer: a field, or a number in its list, in what is around it.
type step struct {
	around *step
	field  *ast.Field
	number int // unlisted where it is the field itself
}

const unlisted = -1

// path returns the place as errors have it.
func (p *step) path() []any {
	switch {
	case p == nil:
		return nil
	case p.number == unlisted:
		return append(p.around.path(), p.field.Alias)
	}
	return append(p.around.path(), p.number)
}

// execution is one query that is being answered. The answer's data are written as they
// are found: pages are large, and their making is most of what the fake does.
type execution struct {
	data      []byte
	variables map[string]any
	host      string
	whole     bool // lists are not paged: a bulk operation
	objects   int  // in the answer: its actual cost
	errors    []graphError
}

// graph answers a query.
func (s *Server) graph(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	dec := json.NewDecoder(r.Body)
	dec.UseNumber()
	if err := dec.Decode(&body); err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"errors": map[string]any{"query": "Required parameter missing or invalid"}})
		return
	}
	fail := func(code, message string, cost any) {
		answer := map[string]any{"errors": []graphError{{Message: message, Extensions: map[string]any{"code": code}}}}
		if cost != nil {
			answer["extensions"] = map[string]any{"cost": cost}
		}
		reply(w, http.StatusOK, answer)
	}
	doc, err := s.document(body.Query)
	if err != nil {
		fail("undefinedField", err.Error(), nil)
		return
	}
	op := doc.Operations.ForName(body.OperationName)
	if op == nil {
		fail("BAD_REQUEST", "no such operation", nil)
		return
	}
	if err := s.checkVariables(op, body.Variables); err != nil {
		fail("INVALID_VARIABLE", err.Error(), nil)
		return
	}
	s.calls[op.Name]++
	variables := withDefaults(op, body.Variables)
	requested := int(math.Ceil(float64(requestedCost(op.SelectionSet, variables)) * s.CostShare))
	if op.Operation == ast.Mutation {
		requested = 10
	}
	if requested > s.MaxCost {
		fail("MAX_COST_EXCEEDED", fmt.Sprintf("Query cost is %d, which exceeds the single query max cost limit (%d).", requested, s.MaxCost), nil)
		return
	}
	s.refill()
	if s.bucket.left < float64(requested) {
		fail("THROTTLED", "Throttled", s.cost(requested, nil))
		return
	}
	x := &execution{variables: variables, host: r.Host, data: s.buffer[:0]}
	defer func() { s.buffer = x.data }()
	root := s.root()
	if op.Operation == ast.Mutation {
		root = s.mutations()
	}
	if err := x.object(op.SelectionSet, root, nil); err != nil {
		fail("BAD_REQUEST", err.Error(), nil)
		return
	}
	if s.Schema != nil {
		if err := checkAnswer(s.Schema, op, x.data); err != nil {
			fail("FAKE", "the fake's answer does not agree with the schema: "+err.Error(), nil)
			return
		}
	}
	actual := min(x.objects, requested)
	s.bucket.left -= float64(actual)
	s.spent += float64(actual)
	around := map[string]any{"extensions": map[string]any{"cost": s.cost(requested, actual)}}
	if len(x.errors) > 0 {
		around["errors"] = x.errors
	}
	rest, err := json.Marshal(around)
	if err != nil {
		fail("BAD_REQUEST", err.Error(), nil)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for _, part := range [][]byte{[]byte(`{"data":`), x.data, []byte(","), rest[1:]} {
		_, _ = w.Write(part) // an error means that the client has gone
	}
}

func withDefaults(op *ast.OperationDefinition, given map[string]any) map[string]any {
	variables := maps.Clone(given)
	if variables == nil {
		variables = map[string]any{}
	}
	for _, d := range op.VariableDefinitions {
		if _, ok := variables[d.Variable]; !ok && d.DefaultValue != nil {
			if v, err := d.DefaultValue.Value(nil); err == nil {
				variables[d.Variable] = v
			}
		}
	}
	return variables
}

// object writes the selected fields of o.
func (x *execution) object(selected ast.SelectionSet, o object, at *step) error {
	x.data = append(x.data, '{')
	if err := x.fields(selected, o, at); err != nil {
		return err
	}
	x.data = append(x.data, '}')
	return nil
}

func (x *execution) fields(selected ast.SelectionSet, o object, at *step) error {
	for _, s := range selected {
		switch s := s.(type) {
		case *ast.Field:
			if x.data[len(x.data)-1] != '{' {
				x.data = append(x.data, ',')
			}
			x.data = append(fake.AppendText(x.data, s.Alias), ':')
			if err := x.field(s, o, at); err != nil {
				return err
			}
		case *ast.InlineFragment:
			if s.TypeCondition != "" && s.TypeCondition != o.typename() {
				continue
			}
			if err := x.fields(s.SelectionSet, o, at); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%T is not understood", s)
		}
	}
	return nil
}

func (x *execution) field(f *ast.Field, o object, around *step) error {
	v, ok := o.get(f.Name)
	if !ok {
		return fmt.Errorf("field %s of %v does not exist", f.Name, o.typename())
	}
	if r, ok := v.(resolver); ok {
		args := map[string]any{}
		for _, a := range f.Arguments {
			value, err := a.Value.Value(x.variables)
			if err != nil {
				return fmt.Errorf("argument %s: %w", a.Name, err)
			}
			if value != nil {
				args[a.Name] = value
			}
		}
		if _, limited := args["first"]; !limited && x.whole {
			args["first"] = unlimited
		}
		var err error
		if v, err = r(x, args); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return x.value(f, v, around, unlisted)
}

// value writes the value of a field, or of one number in its list.
func (x *execution) value(f *ast.Field, v any, around *step, number int) error {
	switch v := v.(type) {
	case denied:
		x.errors = append(x.errors, graphError{
			Message:    fmt.Sprintf("Access denied for %s field. Required access: `%s` access scope.", f.Name, v.scope),
			Path:       (&step{around, f, number}).path(),
			Extensions: map[string]any{"code": "ACCESS_DENIED", "requiredAccess": "`" + v.scope + "` access scope."},
		})
		return x.scalar(nil)
	case object:
		if typ := v.typename(); typ != nil && typ != "PageInfo" {
			x.objects++
		}
		return x.object(f.SelectionSet, v, &step{around, f, number})
	case []object:
		return items(x, f, v, &step{around, f, number})
	case []any:
		return items(x, f, v, &step{around, f, number})
	}
	return x.scalar(v)
}

func items[T any](x *execution, f *ast.Field, list []T, at *step) error {
	x.data = append(x.data, '[')
	for i, item := range list {
		if i > 0 {
			x.data = append(x.data, ',')
		}
		if err := x.value(f, item, at, i); err != nil {
			return err
		}
	}
	x.data = append(x.data, ']')
	return nil
}

func (x *execution) scalar(v any) error {
	switch v := v.(type) {
	case nil:
		x.data = append(x.data, "null"...)
	case string:
		x.data = fake.AppendText(x.data, v)
	case bool:
		x.data = strconv.AppendBool(x.data, v)
	case int:
		x.data = strconv.AppendInt(x.data, int64(v), 10)
	default:
		text, err := json.Marshal(v)
		x.data = append(x.data, text...)
		return err
	}
	return nil
}
