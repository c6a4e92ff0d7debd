package config

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/currency"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// number is a decimal number as it is written, so that it stays exact.
type number string

var numberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// nodeKind returns the kind of node that a value is written as.
func nodeKind(v reflect.Value) yaml.Kind {
	switch v.Interface().(type) {
	case *time.Location, window.Span, SecretRef:
		return yaml.ScalarNode
	}
	if _, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return yaml.ScalarNode
	}
	switch v.Kind() {
	case reflect.Slice:
		return yaml.SequenceNode
	case reflect.Map, reflect.Struct:
		return yaml.MappingNode
	}
	return yaml.ScalarNode
}

// expected says what is to be written for a field.
func expected(f field) string {
	if len(f.enum) > 0 && f.value.Kind() == reflect.String {
		return "one of " + strings.Join(f.enum, ", ")
	}
	switch f.value.Interface().(type) {
	case time.Duration:
		return "a duration such as 26h"
	case window.Span:
		return "a duration such as 180d or 36h"
	case window.Name:
		return "a window such as 30d"
	case *time.Location:
		return "an IANA time zone such as Europe/Berlin"
	case record.Day:
		return "a date such as 2026-01-31"
	case number:
		return "a decimal number such as 1234.50"
	}
	if f.value.Kind() == reflect.Pointer {
		return expected(field{value: reflect.New(f.value.Type().Elem()).Elem(), enum: f.enum})
	}
	switch nodeKind(f.value) {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	switch f.value.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number such as 50"
	case reflect.Float64:
		return "a number such as 0.5"
	}
	return "a string"
}

// setScalar reads a scalar. Its errors quote the value, except where a string is
// expected: that may be a secret.
func setScalar(n *yaml.Node, f field) error {
	v, text := f.value, n.Value
	mismatch := func() error {
		found := strconv.Quote(shorten(text))
		if n.Tag != "!!str" {
			found = shorten(text)
		}
		return fmt.Errorf("expected %s, found %s", expected(f), found)
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		return assign(p, text, parseElapsed)
	case *window.Span:
		return assign(p, text, window.ParseSpan)
	case *window.Name:
		return assign(p, text, parseWindow)
	case **time.Location:
		return assign(p, text, parseZone)
	case *record.Day:
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return mismatch()
		}
		*p = record.DayOf(t)
	case *number:
		if !numberForm.MatchString(text) {
			return mismatch()
		}
		*p = number(text)
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	default:
		return setBasic(n, f, mismatch)
	}
	return nil
}

// assign sets *p to what text says and leaves its default where that is an error.
func assign[T any](p *T, text string, parse func(string) (T, error)) error {
	x, err := parse(text)
	if err == nil {
		*p = x
	}
	return err
}

// setBasic reads a value of a basic type.
func setBasic(n *yaml.Node, f field, mismatch func() error) error {
	v, text := f.value, n.Value
	switch v.Kind() {
	case reflect.String:
		// A number or a date is taken as it is written: an account is often a number.
		if n.Tag == "!!bool" {
			return fmt.Errorf("expected %s, found %s; quote it if it is meant as text", expected(f), text)
		}
		if len(f.enum) > 0 && !slices.Contains(f.enum, text) {
			return fmt.Errorf("expected %s, found %q", expected(f), shorten(text))
		}
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if n.Tag != "!!bool" || err != nil {
			return mismatch()
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		if n.Tag != "!!int" || err != nil || v.OverflowInt(i) {
			return mismatch()
		}
		v.SetInt(i)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if !numberForm.MatchString(text) || err != nil || math.IsInf(x, 0) {
			return mismatch()
		}
		v.SetFloat(x)
	default:
		panic(fmt.Sprintf("config: settings of type %s are not supported", v.Type()))
	}
	return nil
}

// parseElapsed reads a duration of hours, minutes and seconds.
func parseElapsed(text string) (time.Duration, error) {
	s, err := window.ParseSpan(text)
	if err != nil || s.Days > 0 {
		return 0, fmt.Errorf("expected a duration in hours, minutes and seconds such as 26h or 1h30m, found %q", shorten(text))
	}
	return s.Elapsed, nil
}

func parseWindow(text string) (window.Name, error) {
	n, err := window.ParseName(text)
	if err != nil {
		return "", fmt.Errorf("unknown window %q; use one of: %s", shorten(text), strings.Join(windowNames(), ", "))
	}
	return n, nil
}

// parseZone reads the name of a time zone. Local is refused: what it means
// depends on the machine.
func parseZone(text string) (*time.Location, error) {
	const usage = "use an IANA time zone such as Europe/Berlin or UTC"
	switch text {
	case "":
		return nil, errors.New("must not be empty; " + usage)
	case "Local":
		return nil, errors.New("the time zone Local differs between machines; " + usage)
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q; %s", shorten(text), usage)
	}
	return zone, nil
}

// checkCurrency returns an error for what is not a currency's code.
func checkCurrency(code string) error {
	if _, err := currency.ParseISO(code); err != nil || code != strings.ToUpper(code) || code == "XXX" || code == "XTS" {
		return fmt.Errorf("unknown currency %q; use an ISO 4217 code in upper case such as EUR", shorten(code))
	}
	return nil
}

func windowNames() []string {
	var names []string
	for _, n := range window.Names() {
		names = append(names, string(n))
	}
	return names
}

// shorten cuts a text for an error.
func shorten(text string) string {
	const limit = 60
	if r := []rune(text); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return text
}
