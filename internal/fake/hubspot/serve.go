package hubspot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// fault is an answer that is an error.
type fault struct {
	status int
	body   object
}

func invalid(format string, args ...any) *fault {
	return &fault{http.StatusBadRequest, failure("VALIDATION_ERROR", fmt.Sprintf(format, args...))}
}

func failure(category, message string) object {
	return object{
		"status": "error", "message": message, "category": category,
		"correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
	}
}

// route is a request's place in the API: the collection, and what follows the version.
type route struct {
	collection string
	rest       []string
}

// parsePath reads /crm/objects/2026-09/contacts and /crm/v3/objects/contacts alike.
func parsePath(path string) (route, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) < 3 || parts[0] != "crm" {
		return route{}, false
	}
	if parts[1] == "v3" || parts[1] == "v4" {
		return route{parts[2], parts[3:]}, true
	}
	return route{parts[1], parts[3:]}, parts[2] == "2026-09" || parts[2] == "2026-03"
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, bad := s.answer(w.Header(), r)
	status := http.StatusOK
	if bad != nil {
		status, body = bad.status, bad.body
	}
	if _, partly := body["numErrors"]; partly {
		status = http.StatusMultiStatus
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	s.send(w, body)
}

// send sends a body. Records, which are text already, take the place of an empty list.
func (s *Server) send(w io.Writer, body object) {
	records, listed := body["results"].(rows)
	if listed {
		s.rows, body["results"] = records, []object{}
	}
	text, _ := json.Marshal(body) // of texts, numbers and lists of them: it always marshals
	// Errors of writing mean that the client has gone.
	if listed {
		const list = `"results":[`
		begin := bytes.Index(text, []byte(list)) + len(list)
		_, _ = w.Write(text[:begin])
		_, _ = w.Write(records)
		text = text[begin:]
	}
	_, _ = w.Write(text)
}

func (s *Server) answer(header http.Header, r *http.Request) (object, *fault) {
	at, ok := parsePath(r.URL.Path)
	if !ok {
		return nil, &fault{http.StatusNotFound, failure("OBJECT_NOT_FOUND", "no such path")}
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || s.Token != "" && token != s.Token {
		return nil, &fault{http.StatusUnauthorized, failure("INVALID_AUTHENTICATION",
			"Authentication credentials not found. This API supports OAuth 2.0 authentication.")}
	}
	search := strings.HasSuffix(r.URL.Path, "/search")
	if bad := s.limit(header, search); bad != nil {
		return nil, bad
	}
	if scope := s.missing(at); scope != "" {
		body := failure("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.")
		body["errors"] = []object{{
			"message": "One or more of the following scopes are required.",
			"context": object{"requiredGranularScopes": []string{scope}},
		}}
		return nil, &fault{http.StatusForbidden, body}
	}
	return s.dispatch(at, r)
}

// missing returns the scope that a request needs and the token has not.
func (s *Server) missing(at route) string {
	scope := "crm.objects.owners.read"
	switch {
	case at.collection == "pipelines" || at.collection == "associations":
		scope = "crm.objects.deals.read"
	case at.collection != "owners" && len(at.rest) > 0:
		scope = "crm.objects." + at.rest[0] + ".read"
	}
	if s.Scopes == nil || slices.Contains(s.Scopes, scope) {
		return ""
	}
	return scope
}

func (s *Server) dispatch(at route, r *http.Request) (object, *fault) {
	where := r.Method + " " + at.collection
	tail := ""
	if len(at.rest) > 1 {
		tail = strings.Join(at.rest[1:], "/")
	}
	var of Object
	if len(at.rest) > 0 {
		of = Object(at.rest[0])
	}
	switch {
	case where == "GET owners" && len(at.rest) == 0:
		s.requests["owners"]++
		return s.listOwners(r.URL.Query())
	case where == "GET pipelines" && of == Deals && tail == "":
		s.requests["pipelines"]++
		return s.listPipelines(), onlyParameters(r.URL.Query())
	case where == "POST associations" && len(at.rest) == 4 && strings.HasSuffix(tail, "/batch/read"):
		s.requests["associations"]++
		return s.readAssociations(of, Object(at.rest[1]), r)
	case s.records[of] == nil:
	case where == "GET properties" && tail == "":
		s.requests["properties"]++
		return s.listProperties(of), onlyParameters(r.URL.Query(), "archived")
	case where == "GET objects" && tail == "":
		return s.list(of, r.URL.Query())
	case where == "POST objects" && tail == "search":
		s.requests["search"]++
		return s.search(of, r)
	case where == "POST objects" && tail == "batch/read":
		s.requests["read"]++
		return s.readBatch(of, r)
	}
	return nil, &fault{http.StatusNotFound, failure("OBJECT_NOT_FOUND", "no such path: "+r.Method+" "+r.URL.Path)}
}

// onlyParameters refuses parameters that the endpoint does not have: the vendor ignores
// them, which would hide a mistake.
func onlyParameters(query url.Values, known ...string) *fault {
	for name := range query {
		if !slices.Contains(known, name) {
			return invalid("unknown parameter %s", name)
		}
	}
	return nil
}

// decode reads a request's body, which must have no other fields than into.
func decode(r *http.Request, into any) *fault {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalid("Invalid input JSON: %v", err)
	}
	return nil
}

