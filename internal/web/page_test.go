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

func sampleStatus(asked string) Status {
	windows := []Window{
		{Name: "7d", Label: "7 days", Before: "the 7 days before", Back: "30 days ago"},
		{Name: "30d", Label: "30 days", Before: "the 30 days before", Back: "30 days ago"},
	}
	shown := 1
	if asked == "7d" {
		shown = 0
	}
	windows[shown].Shown = true
	return Status{
		AsOf: Moment{noon(), "2 min ago"}, Notice: "These figures are old.", Windows: windows,
		Checked: true, Unchecked: 1,
		Crossed: []Crossing{
			{KPI: "Net revenue", Level: Critical, Window: windows[0], Value: "1,234 EUR", Limit: "below 35,000 EUR"},
			{KPI: "Customers at risk", Level: Warning, Value: "9", Limit: "above 5"},
		},
		Groups: []Group{
			{Title: "Orders", Cards: []Card{
				{
					Title: "Net revenue", Help: "Gross less discounts & refunds.", Value: "1,234,568", Unit: "EUR", Level: Critical, Limit: "below 1,500,000 EUR",
					Change: Change{Direction: Down, By: "8.2 %", Verdict: Worse, Before: "1,344,845 EUR"},
				},
				{Title: "Profit margin", Reason: "nothing to divide by"},
			}},
			{Title: "Customers", Cards: []Card{
				{Title: "Customers at risk", Now: true, Value: "9", Level: Warning, Limit: "above 5", Change: Change{Direction: Up, Before: "0"}},
				{Title: "New customers", Value: "3", Level: OK, Limit: "warning below 2", Change: Change{Direction: Same, Before: "3"}},
				{Title: "Returning customer rate", Value: "80.0", Unit: "%", Change: Change{Reason: "too few to tell"}},
			}},
		},
		Missing: []Missing{{Group: "Recurring", Titles: []string{"MRR", "MRR churn rate"}}, {Group: "Ads", Titles: []string{"Ad cost"}}},
		Sources: []Source{
			{Name: "eu-shop", Vendor: "shopify", Streams: []Stream{
				{Name: "order", Up: true, Backfill: 100, LastSuccess: Moment{noon(), "3 min ago"}, NextPoll: Moment{noon().Add(5 * time.Minute), "in 2 min"}},
				{Name: "refund", Error: "list refunds: 403: scope read_orders is missing", LastSuccess: Moment{noon(), "1 h ago"}},
			}},
			{Name: "crm", Vendor: "hubspot", Streams: []Stream{
				{Name: "deal", Stale: true, Error: "timeout", LastSuccess: Moment{noon(), "2 d ago"}},
				{Name: "lead", Stale: true, Up: true, LastSuccess: Moment{noon(), "2 d ago"}},
				{Name: "activity", Up: true, Truncated: true, LastSuccess: Moment{noon(), "1 min ago"}},
			}},
			{Name: "erp", Vendor: "csv", Streams: []Stream{
				{Name: "order", NextPoll: Moment{noon(), "due"}},
				{Name: "customer", Backfill: 42},
			}},
		},
	}
}

const docs = "https://docs.example/b2b_exporter"

// hostile is text that must stay text wherever it is put.
const hostile = `</style></title><script>alert(1)</script><img src=x onerror=alert(2)>" onclick="alert(3)" href="javascript:alert(4)" {{.}} http://attacker.example/`

func hostileStatus(string) Status {
	m := Moment{noon(), hostile}
	w := Window{Name: hostile, Label: hostile, Before: hostile, Back: hostile, Shown: true}
	return Status{
		AsOf: m, Notice: hostile, Windows: []Window{w}, Checked: true,
		Crossed: []Crossing{{KPI: hostile, Level: Critical, Window: w, Value: hostile, Limit: hostile}},
		Groups: []Group{{Title: hostile, Cards: []Card{
			{
				Title: hostile, Help: hostile, Value: hostile, Unit: hostile, Level: hostile, Limit: hostile,
				Change: Change{Direction: Up, By: hostile, Verdict: hostile, Before: hostile},
			},
			{Title: hostile, Reason: hostile, Change: Change{Reason: hostile}},
		}}},
		Missing: []Missing{{Group: hostile, Titles: []string{hostile, hostile}}},
		Sources: []Source{{Name: hostile, Vendor: hostile, Streams: []Stream{{Name: hostile, Error: hostile, LastSuccess: m, NextPoll: m}}}},
	}
}

