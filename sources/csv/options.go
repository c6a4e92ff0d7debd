package csv

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
)

// Options are the settings of a source of type csv.
type Options struct {
	Files []File `yaml:"files" required:"the files to read"`
}

// File says which files hold records of one kind, and how.
type File struct {
	// Path is a path or a glob pattern as of filepath.Match.
	Path string `yaml:"path"`
	// Delimiter is the character between columns.
	Delimiter string `yaml:"delimiter"`
	// Encoding is the character encoding of files without a byte order mark, by its IANA
	// or WHATWG name; empty: UTF-8.
	Encoding string `yaml:"encoding"`

	// The URL of a single file, in place of Path.
	endpoint.Options `yaml:",inline"`

	rows.Config `yaml:",inline"`
}

// Validate reports what is wrong and makes the paths absolute.
func (o *Options) Validate(v *config.Validator) {
	for i := range o.Files {
		f := &o.Files[i]
		f.Path = v.Path(f.Path)
		for _, p := range f.problems() {
			v.Errorf(strings.TrimSuffix(fmt.Sprintf("files[%d].%s", i, p.Path), "."), "%s", p.Text)
		}
	}
}

func (f File) problems() []rows.Problem {
	problems := f.Config.Validate()
	switch fromURL := f.Options.IsSet(); {
	case fromURL && f.Path != "":
		problems = append(problems, rows.Problem{Path: "path", Text: "give either path, or url and its options"})
	case fromURL:
		problems = append(problems, f.Options.Problems()...)
	case f.Path == "":
		problems = append(problems, rows.Problem{Path: "path", Text: "is missing; give a path or a glob pattern, or a url"})
	}
	if _, err := filepath.Match(f.Path, ""); err != nil {
		problems = append(problems, rows.Problem{Path: "path", Text: fmt.Sprintf("%q is no glob pattern: %v", f.Path, err)})
	}
	if _, err := f.comma(); err != nil {
		problems = append(problems, rows.Problem{Path: "delimiter", Text: err.Error()})
	}
	if _, err := f.charset(); err != nil {
		problems = append(problems, rows.Problem{Path: "encoding", Text: err.Error()})
	}
	return problems
}

// name returns what the entry is called in messages.
func (f File) name() string {
	if f.Path != "" {
		return f.Path
	}
	return f.Options.Name()
}

func (f File) comma() (rune, error) {
	if f.Delimiter == "" {
		return ',', nil
	}
	r, size := utf8.DecodeRuneInString(f.Delimiter)
	if size != len(f.Delimiter) || r == utf8.RuneError || r == '"' || r == '\r' || r == '\n' {
		return 0, fmt.Errorf(`%q is not one character such as ";" or "\t", in double quotes`, f.Delimiter)
	}
	return r, nil
}

// charset returns the encoding of the files; nil for UTF-8.
func (f File) charset() (encoding.Encoding, error) {
	if f.Encoding == "" {
		return nil, nil
	}
	e, err := htmlindex.Get(f.Encoding)
	if err != nil {
		e, err = ianaindex.IANA.Encoding(f.Encoding)
	}
	switch {
	case err != nil || e == nil || e == encoding.Replacement:
		return nil, fmt.Errorf("%q is no known encoding such as utf-8, windows-1252 or utf-16", f.Encoding)
	case e == unicode.UTF8:
		return nil, nil
	}
	return e, nil
}

// check reports the first mistake: for options that no configuration file holds.
func (o Options) check() error {
	if len(o.Files) == 0 {
		return errors.New("there are no files")
	}
	for i, f := range o.Files {
		for _, p := range f.problems() {
			return fmt.Errorf("files[%d].%s: %s", i, p.Path, p.Text)
		}
	}
	return nil
}