func number(query url.Values, name string, byDefault, most int) (int, *fault) {
	text := query.Get(name)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, invalid("%s must be between 1 and %d", name, most)
	}
	return n, nil
}

// page cuts what follows after out of a list, whose keys are numbers in ascending order.
func page[T any](list []T, key func(T) uint64, after string, limit int) ([]T, object) {
	if n, err := strconv.ParseUint(after, 10, 64); err == nil {
		first, _ := slices.BinarySearchFunc(list, n+1, func(x T, id uint64) int { return cmp.Compare(key(x), id) })
		list = list[first:]
	}
	if len(list) <= limit {
		return list, nil
	}
	last := strconv.FormatUint(key(list[limit-1]), 10)
	return list[:limit], object{"next": object{"after": last, "link": "?after=" + last}}
}

func withPaging(body, paging object) object {
	if paging != nil {
		body["paging"] = paging
	}
	return body
}

func (s *Server) listOwners(query url.Values) (object, *fault) {
	if bad := onlyParameters(query, "limit", "after", "archived", "email"); bad != nil {
		return nil, bad
	}
	limit, bad := number(query, "limit", 100, 500)
	if bad != nil {
		return nil, bad
	}
	var list []Owner
	for _, o := range s.owners {
		if o.Archived == (query.Get("archived") == "true") {
			list = append(list, o)
		}
	}
	key := func(o Owner) uint64 {
		n, err := strconv.ParseUint(o.ID, 10, 64)
		if err != nil {
			return 0 // an owner's ID is a number
		}
		return n
	}
	slices.SortFunc(list, func(a, b Owner) int { return cmp.Compare(key(a), key(b)) })
	list, paging := page(list, key, query.Get("after"), limit)
	results := []object{}
	for _, o := range list {
		at := stamp(time.Unix(0, 0))
		result := object{
			"id": o.ID, "firstName": o.FirstName, "lastName": o.LastName, "email": o.Email,
			"archived": o.Archived, "createdAt": at, "updatedAt": at,
		}
		results = append(results, result)
	}
	return withPaging(object{"results": results}, paging), nil
}

func (s *Server) listPipelines() object {
	results := []object{}
	at := stamp(time.Unix(0, 0))
	for i, p := range s.pipelines {
		stages := []object{}
		for j, stage := range p.Stages {
			stages = append(stages, object{
				"id": stage.ID, "label": stage.Label, "displayOrder": j, "archived": false, "createdAt": at, "updatedAt": at,
				"metadata": object{"isClosed": strconv.FormatBool(stage.Closed), "probability": stage.Probability},
			})
		}
		results = append(results, object{
			"id": p.ID, "label": p.Label, "displayOrder": i, "archived": false, "createdAt": at, "updatedAt": at, "stages": stages,
		})
	}
	return object{"results": results}
}

func (s *Server) listProperties(of Object) object {
	results := []object{}
	for name := range s.defined[of] {
		var values []string
		switch name {
		case "lifecyclestage":
			values = lifecycleStages()
		case "hs_lead_status":
			values = []string{"NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING"}
		}
		options := []object{}
		for _, value := range values {
			options = append(options, object{"label": value, "value": value, "hidden": false})
		}
		results = append(results, object{
			"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "information",
			"description": "", "options": options,
		})
	}
	slices.SortFunc(results, func(a, b object) int { return strings.Compare(a["name"].(string), b["name"].(string)) })
	return object{"results": results}
}
