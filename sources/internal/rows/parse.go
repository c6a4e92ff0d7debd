package rows

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/currency"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// problem says why a row is rejected. field is empty where it is the field that
// is being set.
type problem struct{ reason, field, detail string }

// parser reads the text of cells.
type parser struct {
	time      timeReader
	comma     bool // amounts have a decimal comma
	separator string
	// currencies holds the spellings met that are codes: a code has few spellings.
	currencies map[string]string
	rounded    int // amounts rounded in the row
}

func (p *parser) amount(c cell) (record.Amount, *problem) {
	point := byte('.')
	if p.hasComma(c) {
		point = ','
	}
	if micros, ok := plainAmount(c.text, point); ok {
		return record.Micros(micros), nil
	}
	decimal, bad := p.decimal(c)
	if bad != nil {
		return record.Amount{}, bad
	}
	a, rounded, err := record.ParseAmount(decimal)
	if err != nil {
		return record.Amount{}, &problem{reason: ReasonAmount, detail: fmt.Sprintf("%s: %v", show(c.text), err)}
	}
	if rounded {
		p.rounded++
	}
	return a, nil
}

// number reads a decimal without an exponent.
func (p *parser) number(c cell) (record.Decimal, *problem) {
	decimal, bad := p.decimal(c)
	if bad != nil {
		return record.Decimal{}, bad
	}
	if strings.ContainsAny(decimal, "eE") {
		return record.Decimal{}, &problem{reason: ReasonAmount, detail: show(c.text) + " is not a decimal number"}
	}
	d, err := record.ParseDecimal(decimal)
	if err != nil {
		return record.Decimal{}, &problem{reason: ReasonAmount, detail: fmt.Sprintf("%s: %v", show(c.text), err)}
	}
	return d, nil
}

// hasComma reports whether a number in c has a decimal comma: what a database or JSON
// gives as a number never has.
func (p *parser) hasComma(c cell) bool { return p.comma && c.form == formText }

// decimal returns a number with a decimal point.
func (p *parser) decimal(c cell) (string, *problem) {
	if !p.hasComma(c) {
		return c.text, nil
	}
	if strings.Contains(c.text, ".") {
		return "", &problem{reason: ReasonAmount, detail: show(c.text) + ` has a point, and decimal is ","`}
	}
	return strings.Replace(c.text, ",", ".", 1), nil
}

// plainAmount reads what nearly all amounts look like, up to 12 digits of which at
// most 6 are decimals, without the allocations of an arbitrary decimal.
func plainAmount(text string, point byte) (micros int64, ok bool) {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) > 13 {
		return 0, false
	}
	count, decimals, seenPoint := 0, 0, false
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			micros = micros*10 + int64(c-'0')
			count++
			if seenPoint {
				decimals++
			}
		case c == point && !seenPoint:
			seenPoint = true
		default:
			return 0, false
		}
	}
	if count == 0 || count > 12 || decimals > 6 {
		return 0, false
	}
	for ; decimals < 6; decimals++ {
		micros *= 10
	}
	if len(digits) < len(text) {
		micros = -micros
	}
	return micros, true
}

func (p *parser) currency(text string) (string, *problem) {
	if code, ok := p.currencies[text]; ok {
		return code, nil
	}
	unit, err := currency.ParseISO(text)
	if err != nil {
		return "", &problem{reason: ReasonCurrency, detail: show(text) + " is not an ISO 4217 code such as EUR"}
	}
	p.currencies[strings.Clone(text)] = unit.String()
	return unit.String(), nil
}

func parseBool(text string) (bool, *problem) {
	switch strings.ToLower(text) {
	case "true", "1", "yes":
		return true, nil
	case "false", "0", "no":
		return false, nil
	}
	return false, &problem{reason: ReasonValue, detail: show(text) + " is none of true, false, 1, 0, yes, no"}
}

// show quotes a value of a field that holds nothing personal. A column mapped by
// mistake may, so that a long text or an address is not shown.
func show(text string) string {
	if n := utf8.RuneCountInString(text); n > 40 || strings.Contains(text, "@") {
		return fmt.Sprintf("a text of %d characters", n)
	}
	return strconv.Quote(text)
}
