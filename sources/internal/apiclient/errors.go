package apiclient

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Failure is what is known about a request that the vendor refused. Nothing in it
// holds a credential.
type Failure struct {
	// Endpoint is the request's method and path, without its query.
	Endpoint string
	// Status is the HTTP status; 200 for errors that the vendor puts into a success.
	Status int
	// Code is the vendor's own code for the error; empty where it gave none.
	Code string
	// RequestID is what the vendor's support asks for; empty where it gave none.
	RequestID string
	// Message is the vendor's text, redacted and cut to 300 bytes.
	Message string
}

func (f Failure) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "status %d", f.Status)
	if f.Code != "" {
		fmt.Fprintf(&b, ", code %s", f.Code)
	}
	if f.RequestID != "" {
		fmt.Fprintf(&b, ", request ID %s", f.RequestID)
	}
	if f.Message != "" {
		fmt.Fprintf(&b, ": %s", f.Message)
	}
	return b.String()
}

// APIError is a refusal that is none of the other types: a bad request, a missing
// object, a server error that outlasted the retries.
type APIError struct{ Failure }

func (e *APIError) Error() string { return e.Endpoint + ": " + e.describe() }

// AuthError says that the vendor does not accept the credentials, or that there are
// none to send (then Status is 0 and Err says why).
type AuthError struct {
	Failure
	Err error
}

func (e *AuthError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: get credentials: %v", e.Endpoint, e.Err)
	}
	return fmt.Sprintf("%s: the credentials were refused (%s); check that they are complete, not expired and not revoked",
		e.Endpoint, e.describe())
}

func (e *AuthError) Unwrap() error { return e.Err }

// ScopeError says that the credentials are good but lack a permission.
type ScopeError struct {
	Failure
	// Scope is the missing permission in the vendor's words; empty where it is not told.
	Scope string
}

func (e *ScopeError) Error() string {
	scope := "a permission that this needs"
	if e.Scope != "" {
		scope = "the permission " + e.Scope
	}
	return fmt.Sprintf("%s: the credentials lack %s (%s); grant it, or switch the stream off", e.Endpoint, scope, e.describe())
}

// RateLimitedError says that no request can succeed before Until: whoever schedules
// requests waits, not the request.
type RateLimitedError struct {
	Failure
	Until time.Time
	// Quota names the limit that is used up; empty where the vendor does not say.
	Quota string
}

func (e *RateLimitedError) Error() string {
	text := e.Endpoint + ": rate limited"
	if e.Quota != "" {
		text += " by the limit " + e.Quota
	}
	text += " until " + e.Until.UTC().Format(time.RFC3339)
	if e.Status != 0 {
		text += " (" + e.describe() + ")"
	}
	return text
}

// RetryAt returns when a request can succeed again, for whoever schedules requests.
func (e *RateLimitedError) RetryAt() time.Time { return e.Until }

// TruncatedError says that an answer ended before it was complete.
type TruncatedError struct {
	Endpoint string
	// Read counts the bytes that arrived.
	Read int64
	// Detail says how it was noticed.
	Detail string
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("%s: the answer was cut short after %d bytes: %s", e.Endpoint, e.Read, e.Detail)
}

// FormatError says that an answer is not what the API promises, such as an HTML page
// of a proxy or a login form instead of JSON.
type FormatError struct {
	Endpoint    string
	ContentType string
	Detail      string
}

func (e *FormatError) Error() string {
	text := e.Endpoint + ": unexpected answer: " + e.Detail
	if e.ContentType != "" {
		text += " (content type " + e.ContentType + ")"
	}
	return text + "; check the source's url and what stands between it and the exporter"
}

// LoopError says that a vendor's paging returned to a page that was read already.
type LoopError struct {
	// Pages counts the pages that were read before.
	Pages int
}

func (e *LoopError) Error() string {
	return fmt.Sprintf("the paging does not end: the cursor after page %d was met before", e.Pages)
}

// typed reports whether err holds an error of this package, which is redacted already.
func typed(err error) bool {
	for _, is := range []func(error) bool{
		is[*APIError], is[*AuthError], is[*ScopeError], is[*RateLimitedError], is[*TruncatedError], is[*FormatError],
	} {
		if is(err) {
			return true
		}
	}
	return false
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