func pageOf(t *testing.T, opts Options, query string) (text, policy string) {
	t.Helper()
	w := ask(t, newServer(t, opts).Handler(), "GET", "/"+query)
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
		"sample": {Version: "1.2.3", Docs: docs, Status: sampleStatus, Config: func() ([]byte, error) { return nil, nil }},
		"hostile": {
			Version: hostile, Docs: "javascript:alert(5)", Status: hostileStatus, TelemetryPath: `/"><script>alert(1)</script>`,
			Ready: func() error { return errors.New(hostile) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			page, policy := pageOf(t, opts, "?refresh")
			if !strings.HasPrefix(page, "<!DOCTYPE html>\n") {
				t.Errorf("the page starts with %.40q", page)
			}
			ids, refs, leaves := map[string]bool{}, map[string]bool{}, 0
			allowed := []string{
				"html", "head", "meta", "title", "style", "body", "header", "h1", "p", "nav", "ul", "li", "a", "main", "section", "h2",
				"dl", "div", "dt", "dd", "span", "table", "thead", "tbody", "tr", "th", "td", "time", "strong", "footer", "progress",
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
						switch {
						case a.Val == docs:
							leaves++
						case strings.HasPrefix(a.Val, "#") && a.Val != "#ZgotmplZ":
							refs[a.Val[1:]] = true
						case !strings.HasPrefix(a.Val, "./") && a.Val != "#ZgotmplZ": // html/template's for what is unsafe
							t.Errorf("%s refers to %q", tag, a.Val)
						}
					case "http-equiv":
						if a.Val != "refresh" {
							t.Errorf("the page sets %s", a.Val)
						}
					case "lang", "charset", "name", "content", "class", "role", "tabindex", "scope", "datetime", "aria-label",
						"aria-hidden", "aria-current", "title", "colspan", "rel", "max", "value":
					default:
						t.Errorf("%s has the attribute %s", tag, a.Key)
					}
				}
			}
			for id := range refs {
				if !ids[id] {
					t.Errorf("the page refers to its own %s, which is missing", id)
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
			// The documentation is a link, which a browser follows only when it is clicked.
			inner := strings.NewReplacer("http://attacker.example/", "", `href="`+docs+`"`, "").Replace(page)
			if strings.Contains(inner, "://") {
				t.Error("the page refers to another site")
			}
			if want := strings.Count(opts.Docs, docs); leaves != want {
				t.Errorf("%d links to the documentation, want %d", leaves, want)
			}
		})
	}
}

// words returns what a reader sees of a node, with single spaces.
func words(n *html.Node) string {
	return strings.Join(strings.Fields(textOf(n, func(*html.Node) {})), " ")
}

func attribute(n *html.Node, name string) string {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return ""
	}
	return n.Attr[i].Val
}

// elements returns the elements of a page with a name, in order.
func elements(t *testing.T, page, name string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var list []*html.Node
	textOf(root, func(n *html.Node) {
		if n.Data == name {
			list = append(list, n)
		}
	})
	return list
}

func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPageShowsStatus(t *testing.T) {
	page, _ := pageOf(t, Options{
		Version: "1.2.3", TelemetryPath: "/kpis", Docs: docs, Status: sampleStatus,
		Ready:  func() error { return errors.New("the first poll of eu-shop is running") },
		Config: func() ([]byte, error) { return nil, nil },
	}, "")
	var links, cards, rows, times []string
	for _, a := range elements(t, page, "a") {
		links = append(links, attribute(a, "href"))
	}
	compareLines(t, "links", links, []string{
		"./?window=7d", "./?window=30d", "./?window=7d", "#sources",
		"./?window=30d&refresh", "./kpis", "./config", "./-/healthy", "./-/ready", docs,
	})
	for _, d := range elements(t, page, "div") {
		if class := attribute(d, "class"); strings.HasPrefix(class, "card") {
			cards = append(cards, class+": "+words(d))
		}
	}
	compareLines(t, "cards", cards, []string{
		"card critical: Net revenue 1,234,568 EUR ▼ down 8.2 %, worse from 1,344,845 EUR ✕ Critical below 1,500,000 EUR",
		"card: Profit margin – nothing to divide by",
		"card warning: Customers at risk now 9 ▲ up from 0 ! Warning above 5",
		"card ok: New customers 3 = steady from 3 ✓ OK warning below 2",
		"card: Returning customer rate 80.0 % Nothing to compare with: too few to tell",
	})
	for _, r := range elements(t, page, "tr") {
		rows = append(rows, words(r))
	}
	compareLines(t, "rows", rows, []string{
		"StreamStateLast successNext poll",
		"eu-shop shopify",
		"order up 3 min ago in 2 min",
		"refund down 1 h ago none planned",
		"list refunds: 403: scope read_orders is missing",
		"crm hubspot",
		"deal down, stale 2 d ago none planned",
		"timeout",
		"lead stale 2 d ago none planned",
		"activity cut short 1 min ago none planned",
		"The vendor cut its last answer short: KPIs that need this stream have no value.",
		"erp csv",
		"order waiting never due",
		"customer readinghistory read: 42 % never none planned",
	})
	for _, at := range elements(t, page, "time") {
		times = append(times, attribute(at, "datetime"))
	}
	if len(times) != 8 || slices.ContainsFunc(times, func(s string) bool { return !strings.HasSuffix(s, "Z") }) {
		t.Errorf("times %v, want 8 in UTC", times)
	}
	all := words(elements(t, page, "body")[0])
	for _, want := range []string{
		"version 1.2.3", "Not ready: the first poll of eu-shop is running", "These figures are old.", "As of 2026-03-01 12:00 CET, 2 min ago",
		"✕ Critical Net revenue (7 days): 1,234 EUR, below 35,000 EUR ! Warning Customers at risk: 9, above 5 1 KPI with a threshold has no value",
		"4 streams of sources are down, stale or cut short", "30 days, compared with the 30 days before.", "compared with 30 days ago.",
		"Recurring: MRR, MRR churn rate Ads: Ad cost",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the page lacks %q:\n%s", want, all)
		}
	}
	bare, _ := pageOf(t, Options{}, "")
	for _, unwanted := range []string{"<table", "<dl", "./config", "Not ready", "version", "threshold", "window", "As of 0001", "http"} {
		if strings.Contains(bare[strings.Index(bare, "<body>"):], unwanted) {
			t.Errorf("the page without a status has %s", unwanted)
		}
	}
}

