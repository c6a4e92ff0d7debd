package ga4

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// reportDownloads is what the total does not say.
const reportDownloads = "downloads"

// metrics are asked for of each breakdown, in the order in which counts reads them.
func metrics() []string {
	return []string{"sessions", "engagedSessions", "screenPageViews", "averageSessionDuration", "keyEvents", "newUsers"}
}

// trafficReports returns the reports of the stream traffic.
func (s *Source) trafficReports(breakdowns []string) []report {
	list := []report{
		{name: record.ByTotal, metrics: metrics()},
		{name: reportDownloads, metrics: []string{"eventCount", "sessions"}, filter: exactly("eventName", "file_download")},
	}
	channel := []string{"sessionSource", "sessionMedium", "sessionCampaignName", "sessionDefaultChannelGroup"}
	switch s.options.ChannelBy {
	case bySourceMedium:
		channel = slices.Delete(channel, 2, 3)
	case byGroup:
		channel = channel[3:]
	}
	for _, r := range []report{
		{name: record.ByChannel, dimensions: channel},
		{name: record.ByDevice, dimensions: []string{"deviceCategory"}},
		{name: record.ByCountry, dimensions: []string{"countryId"}},
		{name: record.ByAge, dimensions: []string{"userAgeBracket"}},
	} {
		if slices.Contains(breakdowns, r.name) {
			r.metrics = metrics()
			list = append(list, r)
		}
	}
	return list
}

// traffic makes the records of the reports that were read.
func (r *reading) traffic() {
	if _, ok := r.tables[record.ByTotal]; ok {
		r.totals()
	}
	for _, by := range r.reports {
		if _, ok := r.tables[by.name]; ok && by.name != record.ByTotal && by.name != reportDownloads {
			r.breakdown(by)
		}
	}
}

// totals makes a record of each day, also of days without visits.
func (r *reading) totals() {
	none := &record.Traffic{Downloads: record.Micros(0), DownloadSessions: record.Micros(0)}
	got := map[record.Day]*record.Traffic{}
	lost := r.each(reportDownloads, func(day record.Day, row row) error {
		got[day] = &record.Traffic{} // what cannot be read is not zero
		var list [2]record.Amount
		for i, text := range row.metrics {
			var err error
			if list[i], _, err = count(text); err != nil {
				return err
			}
		}
		got[day] = &record.Traffic{Downloads: list[0], DownloadSessions: list[1]}
		return nil
	})
	if lost || r.tables[reportDownloads].meta.Thresholded {
		none = &record.Traffic{}
	}
	seen := map[record.Day]*record.Traffic{}
	lost = r.each(record.ByTotal, func(day record.Day, row row) error {
		t, rounded, err := counts(row.metrics)
		seen[day] = t // nil where it cannot be read
		r.page.Rounded += rounded
		r.cursor.First = min(r.cursor.First, day)
		return err
	})
	for day := max(r.days.from, r.cursor.First); day <= r.days.to; day++ {
		t, read := seen[day]
		switch {
		case read && t == nil:
			continue
		case !read && (lost || r.tables[record.ByTotal].meta.Thresholded):
			r.cut(record.ByTotal, span{day, day})
			continue
		case !read:
			t = zero()
		}
		d := cmp.Or(got[day], none)
		t.ID, t.Day, t.Site, t.By = totalID(day), day, r.name, record.ByTotal
		t.Downloads, t.DownloadSessions = d.Downloads, d.DownloadSessions
		r.page.Records = append(r.page.Records, t)
	}
}

func totalID(day record.Day) string { return day.String() + "/" + record.ByTotal }

// breakdown makes the records of a breakdown.
func (r *reading) breakdown(by report) {
	byDay := map[record.Day]map[string]*record.Traffic{}
	lost := r.each(by.name, func(day record.Day, row row) error {
		c, rounded, err := counts(row.metrics)
		if err != nil {
			return err
		}
		r.page.Rounded += rounded
		c.Day, c.Site, c.By = day, r.name, by.name
		if by.name == record.ByChannel {
			value := func(dimension string) string {
				if i := slices.Index(by.dimensions, dimension); i >= 0 {
					return row.dimensions[i+1]
				}
				return ""
			}
			c.Touch = touch(value("sessionSource"), value("sessionMedium"), value("sessionCampaignName"), value("sessionDefaultChannelGroup"))
		} else {
			c.Value = breakdownValue(by.name, row.dimensions[1])
		}
		name := strings.Join([]string{c.Value, c.Touch.Channel, c.Touch.Source, c.Touch.Medium, c.Touch.Campaign}, "\x00")
		if byDay[day] == nil {
			byDay[day] = map[string]*record.Traffic{}
		}
		if same := byDay[day][name]; same != nil {
			add(same, c)
		} else {
			byDay[day][name] = c
		}
		return nil
	})
	if !lost { // what is held stays
		number(r, by.name, byDay)
	}
}

