package endpoint

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// get sends one request to the address of o, with o's credentials.
func get(t *testing.T, o Options) (string, error) {
	t.Helper()
	client, err := o.Client("erp", "json", apiclient.Deps{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(t.Context(), apiclient.Request{Path: o.URL})
	if err != nil {
		return "", err
	}
	return string(r.Body), nil
}

// TestCredentials: what arrives at the server is what it expects.
func TestCredentials(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			id, secret, _ := r.BasicAuth()
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"%s-%s-%s-%s","token_type":"Bearer"}`, id, secret, r.FormValue("client_secret"), r.FormValue("audience"))
			return
		}
		fmt.Fprintf(w, "%s %s %s", r.Header.Get("Authorization"), r.Header.Get("X-Key"), r.URL.RawQuery)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, text := config.FileSecret(file), config.LiteralSecret("literal")
	grant := func(inHeader bool) *OAuth2 {
		return &OAuth2{
			TokenURL: server.URL + "/token", ClientID: "id", ClientSecret: secret, InHeader: inHeader, EndpointParams: map[string]string{"audience": "api"},
		}
	}
	tests := []struct {
		name    string
		options Options
		want    string
	}{
		{"none", Options{}, "  a=b"},
		{"bearer", Options{BearerToken: secret}, "Bearer from-file  a=b"},
		{"basic", Options{BasicAuth: &BasicAuth{Username: "eva", Password: secret}}, "Basic ZXZhOmZyb20tZmlsZQ==  a=b"},
		{"query", Options{Query: []Parameter{{Name: "key", Value: secret}}}, "  a=b&key=from-file"},
		{"header", Options{Headers: []Parameter{{Name: "X-Key", Value: text}}}, " literal a=b"},
		{"bearer and header", Options{BearerToken: secret, Headers: []Parameter{{Name: "X-Key", Value: text}}}, "Bearer from-file literal a=b"},
		{"OAuth 2.0 in the form", Options{OAuth2: grant(false)}, "Bearer --from-file-api  a=b"},
		{"OAuth 2.0 in the header", Options{OAuth2: grant(true)}, "Bearer id-from-file--api  a=b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.URL = server.URL + "/x?a=b"
			if problems := test.options.Problems(); problems != nil {
				t.Fatal(problems)
			}
			if got, err := get(t, test.options); err != nil || got != test.want {
				t.Errorf("the server got %q (error %v), want %q", got, err, test.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	o := Options{
		URL: "https://eva:pass@example.com/", OAuth2: &OAuth2{TokenURL: "token"}, BearerToken: config.LiteralSecret("x"),
		Headers: []Parameter{{Name: "X Key"}}, RedirectHosts: []string{"example.com", "https://example.com", "com", ""}, Timeout: -time.Second, MaxMegabytes: -1,
	}
	want := []rows.Problem{
		{Path: "url", Text: "the URL must hold no user and no fragment; credentials have their own options"},
		{Path: "", Text: "give one of bearer_token, basic_auth, oauth2 and query: the server expects one way"},
		{Path: "oauth2.token_url", Text: "expected an http or https URL with a host"},
		{Path: "headers[0].name", Text: `"X Key" is not the name of a header`},
		{Path: "redirect_hosts[1]", Text: `"https://example.com" is not a host such as example.com, which stands also for all hosts below it`},
		{Path: "redirect_hosts[2]", Text: `"com" is not a host such as example.com, which stands also for all hosts below it`},
		{Path: "redirect_hosts[3]", Text: `"" is not a host such as example.com, which stands also for all hosts below it`},
		{Path: "timeout", Text: "must be above 0"},
		{Path: "max_megabytes", Text: "must be above 0"},
	}
	if diff := cmp.Diff(want, o.Problems()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// hosts is a transport that answers for all hosts by their names.
type hosts map[string]func(*http.Request) *http.Response

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := h[r.URL.Host](r)
	resp.Request = r
	return resp, nil
}

func answer(status int, location, body string) *http.Response {
	recorder := httptest.NewRecorder()
	if location != "" {
		recorder.Header().Set("Location", location)
	}
	recorder.WriteHeader(status)
	recorder.Body.WriteString(body)
	return recorder.Result()
}

// Published sheets are served from another host, which gets no credentials.
func TestRedirects(t *testing.T) {
	seen := ""
	network := func(location string) hosts {
		return hosts{
			"docs.example.com": func(*http.Request) *http.Response { return answer(307, location, "") },
			"doc-1.content.example.net": func(r *http.Request) *http.Response {
				seen = fmt.Sprint(r.Header)
				return answer(200, "", "the sheet")
			},
			"other.example.org": func(*http.Request) *http.Response { return answer(200, "", "not to be read") },
		}
	}
	tests := []struct{ location, want string }{
		{"https://doc-1.content.example.net/pub?key=1", "the sheet"},
		{"http://doc-1.content.example.net/pub", ""},
		{"https://other.example.org/pub", ""},
		{"https://docs.example.com/pub", ""}, // the client follows it, and gives up
	}
	for _, test := range tests {
		o := Options{
			URL: "https://docs.example.com/pub?output=csv", BearerToken: config.LiteralSecret("t0ken"),
			Headers: []Parameter{{Name: "X-Key", Value: config.LiteralSecret("k3y-k3y")}}, RedirectHosts: []string{"Example.NET"},
		}
		client, err := o.Client("erp", "csv", apiclient.Deps{Transport: network(test.location)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.Do(t.Context(), apiclient.Request{Path: o.URL})
		switch {
		case (err == nil) != (test.want != ""):
			t.Errorf("%s: error %v", test.location, err)
		case err == nil && string(r.Body) != test.want:
			t.Errorf("%s: %q, want %q", test.location, r.Body, test.want)
		}
	}
	if strings.Contains(seen, "t0ken") || strings.Contains(seen, "k3y") {
		t.Errorf("the other host got the credentials: %s", seen)
	}
}
