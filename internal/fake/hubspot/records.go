package hubspot

import (
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The vendor's bounds.
const (
	mostListed      = 100
	mostWithHistory = 50
	mostSearched    = 200
	mostLinks       = 1_000
	mostSearchBody  = 3_000
)

// names reads a list of names: repeated, or separated by commas.
func names(query url.Values, name string) []string {
	return strings.FieldsFunc(strings.Join(query[name], ","), func(r rune) bool { return r == ',' })
}

// live yields the records of a type that are archived, or are not, by ID, behind the ID after.
func (s *Server) live(of Object, archived bool, after uint64) iter.Seq[*entry] {
	if s.order[of] == nil {
		s.order[of] = slices.Sorted(maps.Keys(s.records[of]))
	}
	first, found := slices.BinarySearch(s.order[of], after)
	if found {
		first++
	}
	return func(yield func(*entry) bool) {
		for _, id := range s.order[of][first:] {
			if e := s.records[of][id]; e.archivedAt.IsZero() != archived && !yield(e) {
				return
			}
		}
	}
}

// show returns a record as answers have it: a property that is not defined is left out.
func (s *Server) show(of Object, e *entry, properties, history []string) object {
	shown := object{}
	standard := []string{"createdate", "hs_object_id", modifiedProperty(of)}
	for _, name := range append(standard, properties...) {
		if value := e.properties[name]; value != "" {
			shown[name] = value
		} else if s.defined[of][name] {
			shown[name] = nil
		}
	}
	result := object{
		"id": strconv.FormatUint(e.id, 10), "properties": shown,
		"createdAt": stamp(e.created), "updatedAt": stamp(e.modified), "archived": !e.archivedAt.IsZero(),
	}
	if !e.archivedAt.IsZero() {
		result["archivedAt"] = stamp(e.archivedAt)
	}
	if len(history) > 0 {
		with := object{}
		for _, name := range history {
			list := []object{}
			for _, r := range slices.Backward(e.history) { // newest first
				if r.property == name {
					list = append(list, object{"value": r.value, "timestamp": stamp(r.at), "sourceType": "CRM_UI"})
				}
			}
			with[name] = list
		}
		result["propertiesWithHistory"] = with
	}
	return result
}

func (s *Server) list(of Object, query url.Values) (object, *fault) {
	archived := query.Get("archived") == "true"
	if s.requests["list"]++; archived {
		s.requests["list"]--
		s.requests["archived"]++
	}
	if bad := onlyParameters(query, "limit", "after", "archived", "properties", "propertiesWithHistory", "associations"); bad != nil {
		return nil, bad
	}
	history, most := names(query, "propertiesWithHistory"), mostListed
	if len(history) > 0 {
		most = mostWithHistory
	}
	limit, bad := number(query, "limit", 10, most)
	if bad != nil {
		return nil, bad
	}
	after, err := strconv.ParseUint(query.Get("after"), 10, 64)
	if err != nil {
		after = 0 // from the beginning
	}
	var found []*entry
	for e := range s.live(of, archived, after) {
		if found = append(found, e); len(found) > limit {
			break
		}
	}
	list, paging := page(found, func(e *entry) uint64 { return e.id }, "", limit)
	results := []object{}
	for _, e := range list {
		results = append(results, s.show(of, e, names(query, "properties"), history))
	}
	return withPaging(object{"results": results}, paging), nil
}

type batchRequest struct {
	Properties            []string `json:"properties"`
	PropertiesWithHistory []string `json:"propertiesWithHistory"`
	IDProperty            string   `json:"idProperty"`
	Inputs                []input  `json:"inputs"`
}

type input struct {
	ID    string `json:"id"`
	After string `json:"after"`
}

func (s *Server) readBatch(of Object, r *http.Request) (object, *fault) {
	var req batchRequest
	if bad := decode(r, &req); bad != nil {
		return nil, bad
	}
	most := mostListed
	if len(req.PropertiesWithHistory) > 0 {
		most = mostWithHistory
	}
	if len(req.Inputs) == 0 || len(req.Inputs) > most {
		return nil, invalid("inputs: between 1 and %d", most)
	}
	results, missing := []object{}, []string{}
	for _, in := range req.Inputs {
		id, err := strconv.ParseUint(in.ID, 10, 64)
		e := s.records[of][id]
		if err != nil || e == nil || !e.archivedAt.IsZero() {
			missing = append(missing, in.ID)
			continue
		}
		results = append(results, s.show(of, e, req.Properties, req.PropertiesWithHistory))
	}
	return s.batch(results, "OBJECT_NOT_FOUND", missing), nil
}

// batch returns the answer of a batch; with missing records it is one of the status 207.
func (s *Server) batch(results []object, category string, missing []string) object {
	at := stamp(s.now())
	body := object{"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
	if len(missing) > 0 {
		body["numErrors"] = 1
		body["errors"] = []object{{
			"status": "error", "category": category, "message": "Could not get some objects, they may be deleted or not exist.",
			"context": object{"ids": missing}, "errors": []object{}, "links": object{},
		}}
	}
	return body
}

func (s *Server) readAssociations(from, to Object, r *http.Request) (object, *fault) {
	var req struct {
		Inputs []input `json:"inputs"`
	}
	if bad := decode(r, &req); bad != nil {
		return nil, bad
	}
	if len(req.Inputs) == 0 || len(req.Inputs) > mostLinks {
		return nil, invalid("inputs: between 1 and %d", mostLinks)
	}
	results, missing := []object{}, []string{}
	for _, in := range req.Inputs {
		linked := []object{}
		id, err := strconv.ParseUint(in.ID, 10, 64)
		if err != nil {
			return nil, invalid("inputs: %q is no ID", in.ID)
		}
		for _, l := range s.links[linkKey{from, to, id}] {
			if other := s.records[to][l.id]; other != nil && other.archivedAt.IsZero() {
				linked = append(linked, object{"toObjectId": l.id, "associationTypes": associationTypes(from, to, l.primary)})
			}
		}
		if len(linked) == 0 {
			missing = append(missing, in.ID)
			continue
		}
		results = append(results, object{"from": object{"id": in.ID}, "to": linked})
	}
	body := s.batch(results, "", missing)
	if list, ok := body["errors"].([]object); ok { // this API's categories are objects
		list[0]["category"] = object{"httpStatus": "NOT_FOUND", "name": "NO_ASSOCIATIONS_FOUND"}
	}
	return body, nil
}

func associationTypes(from, to Object, primary bool) []object {
	kind := func(id int, label string) object {
		return object{"category": "HUBSPOT_DEFINED", "typeId": id, "label": label}
	}
	types := map[[2]Object][2]int{{Contacts, Companies}: {1, 279}, {Deals, Companies}: {5, 341}, {Deals, Contacts}: {3, 3}}
	ids := types[[2]Object{from, to}]
	if primary {
		return []object{kind(ids[0], "Primary"), kind(ids[1], "")}
	}
	return []object{kind(ids[1], "")}
}
