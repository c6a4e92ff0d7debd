package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// decoder fills structs from YAML nodes by their tags (see Options). yaml.v3's
// own decoder knows no field paths and reports an unknown key only by itself.
type decoder struct {
	*report
	dir    string
	schema Schema
}

// field is a settable value of a struct and what its tags say.
type field struct {
	key      string
	value    reflect.Value
	required string // what to give; empty where it is optional
	enum     []string
}

func fieldOf(pointer any) field { return field{value: reflect.ValueOf(pointer).Elem()} }

// fields lists the settings of a struct, with those of inlined structs.
func fields(v reflect.Value) []field {
	var list []field
	for i := range v.NumField() {
		t := v.Type().Field(i)
		key, flag, _ := strings.Cut(t.Tag.Get("yaml"), ",")
		switch {
		case flag == "inline":
			list = append(list, fields(v.Field(i))...)
		case key != "" && key != "-" && t.IsExported():
			f := field{key: key, value: v.Field(i), required: t.Tag.Get("required")}
			if enum := t.Tag.Get("enum"); enum != "" {
				f.enum = strings.Split(enum, ",")
			}
			list = append(list, f)
		}
	}
	return list
}

// keys returns the keys that set the field: a secret has a twin for its file.
func (f field) keys() []string {
	if _, ok := reflect.TypeAssert[SecretRef](f.value); ok && !strings.HasSuffix(f.key, fileSuffix) {
		return []string{f.key, f.key + fileSuffix}
	}
	return []string{f.key}
}

// value decodes n, which stands at path, into f.
func (d *decoder) value(n *yaml.Node, path string, f field) {
	if d.failed[path] {
		return
	}
	v := f.value
	if isNull(n) {
		if f.required != "" {
			d.fail(path, "has no value; give %s", f.required)
		} else {
			d.fail(path, "has no value; expected %s, or remove it", expected(f))
		}
		return
	}
	if b, ok := reflect.TypeAssert[*sourceBlock](v.Addr()); ok && n.Kind == yaml.MappingNode {
		d.source(n, path, b)
		return
	}
	if _, zone := reflect.TypeAssert[*time.Location](v); v.Kind() == reflect.Pointer && !zone {
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, path, field{value: v.Elem(), enum: f.enum})
		return
	}
	if n.Kind != nodeKind(v) {
		d.fail(path, "expected %s, found %s", expected(f), kindOf(n))
		return
	}
	if n.Kind == yaml.ScalarNode {
		if err := setScalar(n, f); err != nil {
			d.fail(path, "%v", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.value(item, element(path, i), field{value: v.Index(i), enum: f.enum})
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, item := n.Content[i].Value, reflect.New(v.Type().Elem()).Elem()
			d.value(n.Content[i+1], join(path, key), field{value: item, enum: f.enum})
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
		}
	case reflect.Struct:
		d.mapping(n, path, fields(v))
	}
}

// mapping decodes the keys of n into the fields that have them.
func (d *decoder) mapping(n *yaml.Node, path string, list []field) {
	known := map[string]field{}
	var names []string
	for _, f := range list {
		for _, key := range f.keys() {
			known[key] = f
			names = append(names, key)
		}
	}
	given := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		p := join(path, key)
		given[key] = n.Content[i+1]
		if _, ok := known[key]; !ok {
			d.add(d.line(p), p, "unknown key; %s", suggestion(key, names))
		}
	}
	for _, f := range list {
		if _, ok := reflect.TypeAssert[SecretRef](f.value); ok {
			d.secret(given, path, f)
			continue
		}
		if node, ok := given[f.key]; ok {
			d.value(node, join(path, f.key), f)
			if p := join(path, f.key); f.required != "" && isEmpty(f.value) && !d.isFailed(p) {
				d.fail(p, "must not be empty; give %s", f.required)
			}
		} else if f.required != "" {
			d.fail(join(path, f.key), "is missing; give %s", f.required)
		}
	}
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return false
}

// secret decodes a secret or the name of its file.
func (d *decoder) secret(given map[string]*yaml.Node, path string, f field) {
	keys := f.keys()
	fileKey := keys[len(keys)-1]
	var found []string
	for _, key := range keys {
		node, ok := given[key]
		if !ok {
			continue
		}
		found = append(found, key)
		var text string
		p := join(path, key)
		d.value(node, p, fieldOf(&text))
		if d.failed[p] {
			continue
		}
		ref := LiteralSecret(text)
		if key == fileKey {
			ref = FileSecret(resolvePath(d.dir, text))
		}
		switch _, err := ref.Get(); {
		case text == "":
			d.fail(p, "must not be empty")
		case text == redacted:
			d.fail(p, "%s stands for a secret that is not shown; give the secret or put it into a file named by %s", redacted, fileKey)
		case err != nil:
			d.fail(p, "%v", err)
		default:
			f.value.Set(reflect.ValueOf(ref))
		}
	}
	switch p := join(path, keys[0]); {
	case len(found) > 1:
		d.fail(join(path, fileKey), "give either %s or %s, not both", keys[0], fileKey)
	case len(found) == 0 && f.required != "" && len(keys) > 1:
		d.fail(p, "is missing; give %s here or in a file named by %s", f.required, fileKey)
	case len(found) == 0 && f.required != "":
		d.fail(p, "is missing; give %s", f.required)
	}
}

// source decodes a source's block; its type selects the options.
func (d *decoder) source(n *yaml.Node, path string, b *sourceBlock) {
	b.line = n.Line
	list := fields(reflect.ValueOf(b).Elem())
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "type" {
			if newOptions, ok := d.schema.Sources[n.Content[i+1].Value]; ok {
				b.options = newOptions()
				d.mapping(n, path, append(list, fields(reflect.ValueOf(b.options).Elem())...))
				return
			}
		}
	}
	// Without a known type only the common keys can be judged.
	common := *n
	common.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if slices.ContainsFunc(list, func(f field) bool { return f.key == n.Content[i].Value }) {
			common.Content = append(common.Content, n.Content[i], n.Content[i+1])
		}
	}
	d.mapping(&common, path, list)
	if p := join(path, "type"); !d.isFailed(p) {
		d.fail(p, "unknown type %q; use one of: %s", shorten(b.Type), strings.Join(d.schema.types(), ", "))
	}
}
