package rows

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// LocalTime is a date and a clock without a zone, as databases have them: what the time
// shows in its own location counts, and is read as a time of Config.Timezone.
type LocalTime time.Time

// cell is the value of a column in a row. It is null where text is empty and there is no list.
type cell struct {
	text string // of all but lists, as it would be written
	form form
	at   time.Time // of formMoment, formLocal and formDate
	list []string
}

// form says what a cell was before it was text.
type form int

const (
	formText form = iota
	formMoment
	formLocal
	formDate
	formNumber
	formFloat
	formList
)

func (c cell) isNull() bool { return c.text == "" && len(c.list) == 0 }

// row is a row of text or of values.
type row struct {
	texts  []string
	values []any
}

func (r row) width() int { return max(len(r.texts), len(r.values)) }

func (r row) cell(column int) (cell, *problem) {
	if r.values == nil {
		return cell{text: strings.TrimSpace(r.texts[column])}, nil
	}
	return cellOf(r.values[column])
}

// cellOf returns the cell of a value as ConvertValues takes it.
func cellOf(value any) (cell, *problem) {
	switch v := value.(type) {
	case nil:
		return cell{}, nil
	case string:
		return cell{text: strings.TrimSpace(v)}, nil
	case []byte:
		return cell{text: strings.TrimSpace(string(v))}, nil
	case json.Number:
		return cell{text: v.String(), form: formNumber}, nil
	case decimal.Decimal:
		return cell{text: v.String(), form: formNumber}, nil
	case *big.Int:
		return cell{text: v.String(), form: formNumber}, nil
	case time.Time:
		return cell{text: v.UTC().Format(time.RFC3339Nano), form: formMoment, at: v}, nil
	case LocalTime:
		t := time.Time(v)
		return cell{text: t.Format("2006-01-02T15:04:05.999999999"), form: formLocal, at: t}, nil
	case record.Day:
		year, month, day := v.Date()
		return cell{text: v.String(), form: formDate, at: time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}, nil
	case map[string]any:
		return cell{}, &problem{reason: ReasonValue, detail: "is an object; map one of its fields"}
	}
	return cellByKind(reflect.ValueOf(value))
}

func cellByKind(v reflect.Value) (cell, *problem) {
	switch v.Kind() {
	case reflect.Bool:
		return cell{text: strconv.FormatBool(v.Bool())}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return cell{text: strconv.FormatInt(v.Int(), 10), form: formNumber}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return cell{text: strconv.FormatUint(v.Uint(), 10), form: formNumber}, nil
	case reflect.Float32, reflect.Float64:
		f, bits := v.Float(), v.Type().Bits()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return cell{}, &problem{reason: ReasonAmount, detail: "is not a finite number"}
		}
		return cell{text: strconv.FormatFloat(f, 'f', -1, bits), form: formFloat}, nil
	case reflect.String:
		return cell{text: strings.TrimSpace(v.String())}, nil
	case reflect.Pointer:
		if v.IsNil() {
			return cell{}, nil
		}
		return cellOf(v.Elem().Interface())
	case reflect.Slice:
		list := make([]string, 0, v.Len())
		for i := range v.Len() {
			element, bad := cellOf(v.Index(i).Interface())
			if bad != nil || element.form == formList {
				return cell{}, &problem{reason: ReasonValue, detail: "is a list of more than single values"}
			}
			if !element.isNull() {
				list = append(list, element.text)
			}
		}
		return cell{form: formList, list: list}, nil
	}
	return cell{}, &problem{reason: ReasonValue, detail: fmt.Sprintf("is of the type %s, which no field takes", v.Type())}
}

// fits refuses values that a field of a type must not be made of.
func (c cell) fits(t Type) *problem {
	switch {
	case c.form == formList && t != TypeList:
		return &problem{reason: ReasonValue, detail: "is a list; map one of its elements"}
	case c.form == formFloat && t == TypeAmount:
		return &problem{reason: ReasonAmount, detail: "is a floating-point number, which is not exact; cast it to a decimal type in the query"}
	}
	return nil
}
