package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Redacted returns the configuration in effect, defaults included, as YAML that
// can be loaded again once each <secret> is replaced by the secret. Secrets from
// files are shown as the files' paths.
func (c *Config) Redacted() ([]byte, error) {
	node, err := encodeStruct(fields(reflect.ValueOf(c.file).Elem()), fields(reflect.ValueOf(defaultFile()).Elem()), c.schema)
	if err != nil {
		return nil, fmt.Errorf("show the configuration: %w", err)
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return nil, fmt.Errorf("show the configuration: %w", err)
	}
	return text, nil
}

// encodeStruct encodes the fields that are not empty or whose default is not.
func encodeStruct(list, defaults []field, schema Schema) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i, f := range list {
		if f.value.IsZero() && (defaults[i].value.IsZero() || f.value.Kind() == reflect.Pointer) {
			continue
		}
		if ref, ok := reflect.TypeAssert[SecretRef](f.value); ok {
			key, text := f.key, redacted
			if ref.file != "" {
				keys := f.keys()
				key, text = keys[len(keys)-1], ref.file
			}
			n.Content = append(n.Content, stringNode(key), stringNode(text))
			continue
		}
		value, err := encode(f.value, defaults[i].value, schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.key, err)
		}
		n.Content = append(n.Content, stringNode(f.key), value)
	}
	return n, nil
}

func encode(v, byDefault reflect.Value, schema Schema) (*yaml.Node, error) {
	switch x := v.Interface().(type) {
	case sourceBlock:
		list, defaults := fields(v), fields(reflect.ValueOf(&sourceBlock{}).Elem())
		list = append(list, fields(reflect.ValueOf(x.options).Elem())...)
		defaults = append(defaults, fields(reflect.ValueOf(schema.Sources[x.Type]()).Elem())...)
		return encodeStruct(list, defaults, schema)
	case number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(x)}, nil
	case time.Duration:
		return stringNode(window.Span{Elapsed: x}.String()), nil
	case *time.Location:
		return stringNode(x.String()), nil
	case window.Span:
		return stringNode(x.String()), nil
	case record.Day:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: x.String()}, nil
	}
	if x, ok := reflect.TypeAssert[encoding.TextMarshaler](v.Addr()); ok {
		text, err := x.MarshalText()
		return stringNode(string(text)), err
	}
	element := func() reflect.Value { return reflect.New(v.Type().Elem()).Elem() }
	switch v.Kind() {
	case reflect.Pointer:
		return encode(v.Elem(), element(), schema)
	case reflect.Struct:
		return encodeStruct(fields(v), fields(byDefault), schema)
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			item, err := encode(v.Index(i), element(), schema)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		return n, nil
	case reflect.Map:
		n := &yaml.Node{Kind: yaml.MappingNode}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			item := element()
			item.Set(v.MapIndex(key))
			value, err := encode(item, element(), schema)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, stringNode(key.String()), value)
		}
		return n, nil
	}
	n := &yaml.Node{}
	err := n.Encode(v.Interface())
	return n, err
}

func stringNode(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}
