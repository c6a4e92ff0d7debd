package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// document parses a query and, where there is a schema, validates it and notes in it
// which fields of the schema are meant. It does so once for each text.
func (s *Server) document(text string) (*ast.QueryDocument, error) {
	if doc := s.documents[text]; doc != nil {
		return doc, nil
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return nil, err
	}
	if s.Schema != nil {
		if list := validator.ValidateWithRules(s.Schema, doc, nil); len(list) > 0 {
			return nil, list
		}
	}
	s.documents[text] = doc
	return doc, nil
}

// checkVariables validates the variables of a query.
func (s *Server) checkVariables(op *ast.OperationDefinition, variables map[string]any) error {
	if s.Schema == nil {
		return nil
	}
	_, err := validator.VariableValues(s.Schema, op, variables)
	return err
}

// checkAnswer holds an answer against the types of the fields that were asked for.
func checkAnswer(schema *ast.Schema, op *ast.OperationDefinition, data []byte) error {
	o, err := decode(data)
	if err != nil {
		return err
	}
	return checkObject(schema, op.SelectionSet, o, "data")
}

// decode reads the data of an answer. Numbers stay as they are written.
func decode(data []byte) (map[string]any, error) {
	var o map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := dec.Decode(&o)
	return o, err
}

func checkObject(schema *ast.Schema, selected ast.SelectionSet, data map[string]any, path string) error {
	for _, s := range selected {
		switch s := s.(type) {
		case *ast.Field:
			v, ok := data[s.Alias]
			if !ok {
				return fmt.Errorf("%s.%s is missing", path, s.Alias)
			}
			if err := checkValue(schema, s, s.Definition.Type, v, path+"."+s.Alias); err != nil {
				return err
			}
		case *ast.InlineFragment:
			if _, isThis := data[firstAlias(s.SelectionSet)]; !isThis {
				continue // another type
			}
			if err := checkObject(schema, s.SelectionSet, data, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func firstAlias(selected ast.SelectionSet) string {
	for _, s := range selected {
		if f, ok := s.(*ast.Field); ok {
			return f.Alias
		}
	}
	return ""
}

func checkValue(schema *ast.Schema, f *ast.Field, t *ast.Type, v any, path string) error {
	if v == nil {
		if t.NonNull {
			return fmt.Errorf("%s is null, and is %s", path, t)
		}
		return nil
	}
	if t.Elem != nil {
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s is %T, and is %s", path, v, t)
		}
		for i, item := range items {
			if err := checkValue(schema, f, t.Elem, item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(f.SelectionSet) > 0 {
		o, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %T, and is %s", path, v, t)
		}
		return checkObject(schema, f.SelectionSet, o, path)
	}
	if !scalar(schema.Types[t.Name()], v) {
		return fmt.Errorf("%s: %v (%T) is no %s", path, v, v, t.Name())
	}
	return nil
}

var (
	decimalForm  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	unsignedForm = regexp.MustCompile(`^[0-9]+$`)
)

// scalar reports whether v has the form of a scalar or is a value of an enum.
func scalar(t *ast.Definition, v any) bool {
	s, isText := v.(string)
	if t.Kind == ast.Enum {
		return isText && t.EnumValues.ForName(s) != nil
	}
	switch t.Name {
	case "Boolean":
		_, ok := v.(bool)
		return ok
	case "Int":
		n, ok := v.(json.Number)
		_, err := strconv.ParseInt(n.String(), 10, 32)
		return ok && err == nil
	case "Float":
		_, ok := v.(json.Number)
		return ok
	case "ID", "String", "URL":
		return isText
	case "Decimal":
		return isText && decimalForm.MatchString(s)
	case "UnsignedInt64":
		return isText && unsignedForm.MatchString(s)
	case "DateTime":
		_, err := time.Parse(time.RFC3339, s)
		return isText && err == nil
	}
	return false
}
