package ga4

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakega4 "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const (
	testToken    = "ya29.t0ken/with+odd=signs"
	testProperty = "123456789"
)

// testOptions are the defaults with a user's credentials, changed by change.
func testOptions(url string, change func(*Options)) Options {
	o := DefaultOptions()
	o.URL, o.TokenURL, o.Property = url, url+"/token", testProperty
	o.ClientID, o.ClientSecret, o.RefreshToken = "client", config.LiteralSecret("s3cret"), config.LiteralSecret("r3fresh")
	if change != nil {
		change(o)
	}
	return *o
}

func vendorFault(status int, name, message string) fake.Fault {
	return fake.Fault{
		Status: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q}}`, status, message, name),
	}
}

// windowed asks a source for all windows, which the suite does not.
type windowed struct{ *Source }

func (w windowed) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	req.Windows = window.Names()
	return w.Source.Fetch(ctx, req, emit)
}

func TestConformance(t *testing.T) {
	account, err := fake.NewServiceAccount()
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{streamTraffic, streamReferrer, streamUsers} {
		skip := map[string]string{}
		if stream == streamUsers {
			skip["the same cursor for ever"] = "windows are asked for by their days: there are no pages"
		}
		t.Run(stream, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Harness{
				Stream: stream, Account: func() sourcetest.Account { return newAccount(stream) },
				Open: func(url string, deps apiclient.Deps) (sources.Source, error) {
					s, err := New("web", testOptions(url, func(o *Options) {
						o.ClientID, o.ClientSecret, o.RefreshToken = "", config.SecretRef{}, config.SecretRef{}
						o.KeyFile = config.LiteralSecret(account.File)
					}), deps)
					if err != nil {
						return nil, err
					}
					// A page for each day or two windows, of five rows at a time.
					s.chunkDays, s.pageRows, s.batchSize = 1, 5, 2
					return windowed{s}, nil
				},
				Secrets: []string{testToken, account.Private}, PageSize: 5, Interval: 10 * time.Minute,
				Data:           func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/properties/") },
				Refreshes:      true,
				Unauthorized:   vendorFault(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
				Forbidden:      vendorFault(403, "PERMISSION_DENIED", "User does not have sufficient permissions for this property."),
				Throttled:      vendorFault(429, "RESOURCE_EXHAUSTED", "Exhausted concurrent requests quota."),
				ThrottledFor:   time.Second,
				LongThrottled:  vendorFault(429, "RESOURCE_EXHAUSTED", "Exhausted property tokens for a project per hour."),
				ErrorInside200: vendorFault(200, "INTERNAL", "An internal error has occurred."),
				Skip:           skip,
			})
		})
	}
}

// account keeps what was put, beside the fake that serves it. All of it is of yesterday and today.
type account struct {
	server *fakega4.Server
	stream string
	today  record.Day
	values map[int]record.Amount
}

func newAccount(stream string) sourcetest.Account {
	a := &account{server: fakega4.New(time.Now), stream: stream, today: record.DayOf(time.Now().UTC()), values: map[int]record.Amount{}}
	a.server.Token, a.server.Property, a.server.Zone = testToken, testProperty, "UTC"
	a.server.Users = func(start, end record.Day) fakega4.Users {
		var u fakega4.Users
		for n, v := range a.values {
			if day := a.day(n); day >= start && day <= end {
				u.Total += 2 * shown(v)
				u.New += shown(v)
			}
		}
		return u
	}
	return sourcetest.Account{
		Handler: a.server.Handler(), Want: a.want,
		Put: func(n int, value record.Amount, _ time.Time) {
			a.values[n] = value
			a.serve()
		},
		Delete: func(n int, _ time.Time) {
			delete(a.values, n)
			a.serve()
		},
		Merge: func(from, _ int, _ time.Time) {
			delete(a.values, from)
			a.serve()
		},
	}
}

func (a *account) day(n int) record.Day { return a.today - record.Day(n%2) }

// shown makes visits of a value; the vendor knows no null.
func shown(v record.Amount) int64 { return 1 + v.Micros/10_000 }

func domain(n int) string { return fmt.Sprintf("site%d.example", n) }

func (a *account) visits(n int) fakega4.Visits {
	return fakega4.Visits{
		Source: domain(n), Medium: "referral", Campaign: "(referral)", Group: "Referral",
		Counts: fakega4.Counts{Sessions: shown(a.values[n]), Seconds: 7, KeyEvents: record.Micros(a.values[n].Micros)},
	}
}

func (a *account) serve() {
	for _, day := range []record.Day{a.today - 1, a.today} {
		var f fakega4.Figures
		for _, n := range slices.Sorted(maps.Keys(a.values)) {
			if a.day(n) == day {
				f.Channels = append(f.Channels, a.visits(n))
				f.Total.Sessions += shown(a.values[n])
			}
		}
		a.server.SetDay(day, f)
	}
}

// want returns the records as they must be, numbered in the order of their values.
func (a *account) want() []record.Record {
	var list []record.Record
	if a.stream == streamUsers {
		return a.wantUsers()
	}
	for _, day := range []record.Day{a.today - 1, a.today} {
		var domains []string
		number := map[string]int{}
		sum := int64(0)
		for n, v := range a.values {
			if a.day(n) == day {
				domains = append(domains, domain(n))
				number[domain(n)] = n
				sum += shown(v)
			}
		}
		slices.Sort(domains)
		for i, name := range domains {
			v := a.visits(number[name])
			sessions := record.Micros(v.Sessions * 1_000_000)
			if a.stream == streamReferrer {
				list = append(list, &record.Referrer{
					Meta: record.Meta{ID: fmt.Sprintf("%s/referrer/%d", day, i)}, Day: day, Site: "web", Domain: name, Sessions: sessions,
				})
				continue
			}
			list = append(list, &record.Traffic{
				Meta: record.Meta{ID: fmt.Sprintf("%s/channel/%d", day, i)}, Day: day, Site: "web", By: record.ByChannel,
				Touch:    record.Touch{Source: name, Medium: "referral", Channel: "referral"},
				Sessions: sessions, Seconds: record.Micros(7_000_000), Conversions: v.KeyEvents,
				Engaged: record.Micros(0), Views: record.Micros(0), NewUsers: record.Micros(0),
			})
		}
		// Before the first visit nothing is known.
		if a.stream == streamTraffic && (sum > 0 || day == a.today && len(list) > 0) {
			total := zero()
			total.Meta, total.Day, total.Site, total.By = record.Meta{ID: totalID(day)}, day, "web", record.ByTotal
			total.Sessions = record.Micros(sum * 1_000_000)
			total.Downloads, total.DownloadSessions = record.Micros(0), record.Micros(0)
			list = append(list, total)
		}
	}
	return list
}

func (a *account) wantUsers() []record.Record {
	var list []record.Record
	for _, days := range ranges(sources.Environment{Zone: time.UTC, Now: time.Now(), Windows: window.Names()}) {
		u := a.server.Users(days.from, days.to)
		for kind, n := range map[string]int64{"total": u.Total, "new": u.New, "returning": u.Total - u.New} {
			list = append(list, &record.Users{
				Meta: record.Meta{ID: fmt.Sprintf("%s/%s/%s", days.from, days.to+1, kind)}, Site: "web",
				Start: days.from, End: days.to + 1, Kind: kind, Users: record.Micros(n * 1_000_000),
			})
		}
	}
	return list
}
