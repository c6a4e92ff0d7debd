package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Problem is one error of a configuration file.
type Problem struct {
	File    string
	Line    int    // 0 where it is not known
	Path    string // the field, such as sources[1].files[0].path; empty for the file itself
	Message string // what is wrong and what to do
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Errors are all the errors of a configuration file, by line.
type Errors struct{ Problems []Problem }

// Error returns one problem per line.
func (e *Errors) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Validator collects what is wrong with a part of the configuration.
type Validator struct {
	report *report
	dir    string // of the configuration file, absolute
	prefix string // the path of the part
}

// Errorf reports an error of the field at path, which is relative to the
// source's block: "files[0].path". The line is that of the field, or of what
// should hold it. Fields that could not be read are reported already: errors
// about them are dropped.
func (v *Validator) Errorf(path, format string, args ...any) {
	full := join(v.prefix, path)
	if v.report.isFailed(full) {
		return
	}
	v.report.add(v.report.line(full), full, format, args...)
}

// Path returns the absolute form of a path or glob pattern given in the
// configuration: relative ones are taken from the directory of the
// configuration file. An empty path stays empty.
func (v *Validator) Path(path string) string { return resolvePath(v.dir, path) }

func resolvePath(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// report collects problems and knows the lines of the fields.
type report struct {
	file     string
	lines    map[string]int
	failed   map[string]bool // fields whose value could not be read
	problems []Problem
}

func newReport(file string) *report {
	return &report{file: file, lines: map[string]int{}, failed: map[string]bool{}}
}

func (r *report) add(line int, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: line, Path: path, Message: fmt.Sprintf(format, args...),
	})
}

// fail reports that the value at path could not be read.
func (r *report) fail(path, format string, args ...any) {
	r.failed[path] = true
	r.add(r.line(path), path, format, args...)
}

// isFailed reports whether path, what holds it or one of its own fields could
// not be read.
func (r *report) isFailed(path string) bool {
	for p := path; ; p = parent(p) {
		if r.failed[p] {
			return true
		}
		if p == "" {
			break
		}
	}
	for p := range r.failed {
		if p != "" && parent(p) == path {
			return true
		}
	}
	return false
}

// line returns the line of path or of the nearest field that holds it.
func (r *report) line(path string) int {
	for {
		if line, ok := r.lines[path]; ok {
			return line
		}
		if path == "" {
			return 1
		}
		path = parent(path)
	}
}

func (r *report) errors() *Errors {
	slices.SortFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return &Errors{Problems: slices.Compact(r.problems)}
}

// join appends a key or a path to a path. Keys that would garble a line are quoted.
func join(path, key string) string {
	if key == "" || strings.ContainsFunc(key, func(c rune) bool { return !strconv.IsPrint(c) }) {
		key = strconv.Quote(key)
	}
	if path == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// maxMisspelt is from how many bytes on a word is no misspelling of a key.
const maxMisspelt = 64

// suggestion returns the candidate that word is probably a misspelling of, as a
// question, or else all of them.
func suggestion(word string, candidates []string) string {
	best, distance := "", max(1, len(word)/3)+1
	if len(word) > maxMisspelt {
		distance = 0
	}
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), c); d < distance && d < len(c) {
			best, distance = c, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "use one of: " + strings.Join(candidates, ", ")
}