// ageForm is an age bracket.
var ageForm = regexp.MustCompile(`^[0-9]{2}(-[0-9]{2}|\+)$`)

// breakdownValue returns what a vendor's value of a dimension is called.
func breakdownValue(by, text string) string {
	switch by {
	case record.ByDevice:
		if slices.Contains([]string{"desktop", "mobile", "tablet"}, text) {
			return text
		}
		return "other"
	case record.ByCountry:
		if len(text) == 2 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			return text
		}
	case record.ByAge:
		if ageForm.MatchString(text) {
			return text
		}
	}
	if text == other {
		return "other"
	}
	return "unknown"
}

// each calls fn for the rows of a report that belong to the reading's days, and rejects rows that
// fn cannot read. It reports whether the vendor has left out days, or lost them.
func (r *reading) each(name string, fn func(record.Day, row) error) (lost bool) {
	t := r.tables[name]
	lost = len(t.meta.Truncation) > 0
	for i, row := range t.rows {
		date := row.dimensions[0]
		if date == other {
			lost = true
			continue
		}
		reject := sources.Rejection{Kind: r.kind, Where: fmt.Sprintf("report %s, date %q, row %d", name, date, i)}
		day, ok := parseDay(date)
		if !ok || day < r.days.from || day > r.days.to {
			reject.Reason, reject.Detail = "bad date", "the date is none, or not one that was asked for"
			r.page.Rejected = append(r.page.Rejected, reject)
			continue
		}
		if err := fn(day, row); err != nil {
			reject.Reason, reject.Detail = "bad number", err.Error()
			if name == record.ByTotal {
				reject.ID = totalID(day)
			}
			r.page.Rejected = append(r.page.Rejected, reject)
		}
	}
	if lost {
		r.cut(name, r.days)
	}
	return lost
}

// number gives a day's records their IDs, which are their places in the order of their values: so
// the cursor needs only their number to delete those that go.
func number[R record.Record](r *reading, name string, byDay map[record.Day]map[string]R) {
	for day := r.days.from; day <= r.days.to; day++ {
		id := func(i int) string { return fmt.Sprintf("%s/%s/%d", day, name, i) }
		for i, value := range slices.Sorted(maps.Keys(byDay[day])) {
			one := byDay[day][value]
			one.RecordMeta().ID = id(i)
			r.page.Records = append(r.page.Records, one)
		}
		for i, before := len(byDay[day]), r.cursor.count(name, day, len(byDay[day])); i < before; i++ {
			r.page.Records = append(r.page.Records, record.Tombstone(r.kind, id(i)))
		}
	}
}

// counts reads the metrics of a row.
func counts(texts []string) (t *record.Traffic, rounded int, err error) {
	t = &record.Traffic{}
	for i, field := range []*record.Amount{&t.Sessions, &t.Engaged, &t.Views, nil, &t.Conversions, &t.NewUsers} {
		if field == nil {
			continue // the duration, below
		}
		cut := false
		if *field, cut, err = count(texts[i]); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", metrics()[i], err)
		}
		if cut {
			rounded++
		}
	}
	// The vendor gives the mean alone. Its digits beyond 10^-6 count, because it is multiplied.
	if _, _, err = count(texts[3]); err != nil {
		return nil, 0, fmt.Errorf("averageSessionDuration: %w", err)
	}
	mean, err := decimal.NewFromString(texts[3])
	if err == nil {
		t.Seconds, _, err = record.ParseAmount(mean.Mul(decimal.New(t.Sessions.Micros, -6)).String())
	}
	if err != nil {
		return nil, 0, fmt.Errorf("averageSessionDuration: %w", err)
	}
	return t, rounded, nil
}

// count reads a metric, a decimal number that is not below zero.
func count(text string) (a record.Amount, rounded bool, err error) {
	a, rounded, err = record.ParseAmount(text)
	if err == nil && a.Micros < 0 {
		err = errors.New("below zero")
	}
	return a, rounded, err
}

func zero() *record.Traffic {
	z := record.Micros(0)
	return &record.Traffic{Sessions: z, Engaged: z, Views: z, Seconds: z, Conversions: z, NewUsers: z}
}

// add adds b to a; both have all metrics.
func add(a, b *record.Traffic) {
	for _, pair := range [][2]*record.Amount{
		{&a.Sessions, &b.Sessions},
		{&a.Engaged, &b.Engaged},
		{&a.Views, &b.Views},
		{&a.Seconds, &b.Seconds},
		{&a.Conversions, &b.Conversions},
		{&a.NewUsers, &b.NewUsers},
	} {
		*pair[0] = record.Micros(pair[0].Micros + pair[1].Micros)
	}
}
