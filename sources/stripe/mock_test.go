package stripe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// mockKey is of the only form that the vendor's mock takes.
const mockKey = "rk_test_123"

// startMock builds the vendor's own mock server, starts it on a free port and returns its
// address.
func startMock(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stripe-mock")
	build := exec.CommandContext(t.Context(), "go", "build", "-modfile=../../tools/stripe-mock/go.mod", "-o", binary, "github.com/stripe/stripe-mock")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "" && os.Getenv("REQUIRE_STRIPE_MOCK") == "" {
			t.Skipf("stripe-mock cannot be built here: %v\n%s", err, out)
		}
		t.Fatalf("build stripe-mock: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	mock := exec.CommandContext(ctx, binary, "-http-addr=127.0.0.1:0", "-https-addr=127.0.0.1:0", "-strict-version-check")
	stdout, err := mock.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	address, done := make(chan string, 1), make(chan struct{})
	go func() { // reads until the process ends, which would block else
		defer close(done)
		defer close(address)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "Listening for HTTP at address: "); ok {
				address <- text
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := mock.Wait(); err == nil {
			t.Error("stripe-mock has ended by itself")
		}
	})
	at := <-address
	if at == "" {
		t.Fatal("stripe-mock has not said where it listens")
	}
	return "http://" + at
}

// shape is what requests have in common that differ only in IDs and times.
func shape(r *http.Request) string {
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) > 3 {
		parts[3] = "{id}"
	}
	list := []string{strings.Join(parts, "/")}
	for name, values := range r.URL.Query() {
		if name == "expand[]" || name == "types[]" || name == "status" {
			name += "=" + strings.Join(values, ",")
		}
		list = append(list, name)
	}
	slices.Sort(list[1:])
	return strings.Join(list, " ")
}

// TestMock lets the vendor's own server check every kind of request that the source makes, and
// reads the vendor's own fixtures.
func TestMock(t *testing.T) {
	base := startMock(t)
	ask := func(url string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+mockKey)
		r.Header.Set("Stripe-Version", apiVersion)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	shapes := map[string]bool{}
	for _, r := range exercise(t) {
		if shapes[shape(r)] {
			continue
		}
		shapes[shape(r)] = true
		if status, body := ask(base + r.URL.RequestURI()); status != http.StatusOK {
			t.Errorf("GET %s: status %d: %s", r.URL.RequestURI(), status, body)
		}
	}
	if len(shapes) < 20 {
		t.Errorf("only %d kinds of request were sent: %v", len(shapes), shapes)
	}
	if status, _ := ask(base + "/v1/subscriptions?stats=all"); status == http.StatusOK {
		t.Error("stripe-mock takes an unknown parameter: it checks nothing")
	}
	readMock(t, base)
}

func readMock(t *testing.T, base string) {
	t.Helper()
	src, err := New("billing", testOptions(base, func(o *Options) {
		o.APIKey, o.Invoices = config.LiteralSecret(mockKey), true
	}), apiclient.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	env := sources.Environment{Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Zone: time.UTC, Currency: "EUR"}
	for _, f := range src.Check(t.Context(), env) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Subject, f.Err)
		}
	}
	for _, st := range src.Streams() {
		records := 0
		err := src.Fetch(t.Context(), sources.Request{Environment: env, Stream: st.Name}, func(_ context.Context, p sources.Page) error {
			records += len(p.Records)
			if len(p.Rejected) > 0 {
				return fmt.Errorf("rejected: %+v", p.Rejected)
			}
			return nil
		})
		if err != nil || records == 0 {
			t.Errorf("stream %s: %d records, %v", st.Name, records, err)
		}
	}
}
