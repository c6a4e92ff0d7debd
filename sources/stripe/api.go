package stripe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// mostListed is how many objects one answer holds at most.
const mostListed = 100

// object is what every object has, and the object itself.
type object struct {
	ID      string
	Type    string
	Deleted bool
	text    json.RawMessage
}

// UnmarshalJSON keeps the text.
func (o *object) UnmarshalJSON(text []byte) error {
	var head struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Deleted bool   `json:"deleted"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	*o = object{ID: head.ID, Type: head.Object, Deleted: head.Deleted, text: slices.Clone(text)}
	return nil
}

func expanding(query url.Values, prefix string, fields []string) url.Values {
	for _, f := range fields {
		query.Add("expand[]", prefix+f)
	}
	return query
}

// each reads a list, newest first, from behind the ID after, and calls fn for each part of it.
func (s *Source) each(ctx context.Context, path, kind string, query url.Values, after string, fn func(part []object, more bool) error) error {
	var guard apiclient.PageGuard
	query.Set("limit", strconv.Itoa(mostListed))
	for {
		if err := guard.Next(after); err != nil {
			return err
		}
		if after != "" {
			query.Set("starting_after", after)
		}
		body, err := s.part(ctx, path, kind, query)
		if err != nil {
			return err
		}
		if err := fn(body.Data, body.HasMore); err != nil {
			return err
		}
		if !body.HasMore {
			return nil
		}
		after = body.Data[len(body.Data)-1].ID
	}
}

// part reads a part of a list.
func (s *Source) part(ctx context.Context, path, kind string, query url.Values) (list[object], error) {
	var body list[object]
	if _, err := s.client.JSON(ctx, apiclient.Request{Path: path, Query: query}, &body); err != nil {
		return body, err
	}
	bad := body.Object != "list" || body.Data == nil || body.HasMore && len(body.Data) == 0
	for _, o := range body.Data {
		bad = bad || o.ID == "" || o.Type != kind
	}
	if bad {
		return body, &apiclient.FormatError{Endpoint: "GET " + path, Detail: fmt.Sprintf("not a list of objects of the type %s", kind)}
	}
	return body, nil
}

// listQuery returns the parameters that list all of a stream.
func (st stream) listQuery() url.Values {
	query := url.Values{}
	if st.object == "subscription" {
		query.Set("status", "all") // else those that have ended are left out
	}
	return expanding(query, "data.", st.expand)
}

// get reads one object; an object that does not exist any more comes back as deleted.
func (s *Source) get(ctx context.Context, st stream, id string) (object, error) {
	var o object
	path := st.path + "/" + url.PathEscape(id)
	_, err := s.client.JSON(ctx, apiclient.Request{Path: path, Query: expanding(url.Values{}, "", st.expand)}, &o)
	if isMissing(err) {
		return object{ID: id, Type: st.object, Deleted: true}, nil
	}
	if err == nil && (o.ID == "" || o.Type != st.object) {
		err = &apiclient.FormatError{Endpoint: "GET " + path, Detail: "not an object of the type " + st.object}
	}
	return o, err
}

// events reads the events of some types since a moment, newest first.
func (s *Source) events(ctx context.Context, types []string, since int64, fn func(event)) error {
	query := url.Values{"types[]": types, "created[gte]": {strconv.FormatInt(since, 10)}}
	return s.each(ctx, "/v1/events", "event", query, "", func(part []object, _ bool) error {
		for _, o := range part {
			var e event
			if err := json.Unmarshal(o.text, &e); err != nil {
				return &apiclient.FormatError{Endpoint: "GET /v1/events", Detail: fmt.Sprintf("event %s: %v", o.ID, err)}
			}
			fn(e)
		}
		return nil
	})
}

func isMissing(err error) bool {
	e, ok := asAPIError(err)
	return ok && e.Status == http.StatusNotFound
}
