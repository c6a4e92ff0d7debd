package dashboards

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func decode(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// What the example mounts is there, and Grafana finds the dashboards where they are
// mounted.
func TestCompose(t *testing.T) {
	t.Parallel()
	var compose struct {
		Services map[string]struct {
			Image          string
			Ports, Volumes []string
			Environment    map[string]string
		}
		Volumes map[string]any
	}
	decode(t, filepath.Join("..", "examples", "compose.yml"), &compose)
	for name, s := range compose.Services {
		if image, tag, _ := strings.Cut(s.Image, ":"); image != "" && (tag == "" || tag == "latest") {
			t.Errorf("%s: image %s has no version", name, s.Image)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to the network", name, port)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, named := compose.Volumes[source]; named {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", "examples", source)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	var provisioning struct {
		Providers []struct{ Options struct{ Path string } }
	}
	decode(t, filepath.Join("provisioning", "dashboards.yml"), &provisioning)
	grafana, path := compose.Services["grafana"], provisioning.Providers[0].Options.Path
	mounted := false
	for _, volume := range grafana.Volumes {
		mounted = mounted || strings.HasPrefix(volume, "../dashboards:"+path+":")
	}
	if home := grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; !mounted || filepath.Dir(home) != path {
		t.Errorf("dashboards are looked for in %s, and mounted there: %t; home is %s", path, mounted, home)
	} else if _, err := os.Stat(filepath.Base(home)); err != nil {
		t.Error(err)
	}
}
