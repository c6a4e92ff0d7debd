package record_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// exact compares records with their Amounts, Instants and Decimals by value.
var exact = cmpopts.EquateComparable(record.Amount{}, record.Instant{}, record.Decimal{}, record.Hash{})

// fill sets every exported field below v to a value of its own, made from n.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(t, v.Field(i), n)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), n)
		fill(t, v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d ü", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(-1_000_003 * *n))
	case reflect.Uint8:
		v.SetUint(uint64(*n%200 + 1))
	default:
		t.Fatalf("a record has a field of type %s, which this test cannot fill", v.Type())
	}
}

// filled returns a record of kind k in which no field is null.
func filled(t *testing.T, k record.Kind) record.Record {
	t.Helper()
	r := record.New(k)
	if r == nil || r.RecordKind() != k {
		t.Fatalf("New(%q) is %v", k, r)
	}
	n := 0
	fill(t, reflect.ValueOf(r).Elem(), &n)
	return r
}

func newCodec(t testing.TB) *record.Codec {
	t.Helper()
	c, err := record.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withoutPlain empties what sealing empties and bytes do not hold.
func withoutPlain(r record.Record, id string) {
	*r.RecordMeta() = record.Meta{ID: id}
	strip := func(v reflect.Value) {
		switch x := v.Addr().Interface().(type) {
		case *record.Keys:
			*x = record.Keys{Sealed: x.Sealed}
		case *record.Ref:
			*x = record.Ref{Sealed: x.Sealed}
		}
	}
	for v, i := reflect.ValueOf(r).Elem(), 0; i < v.NumField(); i++ {
		strip(v.Field(i))
	}
}

func TestCodecRoundTrip(t *testing.T) {
	codec := newCodec(t)
	for _, k := range record.Kinds() {
		for name, want := range map[string]record.Record{"full": filled(t, k), "empty": record.New(k)} {
			t.Run(fmt.Sprintf("%s/%s", k, name), func(t *testing.T) {
				b, err := codec.Encode(want)
				if err != nil {
					t.Fatal(err)
				}
				got, err := codec.Decode(k, "the id", b)
				if err != nil {
					t.Fatal(err)
				}
				withoutPlain(want, "the id")
				if diff := cmp.Diff(want, got, exact); diff != "" {
					t.Errorf("decoded (-want +got):\n%s", diff)
				}
				again, err := codec.Encode(got)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(b, again) {
					t.Errorf("an equal record has other bytes:\n%x\n%x", b, again)
				}
			})
		}
	}
}

// Every field counts: a record that differs in one has other bytes.
func TestCodecTellsFieldsApart(t *testing.T) {
	codec := newCodec(t)
	for _, k := range record.Kinds() {
		full, err := codec.Encode(filled(t, k))
		if err != nil {
			t.Fatal(err)
		}
		typ := reflect.TypeOf(record.New(k)).Elem()
		for i := range typ.NumField() {
			if typ.Field(i).Name == "Meta" {
				continue
			}
			r := filled(t, k)
			reflect.ValueOf(r).Elem().Field(i).SetZero()
			b, err := codec.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(b, full) {
				t.Errorf("%s: without %s the bytes are the same", k, typ.Field(i).Name)
			}
		}
	}
}

func TestCodecKeepsZeroApartFromNull(t *testing.T) {
	codec := newCodec(t)
	for name, pair := range map[string][2]record.Record{
		"amount":    {&record.Order{}, &record.Order{Gross: record.Micros(0)}},
		"1970":      {&record.Order{}, &record.Order{PlacedAt: record.OnDate(0)}},
		"zero rate": {&record.Rate{}, &record.Rate{PerReference: record.Decimal{Known: true}}},
		"no end":    {&record.Cost{}, &record.Cost{To: record.NoDay}},
	} {
		null, err := codec.Encode(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		zero, err := codec.Encode(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(null, zero) {
			t.Errorf("%s: zero and null have the same bytes", name)
		}
		got, err := codec.Decode(pair[1].RecordKind(), "", zero)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pair[1], got, exact); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A vendor's text is not always UTF-8. What has been written must stay readable:
// else the record could neither be changed nor derived from again.
func TestCodecKeepsAnyText(t *testing.T) {
	codec := newCodec(t)
	for _, text := range []string{"\xd6sterreich", "a\x00b", "\xed\xa0\x80", "\uFFFD", strings.Repeat("x", 1<<16)} {
		b, err := codec.Encode(&record.Order{Country: text})
		if err != nil {
			t.Fatal(err)
		}
		got, err := codec.Decode(record.KindOrder, "1", b)
		if err != nil {
			t.Errorf("%.20q: %v", text, err)
			continue
		}
		if country := got.(*record.Order).Country; country != text {
			t.Errorf("country is %.20q, want %.20q", country, text)
		}
	}
}

func TestCodecRefuses(t *testing.T) {
	codec := newCodec(t)
	if _, err := codec.Decode("parcel", "1", []byte{0xa0}); err == nil || !strings.Contains(err.Error(), "parcel") {
		t.Errorf("an unknown kind: %v", err)
	}
	whole, err := codec.Encode(filled(t, record.KindDeal))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "another type": {0x01}, "cut": whole[:len(whole)/2], "more": append(bytes.Clone(whole), 0),
	} {
		if got, err := codec.Decode(record.KindDeal, "1", data); err == nil {
			t.Errorf("%s: decoded to %+v", name, got)
		}
	}
}
