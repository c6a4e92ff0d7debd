// Command b2b_exporter exports the KPIs of a business that sells to businesses
// online as Prometheus metrics.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // images without zone files know all zones, too

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is one invocation: where it writes, its clock, and what the flags say.
type command struct {
	stdout, stderr io.Writer
	now            func() time.Time
	log            *slog.Logger
	configFile     string
	// config is the configuration in place of the file's content, where not nil.
	config []byte
	// concurrency is how many sources are polled at a time; all where 0.
	concurrency int
	serve       serveFlags
}

// errFailed ends the program with 1 after the failure has been shown.
var errFailed = errors.New("failed")

// usageError says that a flag has a value that it cannot have.
type usageError struct{ error }

// run parses the command line, runs the command and returns its exit code: 0 where it
// did what was asked, 1 where it failed, 2 where the command line is wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &command{stdout: stdout, stderr: stderr, now: time.Now}
	return c.run(ctx, args)
}

func (c *command) run(ctx context.Context, args []string) int {
	app := kingpin.New("b2b_exporter", "Prometheus exporter for the KPIs of a business that sells to businesses online.")
	app.Version(version.Print("b2b_exporter"))
	app.UsageWriter(c.stdout)
	app.ErrorWriter(c.stderr)
	app.HelpFlag.Short('h')
	exited := -1
	app.Terminate(func(code int) { exited = code })
	app.Flag("config.file", "Configuration file.").Default("b2b.yml").StringVar(&c.configFile)
	logConfig := &promslog.Config{Writer: c.stderr}
	promslogflag.AddFlags(app, logConfig)
	c.addServeFlags(app)
	commands := map[string]func(context.Context) error{}
	for _, add := range []func(*kingpin.Application) (string, func(context.Context) error){
		c.runCommand, c.demoCommand, c.syncCommand, c.kpisCommand, c.explainCommand, c.checkCommand, c.metricsCommand, c.healthCommand,
	} {
		name, f := add(app)
		commands[name] = f
	}
	name, err := app.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "b2b_exporter: %v; try --help\n", err)
		return 2
	}
	c.log = promslog.New(logConfig)
	err = commands[name](ctx)
	if err != nil && !errors.Is(err, errFailed) {
		fmt.Fprintf(c.stderr, "b2b_exporter: %v\n", err)
	}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return 2
	case err != nil:
		return 1
	}
	return 0
}
