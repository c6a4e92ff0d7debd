package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// noon is a time in a zone that is not UTC.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600)) }

func sampleStatus() Status {
	return Status{
		AsOf:      Moment{noon(), "2 minutes ago"},
		Headlines: []Headline{{"Net revenue", "€ 1,234,567.89", "last 30 days"}, {"Active customers", "1,024", ""}},
		Streams: []Stream{
			{Source: "eu-shop", Vendor: "shopify", Stream: "order", Up: true, LastSuccess: Moment{noon(), "3 minutes ago"}, NextPoll: Moment{noon().Add(5 * time.Minute), "in 2 minutes"}},
			{Source: "eu-shop", Vendor: "shopify", Stream: "refund", Error: "list refunds: 403: scope read_orders is missing", LastSuccess: Moment{noon(), "1 hour ago"}},
			{Source: "crm", Vendor: "hubspot", Stream: "deal", Stale: true, Error: "timeout", LastSuccess: Moment{noon(), "2 days ago"}},
			{Source: "crm", Vendor: "hubspot", Stream: "lead", Stale: true, Up: true, LastSuccess: Moment{noon(), "2 days ago"}},
			{Source: "erp", Vendor: "csv", Stream: "order", NextPoll: Moment{At: noon()}},
		},
	}
}

// hostile is text that must stay text wherever it is put.
const hostile = `</style></title><script>alert(1)</script><img src=x onerror=alert(2)>" onclick="alert(3)" href="javascript:alert(4)" {{.}} http://attacker.example/`

func hostileStatus() Status {
	m := Moment{noon(), hostile}
	return Status{
		AsOf:      m,
		Headlines: []Headline{{hostile, hostile, hostile}},
		Streams:   []Stream{{Source: hostile, Vendor: hostile, Stream: hostile, Error: hostile, LastSuccess: m, NextPoll: m}},
	}
}

func pageOf(t *testing.T, opts Options) (text, policy string) {
	t.Helper()
	w := ask(t, newServer(t, opts).Handler(), "GET", "/")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d, Content-Type %q", w.Code, w.Header().Get("Content-Type"))
	}
	return w.Body.String(), w.Header().Get("Content-Security-Policy")
}

// tags returns the page's start tags, after checking that every one that needs an end
// tag has it, in order.
func tags(t *testing.T, text string) []html.Token {
	t.Helper()
	void := []string{"meta", "link", "br", "img", "input"}
	var all []html.Token
	var open []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("not closed: %v", open)
			}
			return all
		case html.StartTagToken:
			token := z.Token()
			all = append(all, token)
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.SelfClosingTagToken:
			t.Errorf("self-closing tag %s", z.Token())
		case html.EndTagToken:
			token := z.Token()
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> closes %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// text returns what a reader sees of a node, and calls visit with every element.
func textOf(n *html.Node, visit func(*html.Node)) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Type == html.ElementNode {
		visit(n)
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(textOf(c, visit))
	}
	return b.String()
}

func TestPageIsSafeHTML(t *testing.T) {
	for name, opts := range map[string]Options{
		"bare":   {},
		"sample": {Version: "1.2.3", Status: sampleStatus, Config: func() ([]byte, error) { return nil, nil }},
		"hostile": {
			Version: hostile, Status: hostileStatus, TelemetryPath: `/"><script>alert(1)</script>`,
			Ready: func() error { return errors.New(hostile) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			page, policy := pageOf(t, opts)
			if !strings.HasPrefix(page, "<!DOCTYPE html>\n") {
				t.Errorf("the page starts with %.40q", page)
			}
			ids, refs := map[string]bool{}, map[string]bool{}
			allowed := []string{
				"html", "head", "meta", "title", "style", "body", "header", "h1", "p", "nav", "ul", "li", "a", "main", "section", "h2",
				"dl", "div", "dt", "dd", "span", "table", "thead", "tbody", "tr", "th", "td", "time", "strong",
			}
			for _, tag := range tags(t, page) {
				if !slices.Contains(allowed, tag.Data) {
					t.Errorf("the page has %s", tag)
				}
				for _, a := range tag.Attr {
					switch a.Key {
					case "id":
						if ids[a.Val] {
							t.Errorf("id %s is given twice", a.Val)
						}
						ids[a.Val] = true
					case "aria-labelledby":
						refs[a.Val] = true
					case "href":
						if !strings.HasPrefix(a.Val, "./") {
							t.Errorf("%s refers to %q", tag, a.Val)
						}
					case "lang", "charset", "name", "content", "class", "role", "tabindex", "scope", "datetime", "aria-label":
					default:
						t.Errorf("%s has the attribute %s", tag, a.Key)
					}
				}
			}
			for id := range refs {
				if !ids[id] {
					t.Errorf("aria-labelledby refers to %s, which is missing", id)
				}
			}
			root, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			styles := 0
			textOf(root, func(n *html.Node) {
				if n.Data != "style" {
					return
				}
				styles++
				css := n.FirstChild.Data
				hash := sha256.Sum256([]byte(css))
				if want := "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"; !strings.Contains(policy, want) {
					t.Errorf("the policy %q lacks %s: browsers drop the style", policy, want)
				}
				for _, outside := range []string{"url(", "@import", "//"} {
					if strings.Contains(css, outside) {
						t.Errorf("the style has %s", outside)
					}
				}
			})
			if styles != 1 {
				t.Errorf("%d styles, want 1", styles)
			}
			if strings.Contains(strings.ReplaceAll(page, "http://attacker.example/", ""), "://") {
				t.Error("the page refers to another site")
			}
		})
	}
}

