package json

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// next returns where the page after got is; false where got is the last.
func (r *reader) next(at position, got page) (position, bool, error) {
	p := r.Paging
	if p.By == byNone {
		return at, false, nil
	}
	if p.More != "" {
		more, err := scalar(got.body, p.More)
		if err != nil || isEmpty(more) || more == "false" {
			return at, false, err
		}
	}
	next := at
	next.number++
	switch p.By {
	case byLink:
		return r.follow(next, nextLink(got.header))
	case byURL, byCursor:
		value, err := scalar(got.body, p.Field)
		switch {
		case err != nil:
			return at, false, err
		case isEmpty(value) && p.More != "":
			return at, false, fmt.Errorf("%s says that there are more pages, but %s, which leads there, is empty", p.More, p.Field)
		case isEmpty(value):
			return at, false, nil
		case p.By == byURL:
			return r.follow(next, fmt.Sprint(value))
		}
		next.cursor = value
	case byPage, byOffset:
		// A page with fewer rows than were asked for is not the last: a server may cap them.
		if got.rows == 0 && p.More == "" {
			return at, false, nil
		}
		next.page++
		next.offset += got.rows
	}
	return next, true, nil
}

// follow returns next at an address that an answer gave. Another host is refused: it would
// get no credentials, and is none that anybody has configured.
func (r *reader) follow(next position, address string) (position, bool, error) {
	if address == "" {
		return next, false, nil
	}
	current := r.URL
	if next.url != "" {
		current = next.url
	}
	from, err := url.Parse(current)
	if err != nil {
		return next, false, errors.New("the address of the page is not a URL")
	}
	to, err := from.Parse(address)
	if err != nil {
		return next, false, errors.New("the address of the next page is not a URL")
	}
	if to.Scheme != from.Scheme || to.Host != from.Host {
		return next, false, fmt.Errorf("the next page is at %s://%s, not at %s://%s; configure the address that the API has for itself", to.Scheme, to.Host, from.Scheme, from.Host)
	}
	next.url = to.String()
	return next, true, nil
}

// nextLink returns the URL of rel="next" in the header Link (RFC 8288); empty where
// there is none.
func nextLink(header http.Header) string {
	rest := strings.Join(header.Values("Link"), ",")
	for {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			return ""
		}
		target, parameters, ok := strings.Cut(after, ">")
		if !ok {
			return ""
		}
		// The parameters go on to the next "<", which a target alone begins with.
		rest = parameters
		parameters, _, _ = strings.Cut(parameters, "<")
		for parameter := range strings.SplitSeq(parameters, ";") {
			name, value, _ := strings.Cut(parameter, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "rel") {
				continue
			}
			value = strings.Trim(strings.TrimRight(strings.TrimSpace(value), ", "), `"`)
			for relation := range strings.FieldsSeq(value) {
				if strings.EqualFold(relation, "next") {
					return target
				}
			}
		}
	}
}
