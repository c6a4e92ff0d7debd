package ga4

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

type object = map[string]any

// fault is an answer that is an error.
type fault struct {
	status  int
	name    string
	message string
	reason  string // in the details
}

func invalid(format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, name: "INVALID_ARGUMENT", message: fmt.Sprintf(format, args...)}
}

func (f *fault) body() object {
	err := object{"code": f.status, "message": f.message, "status": f.name}
	if f.reason != "" {
		err["details"] = []object{{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": f.reason}}
	}
	return object{"error": err}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := http.StatusOK
	body, bad := s.answer(r)
	if bad != nil {
		status, body = bad.status, bad.body()
		if r.URL.Path == "/token" {
			body = object{"error": bad.name, "error_description": bad.message}
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // the client has gone
	}
}

func (s *Server) answer(r *http.Request) (object, *fault) {
	if r.URL.Path == "/token" {
		s.requests["token"]++
		return s.token(r)
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || s.Token != "" && token != s.Token {
		return nil, &fault{
			http.StatusUnauthorized, "UNAUTHENTICATED",
			"Request had invalid authentication credentials. Expected OAuth 2 access token.", "ACCESS_TOKEN_TYPE_UNSUPPORTED",
		}
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1beta/properties/")
	property, method, call := strings.Cut(rest, ":")
	if !ok || !call || r.Method != http.MethodPost {
		return nil, &fault{status: http.StatusNotFound, name: "NOT_FOUND", message: "Not found"}
	}
	if s.Property != "" && property != s.Property {
		return nil, &fault{
			status: http.StatusForbidden, name: "PERMISSION_DENIED",
			message: "User does not have sufficient permissions for this property.",
		}
	}
	s.requests[method]++
	switch method {
	case "runReport":
		var q query
		if bad := decode(r, &q); bad != nil {
			return nil, bad
		}
		return s.run(q)
	case "batchRunReports":
		return s.batch(r)
	}
	return nil, &fault{status: http.StatusNotFound, name: "NOT_FOUND", message: "no such method: " + method}
}

func (s *Server) batch(r *http.Request) (object, *fault) {
	var body struct {
		Requests []query `json:"requests"`
	}
	if bad := decode(r, &body); bad != nil {
		return nil, bad
	}
	if len(body.Requests) == 0 || len(body.Requests) > 5 {
		return nil, invalid("A batch must hold 1 to 5 requests, found %d.", len(body.Requests))
	}
	var reports []object
	for _, q := range body.Requests {
		report, bad := s.run(q)
		if bad != nil {
			return nil, bad
		}
		reports = append(reports, report)
	}
	return object{"reports": reports, "kind": "analyticsData#batchRunReports"}, nil
}

// token gives an access token for an hour.
func (s *Server) token(r *http.Request) (object, *fault) {
	if err := r.ParseForm(); err != nil {
		return nil, &fault{status: http.StatusBadRequest, name: "invalid_request", message: "no form"}
	}
	var proof string
	switch r.PostForm.Get("grant_type") {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		proof = r.PostForm.Get("assertion")
	case "refresh_token":
		proof = r.PostForm.Get("refresh_token")
	}
	if proof == "" {
		return nil, &fault{status: http.StatusBadRequest, name: "invalid_grant", message: "Bad Request"}
	}
	token := s.Token
	if token == "" {
		token = "any"
	}
	return object{"access_token": token, "expires_in": 3600, "token_type": "Bearer"}, nil
}

// decode reads a request's body, which must have no other fields than into.
func decode(r *http.Request, into any) *fault {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalid("Invalid JSON payload received. %v", err)
	}
	return nil
}

// pay takes the tokens of a report, or refuses it.
func (s *Server) pay(tokens int) (quota object, bad *fault) {
	now := s.now()
	hour := now.UTC().Truncate(time.Hour).String()
	quota = object{
		"concurrentRequests": object{"remaining": 10}, "serverErrorsPerProjectPerHour": object{"remaining": 10},
		"potentiallyThresholdedRequestsPerHour": object{"remaining": 120},
	}
	limits := []struct {
		name, period, words string
		size                int
	}{
		{"tokensPerDay", now.In(s.pacific).Format(time.DateOnly), "per day", s.TokensPerDay},
		{"tokensPerHour", hour, "per hour", s.TokensPerHour},
		{"tokensPerProjectPerHour", hour, "for a project per hour", s.TokensPerProjectPerHour},
	}
	for _, l := range limits {
		if s.spent[l.name+l.period] >= l.size {
			return nil, &fault{
				status: http.StatusTooManyRequests, name: "RESOURCE_EXHAUSTED",
				message: "Exhausted property tokens " + l.words + ". These quota tokens will return in a later period.",
			}
		}
	}
	for _, l := range limits {
		s.spent[l.name+l.period] += tokens
		quota[l.name] = object{"consumed": tokens, "remaining": max(l.size-s.spent[l.name+l.period], 0)}
	}
	s.requests["reports"]++
	s.requests["tokens"] += tokens
	return quota, nil
}
