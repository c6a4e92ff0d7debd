package apiclient

// PageGuard ends page loops that a vendor's fault would keep going for ever. The
// zero value is ready to use, for one loop.
type PageGuard struct{ seen map[string]struct{} }

// Next is told the cursor (or URL, or page number) of each page before it is read,
// and returns a *LoopError for one that was told before.
func (g *PageGuard) Next(cursor string) error {
	if _, met := g.seen[cursor]; met {
		return &LoopError{Pages: len(g.seen)}
	}
	if g.seen == nil {
		g.seen = map[string]struct{}{}
	}
	g.seen[cursor] = struct{}{}
	return nil
}