func TestPageOfAWindow(t *testing.T) {
	for query, want := range map[string]struct{ shown, refresh, links string }{
		"":                   {"30 days", "", "./?window=7d ./?window=30d ./?window=30d&refresh"},
		"?window=7d":         {"7 days", "", "./?window=7d ./?window=30d ./?window=7d&refresh"},
		"?window=7d&refresh": {"7 days", "60", "./?window=7d&refresh ./?window=30d&refresh ./?window=7d"},
		"?refresh=":          {"30 days", "60", "./?window=7d&refresh ./?window=30d&refresh ./?window=30d"},
	} {
		status := func(asked string) Status {
			s := sampleStatus(asked)
			s.Crossed, s.Sources = nil, nil
			return s
		}
		page, _ := pageOf(t, Options{Status: status}, query)
		var shown, refresh string
		var links []string
		for _, a := range elements(t, page, "a") {
			if strings.Contains(attribute(a, "href"), "window=") {
				links = append(links, attribute(a, "href"))
			}
			if attribute(a, "aria-current") == "page" {
				shown += words(a)
			}
		}
		for _, m := range elements(t, page, "meta") {
			if attribute(m, "http-equiv") != "" {
				refresh += attribute(m, "content")
			}
		}
		if shown != want.shown || refresh != want.refresh || strings.Join(links, " ") != want.links {
			t.Errorf("%q: shown %q, refresh %q, links %s; want %+v", query, shown, refresh, links, want)
		}
		if !strings.Contains(page, "No threshold is crossed.") {
			t.Errorf("%q: the page does not say that no threshold is crossed", query)
		}
	}
}

func TestPageIsCachedByItsContent(t *testing.T) {
	h := newServer(t, Options{Status: sampleStatus}).Handler()
	first := ask(t, h, "GET", "/")
	tag := first.Header().Get("ETag")
	if got := first.Header().Get("Cache-Control"); got != "private, no-cache" || tag == "" {
		t.Errorf("Cache-Control %q, ETag %q", got, tag)
	}
	if w := ask(t, h, "GET", "/", "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("the same page again: %d with %d bytes, want 304 with none", w.Code, w.Body.Len())
	}
	if w := ask(t, h, "GET", "/?window=7d", "If-None-Match", tag); w.Code != 200 || w.Header().Get("ETag") == tag {
		t.Errorf("another page: %d, ETag %s", w.Code, w.Header().Get("ETag"))
	}
	if w := ask(t, h, "HEAD", "/"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d with %d bytes, ETag %s", w.Code, w.Body.Len(), w.Header().Get("ETag"))
	}
}

func TestHostileTextIsShownAsItIs(t *testing.T) {
	page, _ := pageOf(t, Options{Version: hostile, Status: hostileStatus}, "")
	// Version; as of; notice; window 4: choice, before, back, scope; crossing 4; group; card 4 and
	// change 3; other card 3; missing 3; source 2; stream 4.
	if got := strings.Count(textOf(elements(t, page, "html")[0], func(*html.Node) {}), hostile); got != 31 {
		t.Errorf("the text is shown %d times, want 31", got)
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
