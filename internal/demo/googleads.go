package demo

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// ads shows the company's campaigns on Google as an account of Google Ads.
type ads struct {
	account *googleads.Server
	handler http.Handler
	market  *Market
	now     func() time.Time

	mu  sync.Mutex
	at  time.Time // when the account was brought up to date last
	day int       // the present day then; before the first one where there was none
}

const (
	// conversionDays is how long after a click a conversion comes at the latest.
	conversionDays = 28
	// judgedDays is for how long before the present the account knows the quality of keywords.
	judgedDays = 365
	// keywordsEach is how many keywords a campaign has.
	keywordsEach = 3
)

// trial is an experiment on a campaign, from days before the present until days after it.
// What is tried out is a campaign of its own at the platform; it gets half of the visits.
const (
	trialOf      = "bulk-packaging"
	trialID      = 21_000_000_102
	trialBegins  = 75
	trialEnds    = -15
	trialControl = 42 // percent of the leads that the half without the change brings
)

func newAds(m *Market, now func() time.Time) *ads {
	account := googleads.New(now, googleads.Account{ID: adsAccount, Name: "supply.example", Currency: "EUR", Zone: m.zone})
	s := &ads{account: account, handler: account.Handler(), market: m, now: now, day: -1}
	for _, o := range m.origins {
		if o.Platform != "google" {
			continue
		}
		account.AddCampaign(googleads.Campaign{ID: o.ID, Name: o.Campaign, Start: m.civil(max(m.days-o.begins, 0))})
		for i := range keywordsEach {
			account.AddKeyword(googleads.Keyword{ID: keyword(o, i), Campaign: o.ID, AdGroup: o.ID + 1_000})
		}
		if o.Campaign == trialOf {
			first, last := m.civil(m.days-trialBegins), m.civil(m.days-trialEnds)
			account.AddCampaign(googleads.Campaign{ID: trialID, Name: o.Campaign + " short form", Start: first, End: last})
			account.AddArm(googleads.Arm{Experiment: "71", Name: "long form", Control: true, Campaign: o.ID, Start: first, End: last})
			account.AddArm(googleads.Arm{Experiment: "71", Name: "short form", Campaign: trialID, Start: first, End: last})
		}
	}
	return s
}

const adsAccount = "5550001234"

// keyword returns the ID of a keyword of a campaign.
func keyword(o *Origin, i int) int64 { return o.ID*10 + int64(i) }

func (s *ads) source(url string) string {
	return "{name: google, type: google_ads, interval: 5m, customer_id: " + adsAccount + ", url: " + url + ", token_url: " + url + "/token, " + credentials + "}"
}

// changes returns none: the account is brought up to date when it is asked.
func (s *ads) changes(*Batch) []change { return nil }

func (s *ads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.update()
	s.handler.ServeHTTP(w, r)
}

// update brings the days up to date that are new or may have got conversions since, once
// a minute.
func (s *ads) update() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Sub(s.at) < time.Minute {
		return
	}
	today := s.market.dayOf(now)
	for d := max(s.day-conversionDays, 0); d <= today; d++ {
		for _, a := range s.market.day(d) {
			if a.Platform == "google" {
				s.put(d, a, now)
			}
		}
	}
	s.at, s.day = now, today
}

// put shows what a campaign did on a day, as far as that is known by now.
func (s *ads) put(d int, a Activity, now time.Time) {
	share, since := s.market.share(d, now), s.market.days-d
	day := s.market.civil(d)
	all := googleads.Metrics{
		CostMicros: part(a.Cost*10_000, share), Impressions: part(int64(a.Impressions), share), Clicks: part(int64(a.Clicks), share),
	}
	tenths, tried := s.conversions(d, a, part(int64(a.Leads), share), now)
	if a.Campaign == trialOf && since <= trialBegins && since >= trialEnds {
		half := googleads.Metrics{CostMicros: all.CostMicros / 2, Impressions: all.Impressions / 2, Clicks: all.Clicks / 2}
		s.account.SetDay(trialID, day, converted(half, tried))
		all.CostMicros, all.Impressions, all.Clicks = all.CostMicros-half.CostMicros, all.Impressions-half.Impressions, all.Clicks-half.Clicks
	} else {
		tenths += tried
	}
	s.account.SetDay(a.ID, day, converted(all, tenths))
	if since > judgedDays {
		return
	}
	r := rand.New(rand.NewPCG(s.market.seed, uint64(a.ID)+uint64(d/7))) // scores last for weeks
	for i := range keywordsEach {
		score := qualityOf(a.Origin) - i + r.IntN(2) - int(s.market.dearer(a.Origin, d))
		s.account.SetQuality(keyword(a.Origin, i), day, min(max(score, 1), 10), all.Impressions/int64(2+i))
	}
}

// qualityOf returns how the platform rates the best keyword of a campaign, of 10.
func qualityOf(o *Origin) int {
	if o.quality > 1 {
		return 9
	}
	return int(8 * o.quality)
}

// conversions returns how many tenths of conversions are booked by now on the clicks of a day:
// of the leads that it brought, mostly at once and some later. Those of tried ones are by themselves.
func (s *ads) conversions(d int, a Activity, leads int64, now time.Time) (usual, tried int64) {
	r := rand.New(rand.NewPCG(s.market.seed, uint64(a.ID)<<20+uint64(d)))
	for range leads {
		credit := pick(r, []int64{10, 5, 0}, []int{94, 4, 2}) // shared with other ads, or not measured
		var delay time.Duration
		if r.IntN(100) < 35 {
			delay = min(time.Duration(r.ExpFloat64()*6*24), conversionDays*24-1) * time.Hour
		}
		half := r.IntN(100) >= trialControl
		switch booked := s.market.date(d).Add(delay); {
		case booked.After(now):
		case half:
			tried += credit
		default:
			usual += credit
		}
	}
	return usual, tried
}

// leadWorth is what the account takes a conversion to be worth, in euro.
const leadWorth = 240

// converted returns metrics with tenths of conversions.
func converted(m googleads.Metrics, tenths int64) googleads.Metrics {
	m.Conversions = strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10)
	m.Value = strconv.FormatInt(tenths*leadWorth/10, 10)
	return m
}

// part returns a share of n.
func part(n int64, share float64) int64 { return int64(float64(n) * share) }

// civil returns the calendar day of the d-th day.
func (m *Market) civil(d int) record.Day { return record.DayOf(m.date(d)) }
