package rows

import (
	"fmt"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Markdown returns the reference of the fields of every kind.
func Markdown() string {
	var b strings.Builder
	for _, k := range record.Kinds() {
		fmt.Fprintf(&b, "### %s\n\n| field | type | required | meaning |\n|---|---|---|---|\n", k)
		for _, f := range Fields(k) {
			required := ""
			switch {
			case f.Empty:
				required = "the column"
			case f.Required:
				required = "yes"
			}
			meaning := f.Doc
			if f.Type == TypeChoice {
				meaning = strings.TrimSuffix("`"+strings.Join(f.Choices, "`, `")+"`; "+meaning, "; ")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, required, meaning)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
