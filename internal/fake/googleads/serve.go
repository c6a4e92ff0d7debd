package googleads

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

type object = map[string]any

const requestID = "Xk3pQ9fake"

// fault is an answer that is an error.
type fault struct {
	status                int
	name                  string // of the status
	family, code, message string // of the failure
	quota                 object // details of a quota's error
}

func queryFault(code, message string) *fault {
	return &fault{http.StatusBadRequest, "INVALID_ARGUMENT", "queryError", code, message, nil}
}

// body returns the error in the vendor's form, an element of the array.
func (f *fault) body(version string) object {
	e := object{"errorCode": object{f.family: f.code}, "message": f.message}
	if f.quota != nil {
		e["details"] = object{"quotaErrorDetails": f.quota}
	}
	return object{"error": object{
		"code": f.status, "message": f.message, "status": f.name,
		"details": []object{{
			"@type":     "type.googleapis.com/google.ads.googleads." + version + ".errors.GoogleAdsFailure",
			"requestId": requestID, "errors": []object{e},
		}},
	}}
}

// Handler returns the API, and the endpoint for tokens at /token.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /{version}/customers/{customer}/{call}", s.searchStream)
	return mux
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // the client has gone
	}
}

// token issues the access token for a refresh token or a service account's signature.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests["token"]++
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	refuse := func(status int, code, description string) {
		send(w, status, object{"error": code, "error_description": description})
	}
	same := func(want, got string) bool { return want == "" || want == got }
	switch r.PostFormValue("grant_type") {
	case "refresh_token":
		if !same(s.ClientID, r.PostFormValue("client_id")) || !same(s.ClientSecret, r.PostFormValue("client_secret")) {
			refuse(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
			return
		}
		if !same(s.RefreshToken, r.PostFormValue("refresh_token")) {
			refuse(http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked.")
			return
		}
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if !s.signed(r.PostFormValue("assertion")) {
			refuse(http.StatusBadRequest, "invalid_grant", "Invalid JWT Signature.")
			return
		}
	default:
		refuse(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type.")
		return
	}
	send(w, http.StatusOK, object{
		"access_token": s.AccessToken, "expires_in": 3599, "scope": "https://www.googleapis.com/auth/adwords", "token_type": "Bearer",
	})
}

// signed says whether a token is signed by the service account, for the API's scope.
func (s *Server) signed(assertion string) bool {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || s.ServiceAccount == nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	hash := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(s.ServiceAccount, crypto.SHA256, hash[:], signature) != nil {
		return false
	}
	var claims struct {
		Iss, Scope, Aud, Sub string
		Exp                  int64
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return false
	}
	return claims.Iss != "" && claims.Sub == "" && claims.Scope == "https://www.googleapis.com/auth/adwords" &&
		strings.HasSuffix(claims.Aud, "/token") && s.now().Before(time.Unix(claims.Exp, 0))
}

func (s *Server) searchStream(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("call") != "googleAds:searchStream" {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	version := r.PathValue("version")
	w.Header().Set("Request-Id", requestID)
	q, bad := s.accept(r, version)
	if bad != nil {
		send(w, bad.status, []object{bad.body(version)})
		return
	}
	chunks := []object{}
	mask := make([]string, len(q.fields))
	for i, name := range q.fields {
		parts := strings.Split(name, ".")
		for j := range parts {
			parts[j] = camel(parts[j])
		}
		mask[i] = strings.Join(parts, ".")
	}
	for rows := range slices.Chunk(s.rows(q), s.ChunkRows) {
		results := make([]object, len(rows))
		for i, one := range rows {
			results[i] = q.project(one)
		}
		chunks = append(chunks, object{"results": results, "fieldMask": strings.Join(mask, ","), "requestId": requestID})
	}
	if len(chunks) > 0 {
		chunks[len(chunks)-1]["queryResourceConsumption"] = "412"
	}
	if s.breaks > 0 {
		s.breaks--
		broken := &fault{http.StatusInternalServerError, "INTERNAL", "internalError", "TRANSIENT_ERROR", "A transient internal error has occurred.", nil}
		chunks = append(chunks[:min(len(chunks), 1)], broken.body(version))
	}
	send(w, http.StatusOK, chunks)
}

var versionForm = regexp.MustCompile(`^v(2[3-9]|[3-9]\d)$`)

// accept checks a request in the order in which the vendor does.
func (s *Server) accept(r *http.Request, version string) (query, *fault) {
	permission := func(code, message string) *fault {
		return &fault{http.StatusForbidden, "PERMISSION_DENIED", "authorizationError", code, message, nil}
	}
	invalid := func(family, code, message string) *fault {
		return &fault{http.StatusBadRequest, "INVALID_ARGUMENT", family, code, message, nil}
	}
	if !versionForm.MatchString(version) {
		return query{}, invalid("requestError", "UNSUPPORTED_VERSION", "Version "+version+" is deprecated. Requests to this version will be blocked.")
	}
	if r.Header.Get("Authorization") != "Bearer "+s.AccessToken {
		return query{}, &fault{
			http.StatusUnauthorized, "UNAUTHENTICATED", "authenticationError", "OAUTH_TOKEN_INVALID",
			"Request had invalid authentication credentials.", nil,
		}
	}
	if s.Manager != r.Header.Get("Login-Customer-Id") || r.PathValue("customer") != s.account.ID {
		return query{}, permission("USER_PERMISSION_DENIED",
			"User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's customer id must be set in the 'login-customer-id' header.")
	}
	if day := record.DayOf(s.now().UTC()); day != s.counted {
		s.counted, s.today = day, 0
	}
	if s.Daily > 0 && s.today >= s.Daily {
		return query{}, &fault{
			http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_EXHAUSTED", "Too many requests. Retry in 36000 seconds.",
			object{"rateScope": "DEVELOPER", "rateName": "Number of operations for explorer access", "retryDelay": "36000s"},
		}
	}
	s.today++
	var body object
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || json.Unmarshal(text, &body) != nil {
		return query{}, invalid("requestError", "UNKNOWN", "Invalid JSON payload received.")
	}
	for name := range body {
		if name != "query" && name != "summaryRowSetting" {
			return query{}, invalid("requestError", "UNKNOWN", "Invalid JSON payload received. Unknown name \""+name+"\".")
		}
	}
	asked, ok := body["query"].(string)
	if !ok {
		return query{}, invalid("requestError", "REQUIRED_FIELD_MISSING", "Required field is missing.")
	}
	q, bad := parseQuery(asked)
	if bad != nil {
		return q, bad
	}
	if s.account.Manager && len(q.metrics()) > 0 {
		return q, queryFault("REQUESTED_METRICS_FOR_MANAGER", "Metrics cannot be requested for a manager account.")
	}
	s.requests[q.from]++
	s.queries[asked] = true
	return q, nil
}
