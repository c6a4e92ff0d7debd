package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
)

const (
	redacted       = "<secret>"
	fileSuffix     = "_file"
	maxSecretBytes = 1 << 20
)

// Secret is a text that must not be shown. It has no form other than Reveal in
// which it can be read: printed, logged or marshalled it is <secret>.
type Secret struct {
	// A pointer, because fmt prints unexported fields of other structs without asking
	// for their methods.
	text *string
}

// NewSecret returns text as a secret.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Secret) MarshalYAML() (any, error)    { return redacted, nil }

// SecretRef is a secret that stands in the configuration or in a file that the
// configuration names. As an option with the key KEY it is written as KEY or as
// KEY_file; where the tag's key ends in _file itself, only as a file.
type SecretRef struct {
	literal Secret
	file    string
}

// LiteralSecret returns a reference to the text itself.
func LiteralSecret(text string) SecretRef { return SecretRef{literal: NewSecret(text)} }

// FileSecret returns a reference to the content of the file at path.
func FileSecret(path string) SecretRef { return SecretRef{file: path} }

// IsSet reports whether a secret or its file was given.
func (s SecretRef) IsSet() bool { return s.file != "" || s.literal.text != nil }

// Get returns the secret. A file is read each time, so that a rotated secret is
// seen; the newline at its end is not part of the secret. The error names the
// file and the reason.
func (s SecretRef) Get() (Secret, error) {
	if s.file == "" {
		return s.literal, nil
	}
	text, err := readSecret(s.file)
	if err != nil {
		return Secret{}, fmt.Errorf("read the secret file %s: %w", s.file, err)
	}
	return NewSecret(text), nil
}

func readSecret(path string) (string, error) {
	// What is no regular file (a pipe) may block or give its content only once.
	switch info, err := os.Stat(path); {
	case err != nil:
		return "", reason(err)
	case info.IsDir():
		return "", errors.New("it is a directory; name the file in it")
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case info.Size() > maxSecretBytes:
		return "", fmt.Errorf("it is larger than %d bytes", maxSecretBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", reason(err)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return "", errors.New("it is empty; write the secret into it")
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// reason returns err without the path, which the caller gives.
func reason(err error) error {
	pathErr, ok := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it does not exist; create it or correct the path")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission denied; let the exporter's user read it")
	case ok:
		return pathErr.Err
	}
	return err
}

// String returns where the secret is, never the secret.
func (s SecretRef) String() string {
	switch {
	case s.file != "":
		return "file " + s.file
	case s.IsSet():
		return redacted
	}
	return ""
}

func (s SecretRef) GoString() string             { return s.String() }
func (s SecretRef) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, s.String()) }
func (s SecretRef) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s SecretRef) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
func (s SecretRef) MarshalYAML() (any, error)    { return s.String(), nil }

// File returns the path of the file that holds the secret; empty where none does.
func (s SecretRef) File() string { return s.file }
