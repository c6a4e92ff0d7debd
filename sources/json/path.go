package json

import (
	"bytes"
	encjson "encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// lookup returns what stands under a path of names, or of positions in arrays, with
// dots between them; nil where there is nothing. A name may itself have dots.
func lookup(value any, path string) any {
	for path != "" {
		name, rest, _ := strings.Cut(path, ".")
		switch v := value.(type) {
		case map[string]any:
			if whole, ok := v[path]; ok {
				return whole
			}
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
		path = rest
	}
	return value
}

// find returns the part of a document under a path of names; false where there is none.
func find(document []byte, path string) (encjson.RawMessage, bool) {
	for name := range strings.SplitSeq(path, ".") {
		if path == "" {
			break
		}
		var object map[string]encjson.RawMessage
		if encjson.Unmarshal(document, &object) != nil {
			return nil, false
		}
		part, ok := object[name]
		if !ok {
			return nil, false
		}
		document = part
	}
	return document, true
}

// scalar returns what stands under a path of a document: nil, a string, a
// json.Number or a bool.
func scalar(document []byte, path string) (any, error) {
	part, ok := find(document, path)
	if !ok {
		return nil, nil
	}
	value, err := decode(part)
	if err != nil {
		return nil, err
	}
	switch value.(type) {
	case map[string]any, []any:
		return nil, fmt.Errorf("the field %s is not a single value", path)
	}
	return value, nil
}

// isEmpty reports whether a value says nothing: what APIs have in place of an error.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case encjson.Number:
		return strings.Trim(v.String(), "-0.") == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func decode(text []byte) (any, error) {
	dec := encjson.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

// parseBody reads the configured body; an empty one is an empty object.
func parseBody(text string) (map[string]any, error) {
	if strings.TrimSpace(text) == "" {
		return map[string]any{}, nil
	}
	if !encjson.Valid([]byte(text)) {
		return nil, errors.New("it is not JSON")
	}
	value, err := decode([]byte(text))
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New(`it does not begin with "{"`)
	}
	return object, nil
}

// put sets the value under a path of an object, and makes the objects on the way.
func put(object map[string]any, path string, value any) {
	for {
		name, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			object[name] = value
			return
		}
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object, path = inner, rest
	}
}
