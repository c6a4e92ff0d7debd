package sql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

const (
	mask       = "[redacted]"
	maxMessage = 300
	// hidden stands for what a server says that may quote values of rows.
	hidden = " (what the server says is not shown, because it may hold values of rows; run the query by hand)"
)

var address = regexp.MustCompile(`[\w.+%-]+@[\w-]+(\.[\w-]+)+`)

// shownError is an error whose text can be shown. The error that it stands for is found by
// errors.Is and not printed.
type shownError struct {
	text string
	err  error
}

func (e *shownError) Error() string { return e.text }

func (e *shownError) Is(target error) bool { return errors.Is(e.err, target) }

// failed describes an error of the driver: the query, what was tried, and what the
// server says, without credentials and values of rows.
func (s *Source) failed(ctx context.Context, db *database, q query, action string, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		return fmt.Errorf("%s: %s: not done after the timeout of %v; make the query faster or the timeout longer: %w", q.name, action, s.options.timeout(), ctx.Err())
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %s: %w", q.name, action, ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded): // of the connection, which the driver takes from ctx or the DSN
		return fmt.Errorf("%s: %s: no answer within the timeout of %v, or the driver's own; make the query faster or the timeouts longer: %w",
			q.name, action, s.options.timeout(), os.ErrDeadlineExceeded)
	}
	text, ok := s.engine.explain(err)
	if !ok {
		text = err.Error()
	}
	return fmt.Errorf("%s: %s: %w", q.name, action, &shownError{text: db.redact(text), err: err})
}

// redact returns text on one line, without credentials and addresses.
func (db *database) redact(text string) string {
	for _, secret := range db.secrets {
		if len(secret) >= 4 { // without every "a" nothing could be read
			text = strings.ReplaceAll(text, secret, mask)
		}
	}
	text = address.ReplaceAllString(text, "[address]")
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "..."
	}
	return text
}

// showsNoValues reports whether the messages of an error's SQLSTATE are about the query,
// the server or who may do what; those of the others may quote what a row holds.
func showsNoValues(sqlState string) bool {
	classes := []string{"08", "0A", "21", "25", "26", "28", "34", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "70"}
	return len(sqlState) == 5 && slices.Contains(classes, sqlState[:2])
}
