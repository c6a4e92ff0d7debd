package policy

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// The patterns are written so that they do not match themselves.
func TestText(t *testing.T) {
	files := readTree(t).files
	for _, rule := range []struct {
		pattern *regexp.Regexp
		in      func(textFile) bool
		why     string
	}{
		{
			regexp.MustCompile(`(^|[\s"'(=:,])/(wor[k]|hom[e]|roo[t]|User[s])/[a-zA-Z]`), everywhere,
			"a path of one machine means nothing on another",
		},
		{
			regexp.MustCompile(`\b(TOD[O]|FIXM[E])\b`), isGo,
			"what is not done is an issue, not a comment",
		},
		{
			regexp.MustCompile(`(?m)^(<<<<<<[<]|>>>>>>[>]) `), everywhere,
			"a conflict of a merge was left in",
		},
		{
			regexp.MustCompile(`(?i)-----BEGIN [A-Z ]*PRIVATE KE[Y]`), everywhere,
			"tests make their keys themselves",
		},
	} {
		for _, f := range files {
			if !rule.in(f) {
				continue
			}
			for _, at := range rule.pattern.FindAllStringIndex(f.text, -1) {
				t.Errorf("%s:%d: %q: %s", f.path, line(f.text, at[0]), f.text[at[0]:at[1]], rule.why)
			}
		}
	}
}

func everywhere(textFile) bool { return true }

func isGo(f textFile) bool { return path.Ext(f.path) == ".go" }

func line(text string, offset int) int { return strings.Count(text[:offset], "\n") + 1 }

var upwards = regexp.MustCompile(`(\.\./)+[\w.-][\w./-]*`)

// Tests may use what lies beside the repository where it is there; what is shipped
// cannot.
func TestPathsStayInside(t *testing.T) {
	found := 0
	for _, f := range readTree(t).files {
		if strings.HasSuffix(f.path, "_test.go") || strings.Contains(f.path, "/testdata/") {
			continue
		}
		for _, at := range upwards.FindAllStringIndex(f.text, -1) {
			found++
			p := f.text[at[0]:at[1]]
			if to := path.Join(path.Dir(f.path), p); strings.HasPrefix(to, "..") {
				t.Errorf("%s:%d: %s is outside the repository", f.path, line(f.text, at[0]), p)
			}
		}
	}
	if found == 0 {
		t.Error("no path found, though pages of docs link to each other")
	}
}
