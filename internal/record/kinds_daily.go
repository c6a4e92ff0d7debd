package record

// Spend is what an ad platform reports of one campaign (or variant of it) on one day. It
// is replaced as a whole when the platform restates the day.
type Spend struct {
	Meta
	Day      Day    `cbor:"1,keyasint"`
	Platform string `cbor:"2,keyasint,omitempty"` // such as google, meta
	// Touch is what a visit from the campaign would carry, so that the channel rules
	// apply to spend as to leads: Campaign is the campaign's name.
	Touch           Touch  `cbor:"3,keyasint,omitzero"`
	CampaignID      string `cbor:"4,keyasint,omitempty"`
	Program         string `cbor:"5,keyasint,omitempty"`
	Variant         string `cbor:"6,keyasint,omitempty"` // arm of an experiment of the platform
	Currency        string `cbor:"7,keyasint,omitempty"`
	Cost            Amount `cbor:"8,keyasint,omitzero"`
	Impressions     Amount `cbor:"9,keyasint,omitzero"`
	Clicks          Amount `cbor:"10,keyasint,omitzero"`
	Conversions     Amount `cbor:"11,keyasint,omitzero"` // fractions are kept
	ConversionValue Amount `cbor:"12,keyasint,omitzero"` // in Currency
}

// AdQuality is how an ad platform judges its ads on a day: a score of 1 to 10 and the
// impressions that weight it.
type AdQuality struct {
	Meta
	Day         Day    `cbor:"1,keyasint"`
	Platform    string `cbor:"2,keyasint,omitempty"`
	Campaign    string `cbor:"3,keyasint,omitempty"`
	Dimension   string `cbor:"4,keyasint,omitempty"` // quality_score, or what a relevance ranking ranks
	Score       Amount `cbor:"5,keyasint,omitzero"`
	Impressions Amount `cbor:"6,keyasint,omitzero"`
}

// Breakdowns of Traffic.
const (
	ByTotal   = "total"
	ByChannel = "channel"
	ByDevice  = "device"
	ByCountry = "country"
	ByAge     = "age"
)

// Traffic is what an analytics tool counted on a site on one day, under one value of one
// breakdown. Breakdowns are never crossed, nor summed to a total that the tool gives.
type Traffic struct {
	Meta
	Day   Day    `cbor:"1,keyasint"`
	Site  string `cbor:"2,keyasint,omitempty"`
	By    string `cbor:"3,keyasint,omitempty"`
	Value string `cbor:"4,keyasint,omitempty"` // of the breakdown; of ByChannel what Touch says
	Touch Touch  `cbor:"5,keyasint,omitzero"`  // only ByChannel

	Sessions         Amount `cbor:"6,keyasint,omitzero"`
	Engaged          Amount `cbor:"7,keyasint,omitzero"` // sessions
	SinglePage       Amount `cbor:"8,keyasint,omitzero"` // sessions
	Views            Amount `cbor:"9,keyasint,omitzero"`
	Seconds          Amount `cbor:"10,keyasint,omitzero"` // duration of all sessions
	Conversions      Amount `cbor:"11,keyasint,omitzero"`
	Downloads        Amount `cbor:"12,keyasint,omitzero"`
	DownloadSessions Amount `cbor:"13,keyasint,omitzero"`
	NewUsers         Amount `cbor:"14,keyasint,omitzero"`
}

// Kinds of Users.
const (
	UsersTotal     = "total"
	UsersNew       = "new"
	UsersReturning = "returning"
)

// Users is how many different visitors a site had in the days from Start up to, not
// including, End. It is replaced as a whole and never added.
type Users struct {
	Meta
	Site  string `cbor:"1,keyasint,omitempty"`
	Start Day    `cbor:"2,keyasint"`
	End   Day    `cbor:"3,keyasint"`
	Kind  string `cbor:"4,keyasint,omitempty"`
	Users Amount `cbor:"5,keyasint,omitzero"`
}

// Page is what happened to one page of a site on a day. Page is its path without the query.
type Page struct {
	Meta
	Day      Day    `cbor:"1,keyasint"`
	Site     string `cbor:"2,keyasint,omitempty"`
	Page     string `cbor:"3,keyasint,omitempty"`
	Sessions Amount `cbor:"4,keyasint,omitzero"` // with the page
	Exits    Amount `cbor:"5,keyasint,omitzero"` // sessions that ended on it
}

// Referrer is a domain that sent visits to a site on a day.
type Referrer struct {
	Meta
	Day      Day    `cbor:"1,keyasint"`
	Site     string `cbor:"2,keyasint,omitempty"`
	Domain   string `cbor:"3,keyasint,omitempty"`
	Sessions Amount `cbor:"4,keyasint,omitzero"`
}

