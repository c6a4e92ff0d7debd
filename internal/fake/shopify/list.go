package shopify

import (
	"cmp"
	"encoding/base64"
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
	key              string // what the list is sorted by, before the ID
	created, updated time.Time
}

// inner is a connection inside an object, in the order of its nodes.
func inner(nodes []object) resolver {
	return func(_ *execution, args map[string]any) (any, error) {
		entries := make([]entry, len(nodes))
		for i := range nodes {
			entries[i] = entry{id: int64(i)}
		}
		return paged(entries, args, everything, func(i int64) object { return nodes[i] })
	}
}

func everything(entry) bool { return true }

// listing is a list of the root. It is kept in the orders that were asked for until it changes.
type listing struct {
	entries   func() []entry
	object    func(id int64) object
	shown     func(entry) bool
	wholeDays bool // how the list of customers compares times
	sorted    map[string][]entry
}

// changed says that the list is not what it was.
func (l *listing) changed() { clear(l.sorted) }

// resolve returns a page of the list.
func (l *listing) resolve(_ *execution, args map[string]any) (any, error) {
	by := sortKey(args)
	entries := l.sorted[by]
	if entries == nil {
		entries = sorted(l.entries(), by)
		l.sorted[by] = entries
	}
	filter, _ := args["query"].(string)
	match, err := search(filter, l.wholeDays)
	if err != nil {
		return nil, err
	}
	return paged(entries, args, func(e entry) bool { return l.shown(e) && match(e) }, l.object)
}

func sortKey(args map[string]any) string {
	if by, ok := args["sortKey"].(string); ok {
		return by
	}
	return "ID"
}

// sorted sorts a list by one of the API's sort keys.
func sorted(entries []entry, by string) []entry {
	for i := range entries {
		switch by {
		case "UPDATED_AT":
			entries[i].key = stamp(entries[i].updated)
		case "CREATED_AT":
			entries[i].key = stamp(entries[i].created)
		}
	}
	slices.SortFunc(entries, compare)
	return entries
}

func compare(a, b entry) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id)) }

// paged returns the page of a sorted list that first and after ask for, of the entries that
// match. It leaves the list as it is. Node returns the node of an entry.
func paged(entries []entry, args map[string]any, match func(entry) bool, node func(id int64) object) (any, error) {
	if after, ok := args["after"].(string); ok {
		value, id, err := decodeCursor(after)
		if err != nil {
			return nil, err
		}
		at, found := slices.BinarySearchFunc(entries, entry{key: value, id: id}, compare)
		if found {
			at++
		}
		entries = entries[at:]
	}
	first, err := size(args["first"])
	if err != nil {
		return nil, err
	}
	page := make([]entry, 0, min(first, len(entries)))
	more := false
	for _, e := range entries {
		if !match(e) {
			continue
		}
		if more = len(page) == first; more {
			break
		}
		page = append(page, e)
	}
	nodes := make([]object, len(page))
	for i, e := range page {
		nodes[i] = node(e.id)
	}
	var end any
	if len(page) > 0 {
		end = page[len(page)-1].cursor()
	}
	info := object{{"__typename", "PageInfo"}, {"hasNextPage", more}, {"endCursor", end}}
	edges := resolver(func(*execution, map[string]any) (any, error) {
		edges := make([]object, len(page))
		for i, n := range nodes {
			edges[i] = object{{"node", n}, {"cursor", page[i].cursor()}}
		}
		return edges, nil
	})
	return object{{"pageInfo", info}, {"nodes", nodes}, {"edges", edges}}, nil
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

func (e entry) cursor() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", e.key, e.id))
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
