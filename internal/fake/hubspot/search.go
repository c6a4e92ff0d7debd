package hubspot

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

type searchRequest struct {
	Query        string `json:"query"`
	After        string `json:"after"`
	Limit        int    `json:"limit"`
	FilterGroups []struct {
		Filters []filter `json:"filters"`
	} `json:"filterGroups"`
	Sorts      []string `json:"sorts"`
	Properties []string `json:"properties"`
}

type filter struct {
	PropertyName string   `json:"propertyName"`
	Operator     string   `json:"operator"`
	Value        string   `json:"value"`
	HighValue    string   `json:"highValue"`
	Values       []string `json:"values"`
}

func (s *Server) search(of Object, r *http.Request) (object, *fault) {
	var req searchRequest
	text, err := io.ReadAll(io.LimitReader(r.Body, mostSearchBody+1))
	if err != nil || len(text) > mostSearchBody {
		return nil, invalid("the body is longer than %d characters", mostSearchBody)
	}
	r.Body = io.NopCloser(strings.NewReader(string(text)))
	if bad := decode(r, &req); bad != nil {
		return nil, bad
	}
	offset, err := strconv.Atoi(req.After)
	if err != nil {
		return nil, invalid("after: %q is not a number", req.After)
	}
	if req.Limit < 1 || req.Limit > mostSearched {
		return nil, invalid("limit must be between 1 and %d", mostSearched)
	}
	if offset+req.Limit > s.MaxResults {
		return nil, invalid("paging beyond %d results is not supported", s.MaxResults)
	}
	var found []*entry
	for e := range s.live(of, false, 0) {
		if e.modified.After(s.now().Add(-s.IndexLag)) {
			continue
		}
		ok, bad := matchesAny(of, e, req)
		if bad != nil {
			return nil, bad
		}
		if ok {
			found = append(found, e)
		}
	}
	for _, by := range req.Sorts {
		if by != "hs_object_id" { // the order that live has
			return nil, invalid("the fake does not sort by %s", by)
		}
	}
	body := object{"total": len(found)}
	found = found[min(offset, len(found)):]
	if len(found) > req.Limit {
		found = found[:req.Limit]
		next := strconv.Itoa(offset + req.Limit)
		body["paging"] = object{"next": object{"after": next, "link": "?after=" + next}}
	}
	shown, results := s.view(of, req.Properties, nil), s.rows[:0]
	for _, e := range found {
		results = shown.show(results, e)
	}
	body["results"] = results
	return body, nil
}

func matchesAny(of Object, e *entry, req searchRequest) (bool, *fault) {
	for _, group := range req.FilterGroups {
		all := true
		for _, f := range group.Filters {
			ok, bad := f.matches(of, e)
			if bad != nil {
				return false, bad
			}
			all = all && ok
		}
		if all {
			return true, nil
		}
	}
	return len(req.FilterGroups) == 0, nil
}

// matches compares numbers, and times in milliseconds.
func (f filter) matches(of Object, e *entry) (bool, *fault) {
	want, err := strconv.ParseInt(f.Value, 10, 64)
	if err != nil {
		return false, invalid("%s: %q is not a number", f.PropertyName, f.Value)
	}
	var have int64
	switch f.PropertyName {
	case "hs_object_id":
		have = int64(e.id)
	case modifiedProperty(of):
		have = e.modified.UnixMilli()
	case "createdate":
		have = e.created.UnixMilli()
	default:
		return false, invalid("the fake does not filter by %s", f.PropertyName)
	}
	switch f.Operator {
	case "EQ":
		return have == want, nil
	case "LT":
		return have < want, nil
	case "LTE":
		return have <= want, nil
	case "GT":
		return have > want, nil
	case "GTE":
		return have >= want, nil
	}
	return false, invalid("the fake does not know the operator %s", f.Operator)
}
