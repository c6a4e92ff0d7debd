package shopify

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entry is a record in a list.
type entry struct {
	id               int64
	created, updated time.Time
	object           func() object
}

// inner is a connection inside an object, in the order of its nodes.
func inner(nodes []object) resolver {
	return func(_ *execution, args map[string]any) (any, error) {
		entries := make([]entry, len(nodes))
		for i, n := range nodes {
			entries[i] = entry{id: int64(i), object: func() object { return n }}
		}
		return paged(entries, args, false)
	}
}

// paged returns the page of a sorted list that first, after, query and sortKey ask for.
// WholeDays is how the list of customers compares times.
func paged(entries []entry, args map[string]any, wholeDays bool) (any, error) {
	sortKey, ok := args["sortKey"].(string)
	if !ok {
		sortKey = "ID"
	}
	key := func(e entry) string {
		switch sortKey {
		case "UPDATED_AT":
			return stamp(e.updated)
		case "CREATED_AT":
			return stamp(e.created)
		}
		return ""
	}
	filter, _ := args["query"].(string)
	match, err := search(filter, wholeDays)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return !match(e) })
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.id, b.id)) })
	if args["reverse"] == true {
		slices.Reverse(entries)
	}
	if after, ok := args["after"].(string); ok {
		if args["reverse"] == true {
			return nil, errors.New("this fake does not page backwards")
		}
		value, id, err := decodeCursor(after)
		if err != nil {
			return nil, err
		}
		entries = slices.DeleteFunc(entries, func(e entry) bool {
			return key(e) < value || key(e) == value && e.id <= id
		})
	}
	first, err := size(args["first"])
	if err != nil {
		return nil, err
	}
	more := len(entries) > first
	entries = entries[:min(first, len(entries))]
	info := object{"__typename": "PageInfo", "hasNextPage": more, "endCursor": nil}
	var nodes, edges []object
	for _, e := range entries {
		n, c := e.object(), encodeCursor(key(e), e.id)
		info["endCursor"] = c
		nodes = append(nodes, n)
		edges = append(edges, object{"node": n, "cursor": c})
	}
	return object{"pageInfo": info, "nodes": list(nodes), "edges": list(edges)}, nil
}

func size(first any) (int, error) {
	if first == unlimited {
		return 1 << 40, nil
	}
	n, err := strconv.Atoi(fmt.Sprint(first))
	if err != nil || n < 1 || n > 250 {
		return 0, fmt.Errorf("first is %v, not from 1 to 250", first)
	}
	return n, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func encodeCursor(value string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", value, id))
}

func decodeCursor(cursor string) (value string, id int64, err error) {
	data, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return "", 0, fmt.Errorf("cursor %q is invalid", cursor)
	}
	value, last, _ := strings.Cut(string(data), " ")
	if id, err = strconv.ParseInt(last, 10, 64); err != nil {
		return "", 0, fmt.Errorf("cursor %q is invalid", cursor)
	}
	return value, id, nil
}

var termForm = regexp.MustCompile(`^(created_at|updated_at):(>=|<=|>|<)'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)'$`)

// search reads a search, of the filters and forms that are of use here. A real shop
// takes what it cannot read for a search for words; here it is an error.
func search(filter string, wholeDays bool) (func(entry) bool, error) {
	var terms []func(entry) bool
	for term := range strings.SplitSeq(filter, " AND ") {
		if term == "" {
			continue
		}
		parts := termForm.FindStringSubmatch(term)
		if parts == nil {
			return nil, fmt.Errorf("the search %q is not understood", term)
		}
		bound, err := time.Parse(time.RFC3339, parts[3])
		if err != nil {
			return nil, fmt.Errorf("the search %q: %w", term, err)
		}
		if wholeDays {
			bound = bound.Truncate(24 * time.Hour)
		}
		terms = append(terms, func(e entry) bool {
			at := e.updated
			if parts[1] == "created_at" {
				at = e.created
			}
			at = at.Truncate(time.Second)
			if wholeDays {
				at = at.Truncate(24 * time.Hour)
			}
			switch c := at.Compare(bound); parts[2] {
			case ">=":
				return c >= 0
			case "<=":
				return c <= 0
			case ">":
				return c > 0
			default:
				return c < 0
			}
		})
	}
	return func(e entry) bool {
		for _, ok := range terms {
			if !ok(e) {
				return false
			}
		}
		return true
	}, nil
}
