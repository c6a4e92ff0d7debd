package hubspot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// The vendor's bounds.
const (
	mostListed      = 100 // records of one list or batch
	mostWithHistory = 50  // the same with the history of properties
	mostSearched    = 200
)

// object is a record. Every value is text, or null, which is kept as an empty one.
type object struct {
	ID         string                `json:"id"`
	Properties map[string]string     `json:"properties"`
	History    map[string][]revision `json:"propertiesWithHistory"`
	Archived   bool                  `json:"archived"`
}

// revision is a value that a property had from a time on.
type revision struct {
	Value     string `json:"value"`
	Timestamp string `json:"timestamp"`
}

// value returns a property; empty where it is null.
func (o object) value(name string) string { return strings.TrimSpace(o.Properties[name]) }

// results is the body of every answer with more than one thing.
type results[T any] struct {
	Results []T `json:"results"`
	Paging  struct {
		Next struct {
			After string `json:"after"`
		} `json:"next"`
	} `json:"paging"`
	Status string       `json:"status"` // of a batch
	Errors []batchError `json:"errors"` // of a batch
}

// batchError says what part of a batch could not be read. Its categories are texts or objects.
type batchError struct {
	Category    json.RawMessage `json:"category"`
	SubCategory json.RawMessage `json:"subCategory"`
}

// get sends a request whose answer has results.
func get[T any](ctx context.Context, client *apiclient.Client, req apiclient.Request) (*results[T], error) {
	var body results[T]
	endpoint := req.Method + " " + req.Path
	if _, err := client.JSON(ctx, req, &body); err != nil {
		return nil, err
	}
	if body.Results == nil || body.Status != "" && body.Status != "COMPLETE" {
		return nil, &apiclient.FormatError{Endpoint: endpoint, Detail: fmt.Sprintf("no complete results (status %.20q)", body.Status)}
	}
	for _, e := range body.Errors {
		// What is missing was deleted in the meantime, or has no association.
		if kind := string(e.Category) + string(e.SubCategory); !strings.Contains(kind, "NOT_FOUND") && !strings.Contains(kind, "NO_ASSOCIATIONS_FOUND") {
			return nil, &apiclient.FormatError{Endpoint: endpoint, Detail: fmt.Sprintf("a part of the batch failed: %.80s", kind)}
		}
	}
	return &body, nil
}

// post returns a request that reads by POST.
func post(path string, body any) (apiclient.Request, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return apiclient.Request{}, fmt.Errorf("make the body of POST %s: %w", path, err)
	}
	return apiclient.Request{
		Method: http.MethodPost, Path: path, Body: text, Header: http.Header{"Content-Type": {"application/json"}},
	}, nil
}

// path returns the path of a collection (objects, owners) in a version of the API.
func (s *Source) path(collection, rest string) string {
	version := s.options.APIVersion
	if version != "v3" {
		return "/crm/" + collection + "/" + version + rest
	}
	if collection == "associations" {
		version = "v4"
	}
	return "/crm/" + version + "/" + collection + rest
}

// list reads a page of a list of records, in the order of their IDs.
func (s *Source) list(ctx context.Context, kind string, limit int, after string, archived bool, properties, history []string) (*results[object], error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}, "archived": {strconv.FormatBool(archived)}}
	if after != "" {
		query.Set("after", after)
	}
	if len(properties) > 0 {
		query.Set("properties", strings.Join(properties, ","))
	}
	if len(history) > 0 {
		query.Set("propertiesWithHistory", strings.Join(history, ","))
	}
	return get[object](ctx, s.client, apiclient.Request{Method: http.MethodGet, Path: s.path("objects", "/"+kind), Query: query})
}

type id struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"`
}

// read reads records by their IDs, at most mostListed or, with history, mostWithHistory.
func (s *Source) read(ctx context.Context, kind string, ids, properties, history []string) ([]object, error) {
	inputs := make([]id, len(ids))
	for i, one := range ids {
		inputs[i].ID = one
	}
	if history == nil {
		history = []string{}
	}
	req, err := post(s.path("objects", "/"+kind+"/batch/read"), struct {
		Properties []string `json:"properties"`
		History    []string `json:"propertiesWithHistory"`
		Inputs     []id     `json:"inputs"`
	}{properties, history, inputs})
	if err != nil {
		return nil, err
	}
	body, err := get[object](ctx, s.client, req)
	if err != nil {
		return nil, err
	}
	return body.Results, nil
}

type filter struct {
	Property string `json:"propertyName"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

type filterGroup struct {
	Filters []filter `json:"filters"`
}

// search returns the IDs, above last, of the records changed in [from, until), and whether there
// are more. It goes on by ID and never by offset, so that the vendor's bound of 10,000 results per
// search cuts nothing, however many records were changed at one moment.
func (s *Source) search(ctx context.Context, kind, modified string, from, until int64, last uint64) (ids []uint64, more bool, err error) {
	path := s.path("objects", "/"+kind+"/search")
	req, err := post(path, struct {
		Groups     []filterGroup `json:"filterGroups"`
		Sorts      []string      `json:"sorts"`
		Properties []string      `json:"properties"`
		Limit      int           `json:"limit"`
		After      string        `json:"after"`
	}{
		Groups: []filterGroup{{[]filter{
			{modified, "GTE", strconv.FormatInt(from, 10)},
			{modified, "LT", strconv.FormatInt(until, 10)},
			{"hs_object_id", "GT", strconv.FormatUint(last, 10)},
		}}},
		Sorts: []string{"hs_object_id"}, Properties: []string{"hs_object_id"}, Limit: mostSearched, After: "0",
	})
	if err != nil {
		return nil, false, err
	}
	body, err := get[object](ctx, s.searches, req)
	if err != nil {
		return nil, false, err
	}
	for _, o := range body.Results {
		n, err := strconv.ParseUint(o.ID, 10, 64)
		if err != nil || n <= last {
			return nil, false, &apiclient.FormatError{
				Endpoint: "POST " + path, Detail: "the results are not in the order of their IDs, or not those that were asked for",
			}
		}
		ids, last = append(ids, n), n
	}
	return ids, body.Paging.Next.After != "" || len(ids) == mostSearched, nil
}
