package sql

import (
	"bytes"
	"context"
	dbsql "database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const testPassword = "p4ss-word.of.the=test"

// server is an engine that runs for the tests.
type server struct {
	driver string
	// dsn returns the DSN of the database at an address.
	dsn     func(address string) string
	address string
	admin   *dbsql.DB // may write
}

// exec runs statements.
func (s *server) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// program returns the path of a program of an engine. Where it is missing, the test is
// skipped, but fails where REQUIRE_DATABASES is set, as it is in CI.
func program(t *testing.T, name, debian string, folders ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, folder := range folders {
		found, _ := filepath.Glob(filepath.Join(folder, name)) // the patterns are constant
		if len(found) > 0 {
			path, err = found[len(found)-1], nil
		}
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("REQUIRE_DATABASES") != "":
		t.Fatalf("%v; on Debian: apt-get install %s", err, debian)
	default:
		t.Skipf("%v; on Debian: apt-get install %s", err, debian)
	}
	return ""
}

func freePort(t *testing.T) int {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// said collects the output of a program.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// serverFolder returns a folder of its own for a server. Servers refuse to run as root,
// so that it belongs to an unprivileged user where the tests do.
func serverFolder(t *testing.T) (dir string, attributes *syscall.SysProcAttr) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sql") //nolint:usetesting // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // best effort: it is below the system's folder for such files
	if os.Getuid() != 0 {
		return dir, nil
	}
	const nobody = 65534
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// run runs a program to its end.
func run(t *testing.T, dir string, attributes *syscall.SysProcAttr, path string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.SysProcAttr = dir, attributes
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
}

// daemon runs a server until the test ends.
func daemon(t *testing.T, dir string, attributes *syscall.SysProcAttr, path string, args ...string) *said {
	t.Helper()
	out := &said{}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = dir, attributes, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // nothing of it is kept
		_ = cmd.Wait()         // it was killed
	})
	return out
}

// connect waits until a server answers.
func (s *server) connect(t *testing.T, out *said, admin string) {
	t.Helper()
	e, err := engineOf(s.driver)
	if err != nil {
		t.Fatal(err)
	}
	db, err := e.open(admin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // what a statement sets holds for those after it
	s.admin = db.DB
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := db.PingContext(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v\n%s", s.driver, err, out)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func startPostgres(t *testing.T) *server {
	t.Helper()
	const folder = "/usr/lib/postgresql/*/bin"
	initdb, postgres := program(t, "initdb", "postgresql", folder), program(t, "postgres", "postgresql", folder)
	dir, user := serverFolder(t)
	run(t, dir, user, initdb, "-D", "data", "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	rules := "host all admin 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(dir, "data", "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(freePort(t))
	out := daemon(t, dir, user, postgres, "-D", "data", "-p", port, "-h", "127.0.0.1", "-k", dir,
		"-c", "fsync=off", "-c", "timezone=America/New_York", "-c", "max_wal_size=4GB")
	s := &server{driver: "postgres", address: "127.0.0.1:" + port, dsn: func(address string) string {
		return fmt.Sprintf("postgres://reader:%s@%s/postgres?sslmode=disable", testPassword, address)
	}}
	s.connect(t, out, "postgres://admin@"+s.address+"/postgres?sslmode=disable")
	s.exec(t,
		"CREATE ROLE reader LOGIN PASSWORD '"+testPassword+"'",
		"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO reader", // it could write, if it were let
	)
	return s
}

func startMariaDB(t *testing.T) *server {
	t.Helper()
	install, mariadbd := program(t, "mariadb-install-db", "mariadb-server-core mariadb-client-core"), program(t, "mariadbd", "mariadb-server-core mariadb-client-core", "/usr/sbin")
	dir, user := serverFolder(t)
	data := filepath.Join(dir, "data")
	run(t, dir, user, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	port := strconv.Itoa(freePort(t))
	out := daemon(t, dir, user, mariadbd, "--no-defaults", "--datadir="+data, "--socket="+filepath.Join(dir, "socket"), "--pid-file="+filepath.Join(dir, "pid"),
		"--port="+port, "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M",
		"--default-time-zone=-05:00", "--sql-mode=", "--skip-name-resolve")
	s := &server{driver: "mysql", address: "127.0.0.1:" + port, dsn: func(address string) string {
		return fmt.Sprintf("reader:%s@tcp(%s)/shop", testPassword, address)
	}}
	s.connect(t, out, "root@tcp("+s.address+")/")
	s.exec(t,
		"CREATE DATABASE shop",
		"CREATE USER 'reader'@'%' IDENTIFIED BY '"+testPassword+"'",
		"GRANT SELECT, INSERT ON shop.* TO 'reader'@'%'",
	)
	return s
}

func startClickHouse(t *testing.T) *server {
	t.Helper()
	path := program(t, "clickhouse-server", "clickhouse-server", "/usr/sbin")
	dir, user := serverFolder(t)
	port := strconv.Itoa(freePort(t))
	config := `<yandex>
<logger><level>warning</level><console>1</console></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>` + port + `</tcp_port><http_port>` + strconv.Itoa(freePort(t)) + `</http_port>
<path>` + dir + `/</path><tmp_path>` + dir + `/tmp/</tmp_path><users_config>users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database><timezone>America/New_York</timezone>
<mark_cache_size>5368709120</mark_cache_size>
</yandex>`
	users := `<yandex><profiles><default/><strict><readonly>1</readonly></strict><reader><readonly>2</readonly></reader></profiles><quotas><default/></quotas><users>`
	for name, profile := range map[string]string{"admin": "default", "writer": "default", "reader": "reader", "strict": "strict"} {
		password := testPassword
		if name == "admin" {
			password = ""
		}
		users += "<" + name + "><password>" + password + "</password><networks><ip>127.0.0.1</ip></networks><profile>" + profile + "</profile><quota>default</quota></" + name + ">"
	}
	users += `</users></yandex>`
	for name, text := range map[string]string{"config.xml": config, "users.xml": users} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := daemon(t, dir, user, path, "--config-file="+filepath.Join(dir, "config.xml"))
	s := &server{driver: "clickhouse", address: "127.0.0.1:" + port, dsn: func(address string) string {
		return fmt.Sprintf("clickhouse://writer:%s@%s/default", testPassword, address)
	}}
	s.connect(t, out, "clickhouse://admin:@"+s.address+"/default")
	return s
}

// proxy is a network that can break.
type proxy struct {
	address string
	target  string

	mu    sync.Mutex
	left  int64 // bytes that the server may still send before the connection breaks; none where negative
	conns []net.Conn
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), target: target, left: -1}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			var dialer net.Dialer
			up, err := dialer.DialContext(t.Context(), "tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, up)
			p.mu.Unlock()
			wait.Go(func() { p.copy(up, client, false) })
			wait.Go(func() { p.copy(client, up, true) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.breakAll()
		wait.Wait()
	})
	return p
}

// breakAfter lets connections break when the server has sent n more bytes.
func (p *proxy) breakAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = n
}

func (p *proxy) breakAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns, p.left = nil, -1
}

func (p *proxy) copy(to, from net.Conn, counted bool) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if counted && p.spent(int64(n)) {
			p.breakAll()
			return
		}
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (p *proxy) spent(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < 0 {
		return false
	}
	p.left = max(0, p.left-n)
	return p.left == 0
}

// secretFile writes a DSN into a file.
func secretFile(t *testing.T, dsn string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(path, []byte(dsn+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// noSecret reports where text holds the password.
func noSecret(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, testPassword) {
		t.Errorf("the password is shown: %s", text)
	}
}
