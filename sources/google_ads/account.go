package googleads

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// factsFor is how long the account's settings and experiments are kept.
const factsFor = 6 * time.Hour

// facts are what is known of the account. All but today and campaigns changes seldom.
type facts struct {
	read  time.Time
	today record.Day // in the account's zone, at the moment of the request
	// campaigns are those that are not removed, and those that rows have named; nil before they are
	// listed, once in each Fetch.
	campaigns map[int64]campaign
	id, name  string
	currency  string
	zone      *time.Location
	manager   bool
	arms      []arm
	// experiments says that arms was read.
	experiments bool
}

// arm is an arm of an experiment and the campaign that it is run by; that of the control is the one
// under test.
type arm struct {
	experiment, name string
	control          bool
	campaign         int64
	start, end       record.Day // both included
}

// facts returns the account's settings, and its experiments where they are asked for.
func (s *Source) facts(ctx context.Context, now time.Time, experiments bool) (*facts, error) {
	s.mu.Lock()
	held := s.known
	s.mu.Unlock()
	experiments = experiments && s.options.Experiments
	if held == nil || now.Sub(held.read).Abs() >= factsFor {
		found, err := s.account(ctx)
		if err != nil {
			return nil, err
		}
		found.read = now
		held = found
	}
	f := *held
	if experiments && !f.experiments {
		var err error
		if f.arms, err = s.arms(ctx); err != nil {
			return nil, err
		}
		f.experiments = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := f
	s.known = &kept
	f.today = record.DayOf(now.In(f.zone))
	return &f, nil
}

// account reads the account's settings.
func (s *Source) account(ctx context.Context) (*facts, error) {
	var found *facts
	err := s.search(ctx, queryAccount, func(r row) error {
		zone, err := time.LoadLocation(r.Customer.Zone)
		if err != nil || r.Customer.Zone == "" || r.Customer.ID == "" || r.Customer.Currency == "" {
			return s.unexpected(fmt.Sprintf("an account without an ID, currency or known time zone (%.40q)", r.Customer.Zone))
		}
		found = &facts{id: r.Customer.ID, name: r.Customer.Name, currency: r.Customer.Currency, zone: zone, manager: r.Customer.Manager}
		return nil
	})
	if err == nil && found == nil {
		err = s.unexpected("no account")
	}
	if err != nil {
		return nil, fmt.Errorf("read the account's settings: %w", err)
	}
	return found, nil
}

// unexpected returns an error for an answer that is not what was asked for.
func (s *Source) unexpected(detail string) error {
	return &apiclient.FormatError{Endpoint: "searchStream of " + string(s.options.CustomerID), Detail: detail}
}

// arms reads the arms of the experiments that have begun.
func (s *Source) arms(ctx context.Context) ([]arm, error) {
	var list []arm
	err := s.search(ctx, queryArms, func(r row) error {
		if r.Arm.Experiment == "" {
			return s.unexpected("an arm without an experiment")
		}
		// Without a start, or while it is set up, nobody has seen the experiment.
		if r.Experiment.Start == "" || r.Experiment.Status == "SETUP" {
			return nil
		}
		a := arm{experiment: r.Arm.Experiment, name: r.Arm.Name, control: r.Arm.Control, end: record.DateDay(9999, 12, 31)}
		var err error
		if a.start, err = parseDay(r.Experiment.Start); err != nil {
			return s.unexpected("experiment.start_date: " + err.Error())
		}
		if r.Experiment.End != "" {
			if a.end, err = parseDay(r.Experiment.End); err != nil {
				return s.unexpected("experiment.end_date: " + err.Error())
			}
		}
		for _, name := range r.Arm.Campaigns {
			if _, err := fmt.Sscanf(name[strings.LastIndexByte(name, '/')+1:], "%d", &a.campaign); err != nil {
				return s.unexpected(fmt.Sprintf("experiment_arm.campaigns: %.80q names no campaign", name))
			}
			list = append(list, a)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the experiments (the option experiments switches them off): %w", err)
	}
	// Of two experiments at a time, the one that began last.
	slices.SortStableFunc(list, func(a, b arm) int { return int(b.start) - int(a.start) })
	return list, nil
}

// arm returns the arm that a campaign is on a day, and the campaign of the experiment's control.
func (f *facts) arm(campaign int64, day record.Day) (found arm, control int64, ok bool) {
	i := slices.IndexFunc(f.arms, func(a arm) bool { return a.campaign == campaign && a.start <= day && day <= a.end })
	if i < 0 {
		return arm{}, 0, false
	}
	found, control = f.arms[i], campaign
	for _, a := range f.arms {
		if a.experiment == found.experiment && a.control {
			control = a.campaign
		}
	}
	return found, control, true
}

// listCampaigns returns the campaigns that are not removed, by their ID.
func (s *Source) listCampaigns(ctx context.Context) (map[int64]campaign, error) {
	all := map[int64]campaign{}
	err := s.search(ctx, queryCampaigns, func(r row) error {
		if r.Campaign.ID == 0 {
			return s.unexpected("a campaign without an ID")
		}
		all[r.Campaign.ID] = r.Campaign
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the campaigns: %w", err)
	}
	return all, nil
}

// firstDay returns the first day from floor on that has anything; today where there is none.
func (s *Source) firstDay(ctx context.Context, floor, today record.Day) (record.Day, error) {
	first := today
	err := s.search(ctx, between(queryFirstDay, floor, today), func(r row) (err error) {
		if first, err = parseDay(r.Segments.Date); err != nil || first < floor || first > today {
			return s.unexpected("segments.date: not a day that was asked for")
		}
		return nil
	})
	if err != nil {
		return first, fmt.Errorf("look for the account's first day: %w", err)
	}
	return first, nil
}

// parseDay reads a date, which a time of the day may follow.
func parseDay(text string) (record.Day, error) {
	t, err := time.Parse(time.DateOnly, text[:min(len(text), len(time.DateOnly))])
	if err != nil {
		return record.NoDay, fmt.Errorf("%.20q is not a date", text)
	}
	return record.DayOf(t), nil
}
