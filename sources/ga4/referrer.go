package ga4

import (
	"regexp"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// reportReferrer is the report of the stream referrer.
const reportReferrer = "referrer"

func referrerReport() report {
	return report{
		name: reportReferrer, dimensions: []string{"sessionSource"}, metrics: []string{"sessions"},
		filter: exactly("sessionDefaultChannelGroup", "Referral"),
	}
}

// hostForm is the name of a host with a domain: campaigns may name their source as they like.
var hostForm = regexp.MustCompile(`^[\pL\pN_-]+(\.[\pL\pN_-]+)*\.\pL[\pL\pN-]+$`)

// referrers makes the records of the report that was read.
func (r *reading) referrers() {
	byDay := map[record.Day]map[string]*record.Referrer{}
	lost := r.each(reportReferrer, func(day record.Day, row row) error {
		if row.dimensions[1] == other {
			// Domains that are not told apart cannot be counted.
			r.cut(reportReferrer, span{day, day})
			return nil
		}
		sessions, _, err := count(row.metrics[0])
		if err != nil {
			return err
		}
		domain := domainOf(row.dimensions[1])
		if domain == "" || sessions.Micros == 0 {
			return nil
		}
		if byDay[day] == nil {
			byDay[day] = map[string]*record.Referrer{}
		}
		if same := byDay[day][domain]; same != nil {
			same.Sessions = record.Micros(same.Sessions.Micros + sessions.Micros)
		} else {
			byDay[day][domain] = &record.Referrer{Day: day, Site: r.name, Domain: domain, Sessions: sessions}
		}
		return nil
	})
	if !lost { // what is held stays
		number(r, reportReferrer, byDay)
	}
}

// domainOf returns the domain that a session's source names; empty where it names none.
func domainOf(source string) string {
	domain := strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(source)), "."), "www.")
	if !hostForm.MatchString(domain) {
		return ""
	}
	return domain
}
