package apiclient

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Class is what an answer means for the request.
type Class int

// The classes of answers.
const (
	ClassOK        Class = iota
	ClassRetry           // a fault of the server that may pass
	ClassThrottled       // too many requests
	ClassAuth            // the credentials were refused: they are refreshed once
	ClassScope           // the credentials lack a permission
	ClassPermanent       // the same request would fail again
)

// Verdict is a source's reading of an answer. What it leaves empty is filled from
// the status, the headers and the usual places of a JSON body.
type Verdict struct {
	Class Class
	// RetryAfter is how long the vendor asks to wait; the header Retry-After where zero.
	RetryAfter time.Duration
	// Quota names the limit that was exceeded.
	Quota string
	// Scope names the missing permission.
	Scope string
	// Code and Message are the vendor's; RequestID is what its support asks for.
	Code, Message, RequestID string
}

// Response is an answer that was read as a whole. While a stream is classified, Body
// holds only its beginning.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Decoded is what the body was decoded into, the value that Client.JSON was given; nil
	// where there is none, or the body does not fit it. With it a source that classifies by the body need not
	// parse that once more.
	Decoded any
}

// ClassifyStatus reads an answer by its status alone: what a source falls back to
// after it has looked for its vendor's own signs.
func ClassifyStatus(r *Response) Verdict {
	switch s := r.Status; {
	case s >= 200 && s < 300, s == http.StatusNotModified:
		return Verdict{Class: ClassOK}
	case s == http.StatusUnauthorized:
		return Verdict{Class: ClassAuth}
	case s == http.StatusForbidden:
		return Verdict{Class: ClassScope}
	case s == http.StatusTooManyRequests:
		return Verdict{Class: ClassThrottled}
	case s == http.StatusRequestTimeout, s >= 500 && s != http.StatusNotImplemented:
		return Verdict{Class: ClassRetry}
	}
	return Verdict{Class: ClassPermanent}
}

// failure completes a verdict's description of what went wrong.
func (c *Client) failure(endpoint string, r *Response, v Verdict) Failure {
	f := Failure{Endpoint: endpoint, Status: r.Status, Code: v.Code, RequestID: v.RequestID, Message: v.Message}
	if f.Message == "" || f.Code == "" {
		code, message := usualError(r)
		if f.Message == "" {
			f.Message = message
		}
		if f.Code == "" {
			f.Code = code
		}
	}
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Trace-Id", "Cf-Ray"} {
		if f.RequestID == "" {
			f.RequestID = r.Header.Get(name)
		}
	}
	f.Code, f.RequestID, f.Message = c.redact.message(f.Code), c.redact.message(f.RequestID), c.redact.message(f.Message)
	return f
}

// usualError looks for an error's code and text where most vendors put them.
func usualError(r *Response) (code, message string) {
	if isHTML(r) {
		return "", "an HTML page"
	}
	var body any
	if json.Unmarshal(trimBOM(r.Body), &body) != nil {
		return "", ""
	}
	// The body may be the error, hold it, or be a list of errors; two levels are enough
	// for every vendor known.
	for range 3 {
		switch b := body.(type) {
		case []any:
			if len(b) == 0 {
				return code, message
			}
			body = b[0]
		case map[string]any:
			for _, key := range []string{"code", "error", "errorCode", "error_code", "type", "title"} {
				if s, ok := b[key].(string); ok && code == "" {
					code = s
				}
			}
			for _, key := range []string{"message", "error_description", "detail", "error", "errors", "title"} {
				if s, ok := b[key].(string); ok && message == "" {
					message = s
				}
			}
			if b["error"] == nil && b["errors"] == nil {
				return code, message
			}
			if body = b["error"]; body == nil {
				body = b["errors"]
			}
		case string:
			if message == "" {
				message = b
			}
			return code, message
		default:
			return code, message
		}
	}
	return code, message
}

func isHTML(r *Response) bool {
	if strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "html") {
		return true
	}
	start := bytes.ToLower(trimBOM(r.Body[:min(len(r.Body), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}
