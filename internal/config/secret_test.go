package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// holder holds secrets where fmt does not ask for their methods.
type holder struct {
	secret Secret
	ref    SecretRef
	list   []Secret
	table  map[string]SecretRef
}

func TestSecretsAreInNoRendering(t *testing.T) {
	const text = "hunter2"
	c, err := Load("testdata/valid.yml", testSchema())
	if err != nil {
		t.Fatal(err)
	}
	options := c.Sources[0].Options.(*shopOptions)
	if secret, err := options.ClientSecret.Get(); err != nil || secret.Reveal() != text {
		t.Fatalf("the configuration does not hold the secret: %v", err)
	}
	secret, ref := NewSecret(text), LiteralSecret(text)
	held := holder{secret, ref, []Secret{secret}, map[string]SecretRef{"a": ref}}
	for name, value := range map[string]any{
		"Config": c, "Config value": *c, "Source": c.Sources[0], "options": options, "options value": *options,
		"Secret": secret, "*Secret": &secret, "SecretRef": ref, "*SecretRef": &ref,
		"unexported": held, "*unexported": &held, "map": map[string]any{"a": secret, "b": ref}, "slice": []any{secret, ref},
	} {
		for format, shown := range renderings(t, value) {
			if strings.Contains(shown, text) || strings.Contains(shown, fmt.Sprintf("%x", text)) {
				t.Errorf("%s shows the secret of %s: %s", format, name, shown)
			}
		}
	}
	shown, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown), text) || strings.Contains(string(shown), "hunter3") {
		t.Errorf("Redacted shows a secret:\n%s", shown)
	}
}

func renderings(t *testing.T, value any) map[string]string {
	t.Helper()
	shown := map[string]string{}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown[format] = fmt.Sprintf(format, value)
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("configuration", "config", value)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("configuration", "config", value)
	shown["slog text"], shown["slog JSON"] = text.String(), object.String()
	if data, err := json.Marshal(value); err == nil {
		shown["JSON"] = string(data)
	} else {
		t.Errorf("marshal %T as JSON: %v", value, err)
	}
	data, err := yaml.Marshal(value)
	if err != nil {
		t.Errorf("marshal %T as YAML: %v", value, err)
	}
	shown["YAML"] = string(data)
	return shown
}

func TestSecretFileIsReadEachTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	ref := FileSecret(path)
	for content, want := range map[string]string{"first\n": "first", "second": "second", " third \r\n": " third "} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ref.Get()
		if err != nil || got.Reveal() != want {
			t.Errorf("secret of %q is %q, %v, want %q", content, got.Reveal(), err, want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want := "read the secret file " + path + ": it does not exist; create it or correct the path"
	if got, err := ref.Get(); err == nil || err.Error() != want || got.Reveal() != "" {
		t.Errorf("secret of a removed file is %q, %v, want the error %s", got.Reveal(), err, want)
	}
}

func TestSecretFileTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, make([]byte, maxSecretBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FileSecret(path).Get(); err == nil || !strings.Contains(err.Error(), "it is larger than 1048576 bytes") {
		t.Errorf("error is %v, want one about the size", err)
	}
}

func TestZeroSecretRef(t *testing.T) {
	var ref SecretRef
	got, err := ref.Get()
	if ref.IsSet() || err != nil || got.Reveal() != "" || ref.String() != "" {
		t.Errorf("a zero SecretRef is set to %q, %v", got.Reveal(), err)
	}
}
