package shopify

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"
)

// object is a value with fields: scalars, objects, lists and resolvers.
type object map[string]any

// number is a number as it is written.
type number = json.Number

// resolver is a field that is computed, or one with arguments.
type resolver func(x *execution, args map[string]any) (any, error)

// denied is a field that the app may not see.
type denied struct{ scope string }

// unlimited, as the argument first, asks for the whole list.
const unlimited = "unlimited"

func list(objects []object) []any {
	values := make([]any, len(objects))
	for i, o := range objects {
		values[i] = o
	}
	return values
}

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

// step is a place in an answer: a field, or a number in a list, in what is around it.
type step struct {
	around *step
	name   any
}

// path returns the place as errors have it.
func (p *step) path() []any {
	if p == nil {
		return nil
	}
	return append(p.around.path(), p.name)
}

// execution is one query that is being answered.
type execution struct {
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
	x := &execution{variables: variables, host: r.Host}
	root := s.root()
	if op.Operation == ast.Mutation {
		root = s.mutations()
	}
	data, err := x.object(op.SelectionSet, root, nil)
	if err != nil {
		fail("BAD_REQUEST", err.Error(), nil)
		return
	}
	if s.Schema != nil {
		if err := checkAnswer(s.Schema, op, data); err != nil {
			fail("FAKE", "the fake's answer does not agree with the schema: "+err.Error(), nil)
			return
		}
	}
	actual := min(x.objects, requested)
	s.bucket.left -= float64(actual)
	s.spent += float64(actual)
	answer := map[string]any{"data": data, "extensions": map[string]any{"cost": s.cost(requested, actual)}}
	if len(x.errors) > 0 {
		answer["errors"] = x.errors
	}
	reply(w, http.StatusOK, answer)
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

// object returns the selected fields of o.
func (x *execution) object(selected ast.SelectionSet, o object, at *step) (map[string]any, error) {
	result := make(map[string]any, len(selected))
	for _, s := range selected {
		switch s := s.(type) {
		case *ast.Field:
			name := s.Alias
			value, err := x.field(s, o, &step{at, name})
			if err != nil {
				return nil, err
			}
			result[name] = value
		case *ast.InlineFragment:
			if s.TypeCondition != "" && s.TypeCondition != o["__typename"] {
				continue
			}
			more, err := x.object(s.SelectionSet, o, at)
			if err != nil {
				return nil, err
			}
			maps.Copy(result, more)
		default:
			return nil, fmt.Errorf("%T is not understood", s)
		}
	}
	return result, nil
}

func (x *execution) field(f *ast.Field, o object, at *step) (any, error) {
	v, ok := o[f.Name]
	if !ok {
		return nil, fmt.Errorf("field %s of %v does not exist", f.Name, o["__typename"])
	}
	if r, ok := v.(resolver); ok {
		args := map[string]any{}
		for _, a := range f.Arguments {
			value, err := a.Value.Value(x.variables)
			if err != nil {
				return nil, fmt.Errorf("argument %s: %w", a.Name, err)
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
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return x.value(f, v, at)
}

func (x *execution) value(f *ast.Field, v any, at *step) (any, error) {
	switch v := v.(type) {
	case denied:
		x.errors = append(x.errors, graphError{
			Message:    fmt.Sprintf("Access denied for %s field. Required access: `%s` access scope.", f.Name, v.scope),
			Path:       at.path(),
			Extensions: map[string]any{"code": "ACCESS_DENIED", "requiredAccess": "`" + v.scope + "` access scope."},
		})
		return nil, nil
	case object:
		if typ := v["__typename"]; typ != nil && typ != "PageInfo" {
			x.objects++
		}
		return x.object(f.SelectionSet, v, at)
	case []any:
		values := make([]any, len(v))
		for i, item := range v {
			var err error
			if values[i], err = x.value(f, item, &step{at, i}); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	return v, nil
}
