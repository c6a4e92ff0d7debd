package policy

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// manifest is what the tests need to know of a Kubernetes object.
type manifest struct {
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Spec       struct {
		Replicas int
		Strategy struct{ Type string }
		Selector yaml.Node
		Ports    []struct {
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Annotations map[string]string }
			Spec     struct {
				SecurityContext securityContext `yaml:"securityContext"`
				Containers      []container
				Volumes         []volume
			}
		}
	}
}

type securityContext struct {
	RunAsNonRoot             bool  `yaml:"runAsNonRoot"`
	AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
	ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
	Capabilities             struct{ Drop []string }
}

type container struct {
	Name            string
	Args            []string
	SecurityContext securityContext `yaml:"securityContext"`
	Ports           []struct {
		Name          string
		ContainerPort string `yaml:"containerPort"`
	}
	LivenessProbe probe `yaml:"livenessProbe"`
	VolumeMounts  []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

type volume struct {
	Name      string
	ConfigMap struct{ Name string } `yaml:"configMap"`
	Secret    struct {
		SecretName string `yaml:"secretName"`
	} `yaml:"secret"`
	PersistentVolumeClaim struct {
		ClaimName string `yaml:"claimName"`
	} `yaml:"persistentVolumeClaim"`
	EmptyDir *struct{ Medium string } `yaml:"emptyDir"`
}

// kubernetes returns the objects by their kind.
func kubernetes(t *testing.T) map[string]manifest {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "examples/kubernetes/sidecar.yaml")))
	objects := map[string]manifest{}
	for {
		var m manifest
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		objects[m.Kind] = m
	}
}

func exporter(t *testing.T, objects map[string]manifest) container {
	t.Helper()
	for _, c := range objects["Deployment"].Spec.Template.Spec.Containers {
		if c.Name == "b2b-exporter" {
			return c
		}
	}
	t.Fatal("no container of the exporter")
	return container{}
}

// mounts returns where the exporter finds each volume, by the volume.
func mounts(t *testing.T, objects map[string]manifest) map[string]volume {
	t.Helper()
	list := map[string]volume{}
	for _, m := range exporter(t, objects).VolumeMounts {
		i := slices.IndexFunc(objects["Deployment"].Spec.Template.Spec.Volumes, func(v volume) bool { return v.Name == m.Name })
		if i < 0 {
			t.Fatalf("%s is mounted and is no volume", m.Name)
		}
		list[m.MountPath] = objects["Deployment"].Spec.Template.Spec.Volumes[i]
	}
	return list
}

func TestKubernetesConfiguration(t *testing.T) {
	objects := kubernetes(t)
	mounted := mounts(t, objects)
	text := objects["ConfigMap"].Data["b2b.yml"]
	var file, ledgers string
	for at, v := range mounted {
		switch {
		case v.ConfigMap.Name == objects["ConfigMap"].Metadata.Name:
			file = at + "/b2b.yml"
		case v.Secret.SecretName == objects["Secret"].Metadata.Name:
			// The secrets' files must be there when the configuration is read.
			dir := t.TempDir()
			for name, secret := range objects["Secret"].StringData {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(secret), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(text, at+"/") {
				t.Errorf("no key of the configuration names a secret below %s", at)
			}
			text = strings.ReplaceAll(text, at+"/", dir+"/")
		case v.PersistentVolumeClaim.ClaimName == objects["PersistentVolumeClaim"].Metadata.Name:
			ledgers = at
		}
	}
	if want := "--config.file=" + file; !slices.Contains(exporter(t, objects).Args, want) {
		t.Errorf("arguments %q, want %s among them", exporter(t, objects).Args, want)
	}
	cfg, err := config.Parse(file, []byte(text), config.Schema{Sources: all.Options()})
	if err != nil {
		t.Fatal(err)
	}
	if ledgers == "" || !under(cfg.Ledger.Path, ledgers) {
		t.Errorf("the ledger %s is not on the claimed volume at %q", cfg.Ledger.Path, ledgers)
	}
	if len(cfg.Sources) == 0 {
		t.Error("no sources are configured")
	}
}

func TestKubernetesDeployment(t *testing.T) {
	objects := kubernetes(t)
	spec := objects["Deployment"].Spec
	if spec.Replicas != 1 || spec.Strategy.Type != "Recreate" {
		t.Errorf("%d replicas, strategy %s: a ledger has one writer", spec.Replicas, spec.Strategy.Type)
	}
	if !spec.Template.Spec.SecurityContext.RunAsNonRoot {
		t.Error("the pod may run as root")
	}
	for _, c := range spec.Template.Spec.Containers {
		s := c.SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("container %s has more rights than it needs: %+v", c.Name, s)
		}
	}
	c := exporter(t, objects)
	if len(c.Ports) != 1 || c.Ports[0].ContainerPort != port {
		t.Fatalf("ports %v, want %s", c.Ports, port)
	}
	handlers := ""
	for _, f := range readTree(t).product() {
		if under(f.dir(), "internal/web") {
			handlers += f.text
		}
	}
	for want, p := range map[string]probe{"/-/healthy": c.LivenessProbe} {
		if p.HTTPGet.Path != want || p.HTTPGet.Port != c.Ports[0].Name || !strings.Contains(handlers, want+`"`) {
			t.Errorf("probe %+v, want one of %s that the exporter serves", p, want)
		}
	}
	if got := spec.Template.Metadata.Annotations["prometheus.io/port"]; got != port {
		t.Errorf("Prometheus is told port %s, want %s", got, port)
	}
	for _, p := range objects["Service"].Spec.Ports {
		if p.TargetPort != c.Ports[0].Name {
			t.Errorf("the service leads to the port %s, want %s", p.TargetPort, c.Ports[0].Name)
		}
	}
}
