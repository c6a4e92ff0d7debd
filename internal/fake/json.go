package fake

import (
	"encoding/json"
	"strings"
)

// AppendText appends s as a JSON string, for the fakes that write their records as text.
func AppendText(b []byte, s string) []byte {
	special := func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }
	if !strings.ContainsFunc(s, special) { // as nearly all texts are
		return append(append(append(b, '"'), s...), '"')
	}
	text, _ := json.Marshal(s) // strings always marshal
	return append(b, text...)
}
