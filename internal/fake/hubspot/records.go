package hubspot

import (
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
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

// rows are records as answers have them, with commas between them.
type rows []byte

// view is what an answer shows of the records of a type.
type view struct {
	modified            string // the property
	defined             map[string]bool
	properties, history []string
}

// view returns a view of the properties that every answer has and those that were asked for.
func (s *Server) view(of Object, properties, history []string) view {
	v := view{modified: modifiedProperty(of), defined: s.defined[of], history: distinct(history)}
	v.properties = distinct(slices.Concat([]string{"createdate", "hs_object_id", v.modified}, properties))
	return v
}

func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// show appends a record: a property that is not defined is left out.
func (v view) show(to rows, e *entry) rows {
	b := []byte(to)
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = strconv.AppendUint(append(b, `{"id":"`...), e.id, 10)
	b = appendStamp(append(b, `","createdAt":`...), e.created)
	b = appendStamp(append(b, `,"updatedAt":`...), e.modified)
	b = strconv.AppendBool(append(b, `,"archived":`...), !e.archivedAt.IsZero())
	if !e.archivedAt.IsZero() {
		b = appendStamp(append(b, `,"archivedAt":`...), e.archivedAt)
	}
	b = append(b, `,"properties":{`...)
	for _, name := range v.properties {
		if value := e.properties[name]; value != "" {
			b = fake.AppendText(appendName(b, name), value)
		} else if v.defined[name] {
			b = append(appendName(b, name), "null"...)
		}
	}
	b = append(b, '}')
	if len(v.history) > 0 {
		b = append(b, `,"propertiesWithHistory":{`...)
		for _, name := range v.history {
			b = append(e.appendHistory(append(appendName(b, name), '['), name), ']')
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendHistory appends the values of a property, the newest first.
func (e *entry) appendHistory(b []byte, name string) []byte {
	for _, r := range slices.Backward(e.history) {
		if r.property != name {
			continue
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = fake.AppendText(append(b, `{"value":`...), r.value)
		b = appendStamp(append(b, `,"timestamp":`...), r.at)
		b = append(b, `,"sourceType":"CRM_UI"}`...)
	}
	return b
}

// appendName appends the name of a member of an object, and a comma before it if it is
// not the first.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(fake.AppendText(b, name), ':')
}

func appendStamp(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), stampForm), '"')
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
	shown, results := s.view(of, names(query, "properties"), history), s.rows[:0]
	for _, e := range list {
		results = shown.show(results, e)
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
	shown := s.view(of, req.Properties, req.PropertiesWithHistory)
	results, missing := s.rows[:0], []string{}
	for _, in := range req.Inputs {
		id, err := strconv.ParseUint(in.ID, 10, 64)
		e := s.records[of][id]
		if err != nil || e == nil || !e.archivedAt.IsZero() {
			missing = append(missing, in.ID)
			continue
		}
		results = shown.show(results, e)
	}
	return s.batch(results, "OBJECT_NOT_FOUND", missing), nil
}

// batch returns the answer of a batch; with missing records it is one of the status 207.
func (s *Server) batch(results any, category string, missing []string) object {
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
