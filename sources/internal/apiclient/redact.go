package apiclient

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	mask       = "[redacted]"
	maxMessage = 300
	// minSecret is the shortest text that is taken for a secret: masking every "a" would
	// leave nothing of a message.
	minSecret = 4
	// maxSecrets bounds what is remembered; access tokens change for as long as a process runs.
	maxSecrets = 64
)

// redactor removes credentials, queries of URLs and e-mail addresses from text.
type redactor struct {
	mu      sync.Mutex
	secrets []string
	queries *regexp.Regexp
	address *regexp.Regexp
}

func newRedactor() *redactor {
	return &redactor{
		queries: regexp.MustCompile(`(https?://[^\s"'?]*)\?[^\s"']*`),
		address: regexp.MustCompile(`[\w.+%-]+@[\w-]+(\.[\w-]+)+`),
	}
}

// add remembers secrets in all the spellings in which a vendor or a library may echo them.
func (r *redactor) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if len(s) < minSecret || slices.Contains(r.secrets, s) {
			continue
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			quoted = nil
		}
		for _, spelling := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`), base64.StdEncoding.EncodeToString([]byte(s)),
		} {
			if spelling != "" && !slices.Contains(r.secrets, spelling) {
				r.secrets = append(r.secrets, spelling)
			}
		}
	}
	if extra := len(r.secrets) - maxSecrets; extra > 0 {
		r.secrets = slices.Delete(r.secrets, 0, extra)
	}
}

// text returns s without what must not be printed.
func (r *redactor) text(s string) string {
	r.mu.Lock()
	// The longest first: a secret may be part of another one's spelling.
	secrets := slices.SortedFunc(slices.Values(r.secrets), func(a, b string) int { return len(b) - len(a) })
	r.mu.Unlock()
	for _, secret := range secrets {
		s = strings.ReplaceAll(s, secret, mask)
	}
	s = r.queries.ReplaceAllString(s, "$1?"+mask)
	return r.address.ReplaceAllString(s, "[address]")
}

// message returns a vendor's text, redacted, on one line and bounded.
func (r *redactor) message(s string) string {
	s = strings.Join(strings.Fields(r.text(s)), " ")
	if len(s) <= maxMessage {
		return s
	}
	s = s[:maxMessage]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "..."
}

// err returns an error with err's redacted text, that errors.Is finds the same
// sentinels in, and that holds no *url.Error: that one prints the whole URL.
func (r *redactor) err(err error) error {
	for urlErr, ok := errors.AsType[*url.Error](err); ok; urlErr, ok = errors.AsType[*url.Error](err) {
		err = urlErr.Err
	}
	if err == nil || typed(err) {
		return err
	}
	return &redactedError{text: r.text(err.Error()), err: err}
}

// redactedError hides the wrapped error from errors.As and from printing, not from
// errors.Is.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }
