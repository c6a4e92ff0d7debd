package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a file; no setting is nested nearly as deeply.
const maxDepth = 32

// parseDocument returns the file's only document without what is refused
// wherever it stands: duplicate and merge keys, anchors, aliases and tags. It
// returns nil where there is no mapping to look into.
func parseDocument(r *report, data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && isNull(doc.Content[0]):
		r.add(1, "", "the file is empty; it needs at least timezone and currency")
		return nil
	case err != nil:
		r.addSyntaxError(err, data)
		return nil
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		r.add(next.Content[0].Line, "", "the file holds several YAML documents; remove the line --- between them")
	case !errors.Is(err, io.EOF):
		r.addSyntaxError(err, data)
	}
	root := doc.Content[0]
	r.lines[""] = root.Line
	if root.Kind != yaml.MappingNode {
		r.add(root.Line, "", "expected keys and values such as timezone: Europe/Berlin, found %s", kindOf(root))
		return nil
	}
	r.clean(root, "", 0)
	return root
}

// addSyntaxError reports what the YAML parser says. It may quote what stands
// after "*", which may be a secret.
func (r *report) addSyntaxError(err error, data []byte) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		r.add(1+bytes.Count(before, []byte("\n")), "", `a value starts with "*", which YAML takes for an alias; quote it`)
		return
	}
	line := 1
	if m := syntaxError.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	r.add(line, "", "not valid YAML: %s; look at the indentation, colons, brackets and quotes around this line", text)
}

var (
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	syntaxError   = regexp.MustCompile(`^line (\d+): (.*)`)
)

// clean records the lines of the fields below n and removes what is refused.
func (r *report) clean(n *yaml.Node, path string, depth int) {
	if depth > maxDepth {
		n.Content = nil
		r.fail(path, "is nested too deeply; at most %d levels are allowed", maxDepth)
		return
	}
	refuse := r.fail
	if len(n.Content) > 0 { // what is in it can be judged all the same
		refuse = func(path, format string, args ...any) { r.add(r.line(path), path, format, args...) }
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		refuse(path, `YAML anchors and aliases are not supported; write the value out, or quote a text that starts with "&" or "*"`)
	case n.Style&yaml.TaggedStyle != 0:
		refuse(path, `YAML tags are not supported; remove the tag, or quote a text that starts with "!"`)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			p := element(path, i)
			r.lines[p] = item.Line
			r.clean(item, p, depth+1)
		}
	case yaml.MappingNode:
		r.cleanMapping(n, path, depth)
	}
}

func (r *report) cleanMapping(n *yaml.Node, path string, depth int) {
	seen := map[string]int{}
	kept := n.Content[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		p := join(path, key.Value)
		switch first, duplicate := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || isNull(key) || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
			r.add(key.Line, path, "a key must be plain text; quote it")
			continue
		case key.Tag == "!!merge":
			r.add(key.Line, p, "YAML merge keys are not supported; write the keys out")
			continue
		case duplicate:
			r.add(key.Line, p, "duplicate key, first given on line %d; remove one of them", first)
			continue
		}
		seen[key.Value] = key.Line
		r.lines[p] = key.Line
		r.clean(value, p, depth+1)
		kept = append(kept, key, value)
	}
	n.Content = kept
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// kindOf describes a node without its content, which may be a secret.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	switch n.Tag {
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "a number"
	}
	return "a string"
}
