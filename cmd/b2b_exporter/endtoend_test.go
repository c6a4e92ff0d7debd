package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
)

// The whole exposition of a service that has read the sample company.
func TestExposition(t *testing.T) {
	t.Parallel()
	_, url := newBank(t)
	dir := sampleCompany(t)
	config, err := os.ReadFile(filepath.Join(dir, "b2b.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "b2b.yml", strings.Replace(string(config), "\nsources:\n", "\n"+withRates("sources:\n", "bank", url), 1))
	moment, err := time.Parse(time.RFC3339, strings.TrimPrefix(sampleAsOf, "--as-of="))
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, newClock(moment).now, dir)
	e.await(t, ratesUp("bank"), "1")
	eventually(t, "all sources are up", func() bool { return !strings.Contains(lines(e.scrape(t), "b2b_source_up{"), "} 0") })
	families := sampleFamilies(t)
	if len(families) < 30 {
		t.Fatalf("the sample has %d families only", len(families))
	}
	eventually(t, "all KPIs of the sample are computed", func() bool { return len(missing(e.scrape(t), families)) == 0 })
	text := e.scrape(t)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	own := []string{
		"b2b_exporter_build_info", "b2b_source_up", "b2b_api_requests_total", "b2b_config_last_reload_successful",
		"go_goroutines", "process_open_fds", "promhttp_metric_handler_requests_total",
	}
	if m := missing(text, own); len(m) > 0 {
		t.Errorf("there are no families %v", m)
	}
	contract(t, text)
}

// sampleFamilies returns the metrics that kpis prints for the sample company.
func sampleFamilies(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sample.prom"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	return names
}

// missing returns the families that are not in an exposition.
func missing(exposition string, families []string) []string {
	return slices.DeleteFunc(slices.Clone(families), func(name string) bool {
		return strings.Contains(exposition, "\n# TYPE "+name+" ")
	})
}

// contract holds an exposition against the list of KPIs beside the repository, where
// that is and can be read.
func contract(t *testing.T, text string) {
	t.Helper()
	tool := filepath.Join("..", "..", "..", "shared", "tools", "contract.py")
	if _, err := os.Stat(tool); err != nil {
		t.Logf("there is no list of KPIs to compare with: %v", err)
		return
	}
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import yaml").Run(); err != nil {
		t.Logf("the list of KPIs cannot be read: %v", err)
		return
	}
	file := filepath.Join(t.TempDir(), "exposition.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "python3", tool, file).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the exposition is not what the list of KPIs says: %v", err)
	}
}

// spellings returns a secret as it may stand in a text.
func spellings(secret string) []string {
	return []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))}
}

func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	const key, password, token = "the key: 7f3a/9b+c2=", "pass word/41+d8", "tok en/e5+90"
	bank, bankURL := newBank(t)
	bank.Set(fake.Fault{Status: http.StatusForbidden, Echo: true}, 0, -1)
	withKey := func(config string) string {
		return strings.Replace(config, "ledger: {path: b2b.db}", "ledger: {path: b2b.db, key_file: key}", 1)
	}
	good := withKey(withRates(often(shopConfig), "bank", bankURL))
	host := strings.TrimPrefix(bankURL, "http://")
	e := newService(t, newClock(noon()).now, map[string]string{"b2b.yml": good, "key": key + "\n"}, "--log.level=debug")
	eventually(t, "the bank's failure is logged", func() bool { return strings.Contains(e.logs.String(), "permission") })

	said := map[string]string{}
	look := func(when string) {
		for _, path := range []string{"/metrics", "/config", "/", "/-/ready"} {
			said[when+": "+path] = e.get(t, path)
		}
		said[when+": log"] = e.logs.String()
	}
	look("at work")
	if !strings.Contains(said["at work: /config"], "key_file") {
		t.Errorf("/config does not show that there is a key:\n%s", said["at work: /config"])
	}
	for name, bad := range map[string]string{
		"user":   "http://me:" + url.QueryEscape(password) + "@" + host,
		"raw":    "http://me:" + password + "@" + host,
		"query":  bankURL + "/?token=" + url.QueryEscape(token),
		"scheme": "htp://me:" + url.QueryEscape(password) + "@" + host,
		"anchor": bankURL + "/#" + url.QueryEscape(token),
	} {
		write(t, e.dir, "b2b.yml", withKey(withRates(often(shopConfig), "bank", bad)))
		said[name+": reload"] = e.reload(t, http.StatusInternalServerError)
		look(name)
		for _, args := range [][]string{{"check"}, {"sync"}, {"kpis"}, {"run", "--web.listen-address=127.0.0.1:0"}} {
			r := runIn(t, e.dir, append(args, "--log.level=debug")...).fails(t, 1, "b2b.yml", "url")
			said[name+": "+args[0]] = r.out + r.errors
		}
	}
	// Another key cannot be used with the ledger.
	write(t, e.dir, "b2b.yml", good)
	write(t, e.dir, "key", password+"\n")
	said["other key: reload"] = e.reload(t, http.StatusInternalServerError)
	for _, command := range []string{"check", "kpis"} {
		r := runIn(t, e.dir, command).fails(t, 1)
		said["other key: "+command] = r.out + r.errors
	}
	look("other key")
	for where, text := range said {
		for _, secret := range []string{key, password, token} {
			for _, spelling := range spellings(secret) {
				if strings.Contains(text, spelling) {
					t.Errorf("%s holds %q:\n%s", where, spelling, lines(text, spelling))
				}
			}
		}
	}
}

// use is what the process holds.
type use struct {
	goroutines, files int
	heap              uint64
}

func used(t *testing.T) use {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("open files cannot be counted: %v", err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return use{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}

// Neither reloads nor scrapes leave anything behind, nor does the service itself. It is
// alone in the process meanwhile.
func TestNothingIsLeft(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the servers have been closed
	bank, bankURL := newBank(t)
	config := strings.ReplaceAll(withRates(often(shopConfig), "bank", bankURL), "10s", "1s")
	e := newService(t, newClock(noon()).now, map[string]string{"b2b.yml": config})
	const rounds, reloads, scrapes = 4, 5, 125
	var first, now use
	for round := range rounds {
		for range reloads {
			asked := bank.Requests()
			e.reload(t, http.StatusOK)
			for range scrapes / reloads {
				e.scrape(t)
			}
			eventually(t, "the bank is asked again", func() bool { return bank.Requests() > asked })
		}
		if round == 0 {
			first = used(t)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		now = used(t)
		if now.goroutines <= first.goroutines+2 && now.files <= first.files+2 && now.heap <= first.heap+2<<20 {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("after %d reloads and %d scrapes %+v are in use, after the first quarter it was %+v", rounds*reloads, rounds*scrapes, now, first)
			break
		}
	}
	t.Logf("in use: %+v, after the first quarter %+v", now, first)
	if code := e.stop(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, e.logs)
	}
}
