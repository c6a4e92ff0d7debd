package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/b2bexporter/b2b_exporter/internal/poll"
)

// progress shows how far work has come: as a bar on a terminal, else as a log line
// every 10 seconds. It implements poll.Observer for one poll at a time.
type progress struct {
	out      io.Writer // the terminal; nil where there is none
	log      *slog.Logger
	now      func() time.Time
	ended    func(poll.End)
	what     string
	began    time.Time
	shown    time.Time
	records  int
	onScreen int // characters of the bar that is on the screen
}

const (
	logEvery    = 10 * time.Second
	redrawEvery = 100 * time.Millisecond
	barWidth    = 24
)

// newProgress returns a progress that is shown where the command's messages go.
func (c *command) newProgress() *progress {
	return &progress{out: terminal(c.stderr), log: c.log, now: c.now}
}

// terminal returns w where it is a terminal, else nil.
func terminal(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return w
	}
	return nil
}

// Committed implements poll.Observer.
func (p *progress) Committed(c poll.Commit) {
	records := 0
	for _, outcomes := range c.Counts {
		for _, n := range outcomes {
			records += n
		}
	}
	p.show(c.Source+"/"+c.Stream, c.Progress, records)
}

// Ended implements poll.Observer.
func (p *progress) Ended(e poll.End) {
	p.clear()
	p.what = ""
	if p.ended != nil {
		p.ended(e)
	}
}

// show tells that a share of what (negative where unknown) is done, with so many more records.
func (p *progress) show(what string, share float64, records int) {
	now := p.now()
	if what != p.what {
		p.what, p.began, p.shown, p.records = what, now, now, 0
	}
	p.records += records
	every := logEvery
	if p.out != nil {
		every = redrawEvery
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	left, known := remaining(now.Sub(p.began), share)
	if p.out == nil {
		args := []any{"what", what, "records", p.records}
		if known {
			args = append(args, "done_percent", int(share*100), "remaining", left.String())
		}
		p.log.Info("working", args...)
		return
	}
	line := fmt.Sprintf("%s  %d records", what, p.records)
	if known {
		done := int(share * barWidth)
		line = fmt.Sprintf("%s  [%s%s] %3.0f %%  %d records, about %s left",
			what, strings.Repeat("#", done), strings.Repeat(".", barWidth-done), share*100, p.records, left)
	}
	fmt.Fprintf(p.out, "\r%-*s", p.onScreen, line)
	p.onScreen = len(line)
}

// remaining extrapolates how long the rest takes.
func remaining(took time.Duration, share float64) (time.Duration, bool) {
	if share <= 0 || share > 1 {
		return 0, false
	}
	return time.Duration(float64(took) * (1 - share) / share).Round(time.Second), true
}

// clear takes the bar off the screen.
func (p *progress) clear() {
	if p.out != nil && p.onScreen > 0 {
		fmt.Fprintf(p.out, "\r%*s\r", p.onScreen, "")
		p.onScreen = 0
	}
}