func TestPageShowsStatus(t *testing.T) {
	page, _ := pageOf(t, Options{
		Version: "1.2.3", TelemetryPath: "/kpis", Status: sampleStatus,
		Ready:  func() error { return errors.New("the first poll of eu-shop is running") },
		Config: func() ([]byte, error) { return nil, nil },
	})
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var links, times, rows []string
	all := textOf(root, func(n *html.Node) {
		switch n.Data {
		case "a":
			links = append(links, n.Attr[0].Val)
		case "time":
			times = append(times, n.Attr[0].Val)
		case "tr":
			rows = append(rows, strings.Join(strings.Fields(textOf(n, func(*html.Node) {})), " "))
		}
	})
	if got, want := strings.Join(links, " "), "./kpis ./config ./-/healthy ./-/ready"; got != want {
		t.Errorf("links %s, want %s", got, want)
	}
	if len(times) != 7 || slices.ContainsFunc(times, func(s string) bool { return !strings.HasSuffix(s, "Z") }) {
		t.Errorf("times %v, want 7 in UTC", times)
	}
	wantRows := []string{
		"SourceStreamStateLast successNext poll",
		"eu-shop shopify order up 2026-03-01T11:00:00Z 3 minutes ago 2026-03-01T11:05:00Z in 2 minutes",
		"eu-shop shopify refund downlist refunds: 403: scope read_orders is missing 2026-03-01T11:00:00Z 1 hour ago none planned",
		"crm hubspot deal down, staletimeout 2026-03-01T11:00:00Z 2 days ago none planned",
		"crm hubspot lead stale 2026-03-01T11:00:00Z 2 days ago none planned",
		"erp csv order waiting never 2026-03-01T11:00:00Z",
	}
	if !slices.Equal(rows, wantRows) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(wantRows, "\n"))
	}
	for _, want := range []string{"version 1.2.3", "Not ready: the first poll of eu-shop is running", "Net revenue", "€ 1,234,567.89", "last 30 days", "As of 2026-03-01T11:00:00Z 2 minutes ago"} {
		if !strings.Contains(all, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	bare, _ := pageOf(t, Options{})
	for _, unwanted := range []string{"<table", "<dl", "./config", "Not ready", "version"} {
		if strings.Contains(bare[strings.Index(bare, "<body>"):], unwanted) {
			t.Errorf("the page without a status has %s", unwanted)
		}
	}
}

func TestHostileTextIsShownAsItIs(t *testing.T) {
	page, _ := pageOf(t, Options{Version: hostile, Status: hostileStatus})
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	// Version; as of; headline 3; source, vendor, stream, error, last success, next poll.
	if got := strings.Count(textOf(root, func(*html.Node) {}), hostile); got != 11 {
		t.Errorf("the text is shown %d times, want 11", got)
	}
}

// What people read must stand out from its ground as WCAG 2.2 asks, in both schemes.
func TestContrast(t *testing.T) {
	light, dark, found := strings.Cut(pageStyle, "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("the style has no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "* {")
	for name, css := range map[string]string{"light": light, "dark": dark} {
		for _, ground := range []string{"ground", "raised"} {
			for _, text := range []string{"text", "muted", "link", "good", "warning", "bad"} {
				if c := contrast(luminance(t, css, text), luminance(t, css, ground)); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want 4.5 or more", name, text, ground, c)
				}
			}
		}
	}
}

func luminance(t *testing.T, css, name string) float64 {
	t.Helper()
	_, rest, found := strings.Cut(css, "--"+name+": #")
	if !found || len(rest) < 6 {
		t.Fatalf("the style has no colour %s", name)
	}
	rgb, err := hex.DecodeString(rest[:6])
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }
