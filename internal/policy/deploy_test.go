package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/b2bexporter/b2b_exporter/internal/config"
)

// port is the one that the exporter listens on by default.
const port = "9846"

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// dockerfile returns the arguments of each instruction, continued lines joined.
func dockerfile(t *testing.T) map[string][]string {
	t.Helper()
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(read(t, "Dockerfile"), "")
	list := map[string][]string{}
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		name, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" {
			list[name] = append(list[name], strings.Join(strings.Fields(args), " "))
		}
	}
	return list
}

// words decodes the JSON form of an instruction.
func words(t *testing.T, text string) []string {
	t.Helper()
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return list
}

func only(t *testing.T, list map[string][]string, name string) string {
	t.Helper()
	if len(list[name]) != 1 {
		t.Fatalf("%d times %s, want once: %q", len(list[name]), name, list[name])
	}
	return list[name][0]
}

func TestDockerfile(t *testing.T) {
	d := dockerfile(t)
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if from := d["FROM"]; len(from) != 2 || !strings.Contains(from[0], "golang:"+goVersion[1]+" ") || !strings.HasSuffix(from[1], ":nonroot") {
		t.Errorf("images %q, want Go %s and one without root", from, goVersion[1])
	}
	if run := strings.Join(d["RUN"], "\n"); !strings.Contains(run, "make build") {
		t.Errorf("the image is built by %q, not by the Makefile", run)
	}
	if got := only(t, d, "EXPOSE"); got != port {
		t.Errorf("port %s, want %s", got, port)
	}
	program := words(t, only(t, d, "ENTRYPOINT"))[0]
	if copies := strings.Join(d["COPY"], "\n"); !strings.Contains(copies, " "+program) {
		t.Errorf("%s is not among what is copied: %q", program, d["COPY"])
	}
	if got := words(t, strings.TrimSpace(after(only(t, d, "HEALTHCHECK"), "CMD")))[0]; got != program {
		t.Errorf("health is asked of %s, not of %s", got, program)
	}
	// Where the configuration lies decides where the ledger is that it does not name.
	file := after(words(t, only(t, d, "CMD"))[0], "--config.file=")
	cfg, err := config.Parse(file, []byte("timezone: UTC\ncurrency: EUR\nsources: []\n"), config.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	if volume := only(t, d, "VOLUME"); !under(cfg.Ledger.Path, volume) {
		t.Errorf("the ledger is %s, not on the volume %s", cfg.Ledger.Path, volume)
	}
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

// What the image is built from must be let in.
func TestDockerignore(t *testing.T) {
	lines := strings.Split(read(t, ".dockerignore"), "\n")
	for _, f := range readTree(t).product() {
		top, _, _ := strings.Cut(f.path, "/")
		if !slices.Contains(lines, "!"+top) && !under(f.dir(), "examples", "tools") {
			t.Errorf("%s is kept out of the image's build: add !%s to .dockerignore", f.path, top)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "Makefile", "LICENSE"} {
		if !slices.Contains(lines, "!"+name) {
			t.Errorf("%s is kept out of the image's build", name)
		}
	}
}

// unit returns the settings of the systemd unit.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	list := map[string][]string{}
	for line := range strings.Lines(read(t, "examples/systemd/b2b_exporter.service")) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			list[name] = append(list[name], value)
		}
	}
	return list
}

func TestSystemd(t *testing.T) {
	u := unit(t)
	state := "/var/lib/" + only(t, u, "StateDirectory")
	text := read(t, "examples/systemd/b2b_exporter.service")
	if !strings.Contains(text, "path: "+state+"/") {
		t.Errorf("the unit does not say that the ledger belongs in %s", state)
	}
	for name, want := range map[string]string{
		"DynamicUser": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "UMask": "0077",
	} {
		if got := only(t, u, name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
}

func TestPrometheus(t *testing.T) {
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "examples/prometheus.yml")))
	decoder.KnownFields(true)
	var cfg struct {
		Global struct {
			ScrapeInterval     string `yaml:"scrape_interval"`
			EvaluationInterval string `yaml:"evaluation_interval"`
		}
		RuleFiles     []string  `yaml:"rule_files"`
		Alerting      yaml.Node `yaml:"alerting"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := decoder.Decode(&cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Global.ScrapeInterval != "1m" {
		t.Errorf("scraped every %s, want 1m: series vanish after 5 minutes without a sample", cfg.Global.ScrapeInterval)
	}
	if len(cfg.ScrapeConfigs) != 1 || !strings.HasSuffix(cfg.ScrapeConfigs[0].StaticConfigs[0].Targets[0], ":"+port) {
		t.Errorf("scrapes %v, want one exporter at port %s", cfg.ScrapeConfigs, port)
	}
	for _, pattern := range cfg.RuleFiles {
		found, err := filepath.Glob(filepath.Join(root, "examples", pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("rule_files: %s meets no file (%v)", pattern, err)
		}
	}
}

// The program knows what the files for deployments call it with.
func TestCommandLines(t *testing.T) {
	program := filepath.Join(t.TempDir(), "b2b_exporter")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/b2b_exporter")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	help, err := exec.CommandContext(t.Context(), program, "--help-long").Output()
	if err != nil {
		t.Fatal(err)
	}
	d := dockerfile(t)
	for where, args := range map[string][]string{
		"Dockerfile, CMD":         words(t, only(t, d, "CMD")),
		"Dockerfile, HEALTHCHECK": words(t, after(only(t, d, "HEALTHCHECK"), "CMD"))[1:],
		"systemd, ExecStart":      strings.Fields(only(t, unit(t), "ExecStart"))[1:],
		"kubernetes":              exporter(t, kubernetes(t)).Args,
	} {
		for _, arg := range args {
			name, _, _ := strings.Cut(arg, "=")
			pattern := `(?m)^` + regexp.QuoteMeta(name) + `( |$)` // a command
			if strings.HasPrefix(name, "--") {
				pattern = `(?m)^ +(-\w, )?--(\[no-\])?` + regexp.QuoteMeta(name[2:]) + `(=|[ \n]|$)`
			}
			if !regexp.MustCompile(pattern).Match(bytes.TrimSpace(help)) {
				t.Errorf("%s: %s is neither a flag nor a command of the program", where, arg)
			}
		}
	}
	if listen := regexp.MustCompile(`--web\.listen-address=:(\d+)`).FindSubmatch(help); listen == nil || string(listen[1]) != port {
		t.Errorf("the program listens at %q by default, want %s", listen, port)
	}
	if base := path.Base(words(t, only(t, d, "ENTRYPOINT"))[0]); base != filepath.Base(program) {
		t.Errorf("the image runs %s", base)
	}
}
