package ga4

import (
	"context"
	"fmt"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// usersReport counts people of a whole range of days: they cannot be summed.
func usersReport() report {
	return report{name: streamUsers, metrics: []string{"totalUsers", "newUsers"}}
}

// ranges returns the days of the windows, each once. A running window has the running day.
func ranges(env sources.Environment) []span {
	calendar, now := window.New(env.Zone), env.Now.UnixMicro()
	var list []span
	for _, name := range env.Windows {
		r := calendar.Window(name, now)
		days := span{record.Day(calendar.Day(r.Start)), record.Day(calendar.Day(now))}
		if name.Days() > 0 {
			days.to = record.Day(calendar.Day(r.End)) - 1
		}
		if days.from <= days.to && !slices.Contains(list, days) {
			list = append(list, days)
		}
	}
	return list
}

// users asks for the users of all windows. Those of earlier days stay as they were asked then.
func (s *Source) users(ctx context.Context, req sources.Request, emit sources.Emit) error {
	all := ranges(req.Environment)
	done := 0
	for part := range slices.Chunk(all, s.batchSize) {
		queries := make([]query, len(part))
		for i, days := range part {
			queries[i] = usersReport().over(days, false, 1)
		}
		tables, err := s.run(ctx, queries)
		if err != nil {
			return fmt.Errorf("ask for the users of the windows: %w", err)
		}
		done += len(part)
		page := sources.Page{Progress: float64(done) / float64(len(all))}
		for i, t := range tables {
			s.observe(ctx, req.Environment, streamUsers, t.meta)
			s.usersOf(part[i], t, &page)
		}
		if err := emit(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// usersOf makes the records of a range of days.
func (s *Source) usersOf(days span, t table, page *sources.Page) {
	end := days.to + 1
	id := func(kind string) string { return days.from.String() + "/" + end.String() + "/" + kind }
	if len(t.meta.Truncation) > 0 || len(t.rows) == 0 && t.meta.Thresholded {
		page.Truncated = true
		return
	}
	total, fresh := record.Micros(0), record.Micros(0)
	if len(t.rows) > 0 {
		for i, field := range []*record.Amount{&total, &fresh} {
			var err error
			if *field, _, err = count(t.rows[0].metrics[i]); err != nil {
				page.Rejected = append(page.Rejected, sources.Rejection{
					Kind: record.KindUsers, ID: id(record.UsersTotal), Reason: "bad number", Where: "report users, " + id(""),
					Detail: usersReport().metrics[i] + ": " + err.Error(),
				})
				return
			}
		}
	}
	// Both are estimates: in small numbers the new ones can come out as more than all.
	fresh = record.Micros(min(fresh.Micros, total.Micros))
	for _, u := range []struct {
		kind  string
		users record.Amount
	}{
		{record.UsersTotal, total},
		{record.UsersNew, fresh},
		{record.UsersReturning, record.Micros(total.Micros - fresh.Micros)},
	} {
		page.Records = append(page.Records, &record.Users{
			Meta: record.Meta{ID: id(u.kind)}, Site: s.name, Start: days.from, End: end, Kind: u.kind, Users: u.users,
		})
	}
}