// Search is how a site did in organic search on a day.
type Search struct {
	Meta
	Day         Day    `cbor:"1,keyasint"`
	Site        string `cbor:"2,keyasint,omitempty"`
	Clicks      Amount `cbor:"3,keyasint,omitzero"`
	Impressions Amount `cbor:"4,keyasint,omitzero"`
	Position    Amount `cbor:"5,keyasint,omitzero"` // mean, weighted by impressions
}

// Backlink is how many inbound links a link index knew on a day.
type Backlink struct {
	Meta
	Day   Day    `cbor:"1,keyasint"`
	Site  string `cbor:"2,keyasint,omitempty"`
	Links Amount `cbor:"3,keyasint,omitzero"`
}

// Audiences of an Email.
const (
	AudienceAll       = "all"
	AudienceCustomers = "customers"
)

// Email is what became of the messages of a campaign that were sent on a day.
type Email struct {
	Meta
	Provider     string `cbor:"1,keyasint,omitempty"`
	Campaign     string `cbor:"2,keyasint,omitempty"`
	Day          Day    `cbor:"3,keyasint"`
	Audience     string `cbor:"4,keyasint,omitempty"`
	Sent         Amount `cbor:"5,keyasint,omitzero"`
	Delivered    Amount `cbor:"6,keyasint,omitzero"`
	Opens        Amount `cbor:"7,keyasint,omitzero"`
	Clicks       Amount `cbor:"8,keyasint,omitzero"`
	Conversions  Amount `cbor:"9,keyasint,omitzero"`
	Unsubscribes Amount `cbor:"10,keyasint,omitzero"`
}

// Social is how the own posts and profile of a network did on a day. Followers is a level,
// the rest are counts.
type Social struct {
	Meta
	Network     string `cbor:"1,keyasint,omitempty"`
	Day         Day    `cbor:"2,keyasint"`
	Followers   Amount `cbor:"3,keyasint,omitzero"`
	Impressions Amount `cbor:"4,keyasint,omitzero"`
	Engagements Amount `cbor:"5,keyasint,omitzero"`
}

// TimeEntry is time that the team logged on a task on a day.
type TimeEntry struct {
	Meta
	Task    string `cbor:"1,keyasint,omitempty"`
	Day     Day    `cbor:"2,keyasint"`
	Seconds Amount `cbor:"3,keyasint,omitzero"`
}

func (*Spend) RecordKind() Kind     { return KindSpend }
func (*AdQuality) RecordKind() Kind { return KindAdQuality }
func (*Traffic) RecordKind() Kind   { return KindTraffic }
func (*Users) RecordKind() Kind     { return KindUsers }
func (*Page) RecordKind() Kind      { return KindPage }
func (*Referrer) RecordKind() Kind  { return KindReferrer }
func (*Search) RecordKind() Kind    { return KindSearch }
func (*Backlink) RecordKind() Kind  { return KindBacklink }
func (*Email) RecordKind() Kind     { return KindEmail }
func (*Social) RecordKind() Kind    { return KindSocial }
func (*TimeEntry) RecordKind() Kind { return KindTimeEntry }

func (r *Spend) Dates() []Instant     { return []Instant{OnDate(r.Day)} }
func (r *AdQuality) Dates() []Instant { return []Instant{OnDate(r.Day)} }
func (r *Traffic) Dates() []Instant   { return []Instant{OnDate(r.Day)} }
func (r *Page) Dates() []Instant      { return []Instant{OnDate(r.Day)} }
func (r *Referrer) Dates() []Instant  { return []Instant{OnDate(r.Day)} }
func (r *Search) Dates() []Instant    { return []Instant{OnDate(r.Day)} }
func (r *Backlink) Dates() []Instant  { return []Instant{OnDate(r.Day)} }
func (r *Email) Dates() []Instant     { return []Instant{OnDate(r.Day)} }
func (r *Social) Dates() []Instant    { return []Instant{OnDate(r.Day)} }
func (r *TimeEntry) Dates() []Instant { return []Instant{OnDate(r.Day)} }

// Dates returns none: the days over which visitors were counted say nothing of when the
// first of them came.
func (*Users) Dates() []Instant { return nil }

func (*Spend) Seal(*Sealer, string)     {}
func (*AdQuality) Seal(*Sealer, string) {}
func (*Traffic) Seal(*Sealer, string)   {}
func (*Users) Seal(*Sealer, string)     {}
func (*Page) Seal(*Sealer, string)      {}
func (*Referrer) Seal(*Sealer, string)  {}
func (*Search) Seal(*Sealer, string)    {}
func (*Backlink) Seal(*Sealer, string)  {}
func (*Email) Seal(*Sealer, string)     {}
func (*Social) Seal(*Sealer, string)    {}
func (*TimeEntry) Seal(*Sealer, string) {}
