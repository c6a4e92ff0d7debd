package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// bulkSignature is part of the address of a bulk operation's file, and secret.
const bulkSignature = "c2lnbmF0dXJl-of-the-bulk-file"

// BulkSignature is a part of the addresses of bulk files that nobody may log.
func BulkSignature() string { return bulkSignature }

// bulk is a bulk operation.
type bulk struct {
	id      int64
	query   string
	created time.Time
	ready   time.Time
	roots   int
	file    []byte
	failure string // its errorCode, where it fails
	missing bool   // its file is gone
}

// FailBulk lets the running and finished bulk operations fail with an error code.
func (s *Server) FailBulk(code string) {
	s.locked(func() {
		for _, b := range s.bulks {
			b.failure = code
		}
	})
}

// LoseFiles removes the files of the bulk operations, as it happens after a week.
func (s *Server) LoseFiles() {
	s.locked(func() {
		for _, b := range s.bulks {
			b.missing = true
		}
	})
}

func (s *Server) mutations() object {
	payload := func(operation any, problems []object) object {
		return object{{"__typename", "BulkOperationRunQueryPayload"}, {"bulkOperation", operation}, {"userErrors", problems}}
	}
	refuse := func(code, message string) object {
		return payload(nil, []object{
			{{"__typename", "BulkOperationUserError"}, {"code", code}, {"message", message}, {"field", []any{"query"}}},
		})
	}
	return object{
		{"__typename", "Mutation"},
		{"bulkOperationRunQuery", resolver(func(_ *execution, args map[string]any) (any, error) {
			for _, b := range s.bulks {
				if s.Now().Before(b.ready) && b.failure == "" {
					return refuse("OPERATION_IN_PROGRESS", "A bulk query operation for this app and shop is already in progress"), nil
				}
			}
			if grouped, ok := args["groupObjects"].(bool); !ok || !grouped {
				return refuse("INVALID", "this fake only groups objects"), nil
			}
			b, err := s.runBulk(fmt.Sprint(args["query"]))
			if err != nil {
				return refuse("INVALID", err.Error()), nil
			}
			return payload(s.bulkObject(b, ""), nil), nil
		})},
	}
}

// runBulk takes the picture of the shop that the file will show.
func (s *Server) runBulk(query string) (*bulk, error) {
	doc, err := s.document(query)
	if err != nil {
		return nil, err
	}
	op := doc.Operations.ForName("")
	if op == nil {
		return nil, fmt.Errorf("no operation")
	}
	if err := bulkRules(op.SelectionSet, 0, false); err != nil {
		return nil, err
	}
	x := &execution{whole: true, variables: map[string]any{}}
	if err := x.object(op.SelectionSet, s.root(), nil); err != nil {
		return nil, err
	}
	if s.Schema != nil {
		if err := checkAnswer(s.Schema, op, x.data); err != nil {
			return nil, err
		}
	}
	data, err := decode(x.data)
	if err != nil {
		return nil, err
	}
	b := &bulk{id: int64(len(s.bulks) + 1), query: query, created: s.Now(), ready: s.Now().Add(s.BulkDelay)}
	if len(x.errors) > 0 {
		b.failure = "ACCESS_DENIED" // of the whole operation: it knows no answer in part
	}
	var out bytes.Buffer
	for _, v := range data {
		b.roots += writeRows(&out, v, "")
	}
	b.file = out.Bytes()
	s.bulks[b.id] = b
	return b, nil
}

// bulkRules are the limits of bulk queries: at most two levels of connections, none
// inside a list.
func bulkRules(selected ast.SelectionSet, depth int, inList bool) error {
	for _, s := range selected {
		f, ok := s.(*ast.Field)
		if !ok {
			continue
		}
		isConnection := slices.ContainsFunc(f.SelectionSet, func(s ast.Selection) bool {
			f, ok := s.(*ast.Field)
			return ok && (f.Name == "edges" || f.Name == "nodes")
		})
		next := depth
		if isConnection {
			if next++; next > 2 || inList {
				return fmt.Errorf("the connection %s is nested too deep or is inside a list", f.Name)
			}
		}
		listed := inList || slices.Contains([]string{"refunds", "transactions", "taxLines", "discountAllocations"}, f.Name)
		if err := bulkRules(f.SelectionSet, next, listed); err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes the nodes of a connection, each followed by those inside it, and
// returns how many it has.
func writeRows(out *bytes.Buffer, connection any, parent string) int {
	c, ok := connection.(map[string]any)
	if !ok {
		return 0
	}
	edges, ok := c["edges"].([]any)
	if !ok {
		return 0
	}
	for _, e := range edges {
		edge, ok := e.(map[string]any)
		if !ok {
			continue
		}
		node, ok := edge["node"].(map[string]any)
		if !ok {
			continue
		}
		row, children := map[string]any{}, []any{}
		for name, v := range node {
			if m, ok := v.(map[string]any); ok && m["edges"] != nil {
				children = append(children, v)
				continue
			}
			row[name] = v
		}
		if parent != "" {
			row["__parentId"] = parent
		}
		text, err := json.Marshal(row)
		if err != nil {
			continue // values of objects always marshal
		}
		out.Write(append(text, '\n'))
		for _, child := range children {
			writeRows(out, child, fmt.Sprint(node["id"]))
		}
	}
	return len(edges)
}

func (s *Server) bulkNode(host string, id any) (any, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(fmt.Sprint(id), "gid://shopify/BulkOperation/"), 10, 64)
	if err != nil {
		return nil, err
	}
	if b := s.bulks[n]; b != nil {
		return s.bulkObject(b, host), nil
	}
	return nil, nil
}

func (s *Server) bulkObject(b *bulk, host string) object {
	status, address := "RUNNING", ""
	switch {
	case b.failure != "":
		status = "FAILED"
	case !s.Now().Before(b.ready):
		status = "COMPLETED"
		if b.roots > 0 {
			address = fmt.Sprintf("http://%s/bulk/%d.jsonl?signature=%s", host, b.id, bulkSignature)
		}
	}
	return object{
		{"__typename", "BulkOperation"},
		{"id", gid("BulkOperation", b.id)},
		{"status", status},
		{"errorCode", text(b.failure)},
		{"createdAt", instant(b.created)},
		{"query", b.query},
		{"rootObjectCount", strconv.Itoa(b.roots)},
		{"url", text(address)},
	}
}

// file serves the file of a bulk operation to whoever knows its address.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.calls["file"]++
	name, _ := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/bulk/"), ".jsonl")
	id, err := strconv.ParseInt(name, 10, 64)
	b := s.bulks[id]
	switch {
	case err != nil || b == nil || b.missing || r.URL.Query().Get("signature") != bulkSignature:
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
	case r.Header.Get("X-Shopify-Access-Token") != "":
		http.Error(w, "credentials do not belong here", http.StatusBadRequest)
	default:
		w.Header().Set("Content-Type", "application/jsonl")
		// An error means that the client has gone.
		_, _ = w.Write(b.file)
	}
}
