// Package cursors reads and writes the cursors of sources as JSON.
package cursors

import (
	"encoding/json"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/sources"
)

// Read decodes the cursor of a request into what into points to, and leaves it alone
// before there is one. An error names the stream.
func Read(req sources.Request, into any) error {
	if req.Cursor == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(req.Cursor), into); err != nil {
		return fmt.Errorf("read the cursor of the stream %s: %w", req.Stream, err)
	}
	return nil
}

// Text returns a cursor as Page.Cursor holds it. It must be made of what always marshals:
// numbers, texts and times of this era. Of anything else no text comes, so that the page
// is committed and read again.
func Text(cursor any) string {
	text, err := json.Marshal(cursor)
	if err != nil {
		return ""
	}
	return string(text)
}
