package record

// Types of an Activity.
const (
	ActivityCall    = "call"
	ActivityEmail   = "email"
	ActivitySMS     = "sms"
	ActivityMeeting = "meeting"
)

// Activity is something that a person of the company, or a machine for it, did with a
// lead, an account or a deal.
type Activity struct {
	Meta
	Type      string  `cbor:"1,keyasint,omitempty"`
	At        Instant `cbor:"2,keyasint,omitzero"`
	Owner     string  `cbor:"3,keyasint,omitempty"`
	Lead      string  `cbor:"4,keyasint,omitempty"` // a lead's ID in the same source, sealed
	Account   Ref     `cbor:"5,keyasint,omitzero"`
	Deal      string  `cbor:"6,keyasint,omitempty"`
	Incoming  bool    `cbor:"7,keyasint,omitempty"`
	Automated bool    `cbor:"8,keyasint,omitempty"`
	Connected bool    `cbor:"9,keyasint,omitempty"`
	Planned   bool    `cbor:"10,keyasint,omitempty"` // not yet done
	LeadRef   Ref     `cbor:"11,keyasint,omitzero"`  // filled by Seal from Lead
}

// Kinds of an Engagement.
const (
	EngagementVisit      = "visit"
	EngagementEmailClick = "email_click"
	EngagementDownload   = "download"
	EngagementForm       = "form"
	EngagementWebinar    = "webinar"
	EngagementMeeting    = "meeting"
	EngagementOrder      = "order"
)

// Engagement is something that a person of an account did.
type Engagement struct {
	Meta
	Account Ref     `cbor:"1,keyasint,omitzero"`
	At      Instant `cbor:"2,keyasint,omitzero"`
	Type    string  `cbor:"3,keyasint,omitempty"`
	Contact Ref     `cbor:"4,keyasint,omitzero"` // the person
}

// Attendance is one registration for a webinar.
type Attendance struct {
	Meta
	Webinar      string  `cbor:"1,keyasint,omitempty"`
	HeldAt       Instant `cbor:"2,keyasint,omitzero"`
	Lead         Ref     `cbor:"3,keyasint,omitzero"` // the registrant
	RegisteredAt Instant `cbor:"4,keyasint,omitzero"`
	AttendedAt   Instant `cbor:"5,keyasint,omitzero"` // null where the registrant stayed away
	Seconds      Amount  `cbor:"6,keyasint,omitzero"`
	Questions    Amount  `cbor:"7,keyasint,omitzero"`
}

// Survey is an answer to the question how likely one is to recommend, 0 to 10.
type Survey struct {
	Meta
	Customer Ref     `cbor:"1,keyasint,omitzero"`
	At       Instant `cbor:"2,keyasint,omitzero"`
	Score    Amount  `cbor:"3,keyasint,omitzero"`
}

// Referral says that one customer brought another.
type Referral struct {
	Meta
	Referrer Ref     `cbor:"1,keyasint,omitzero"`
	Referred Ref     `cbor:"2,keyasint,omitzero"`
	At       Instant `cbor:"3,keyasint,omitzero"`
}

// Tie is what passed between the members of two customers on a day.
type Tie struct {
	Meta
	A            Ref    `cbor:"1,keyasint,omitzero"`
	B            Ref    `cbor:"2,keyasint,omitzero"`
	Type         string `cbor:"3,keyasint,omitempty"` // such as reply, like, mention
	Day          Day    `cbor:"4,keyasint"`
	Interactions Amount `cbor:"5,keyasint,omitzero"`
}

// Member is a person of a customer in the community.
type Member struct {
	Meta
	Customer Ref     `cbor:"1,keyasint,omitzero"`
	ActiveAt Instant `cbor:"2,keyasint,omitzero"` // last
}

func (*Activity) RecordKind() Kind   { return KindActivity }
func (*Engagement) RecordKind() Kind { return KindEngagement }
func (*Attendance) RecordKind() Kind { return KindAttendance }
func (*Survey) RecordKind() Kind     { return KindSurvey }
func (*Referral) RecordKind() Kind   { return KindReferral }
func (*Tie) RecordKind() Kind        { return KindTie }
func (*Member) RecordKind() Kind     { return KindMember }

func (r *Activity) Dates() []Instant   { return []Instant{r.At} }
func (r *Engagement) Dates() []Instant { return []Instant{r.At} }
func (r *Attendance) Dates() []Instant { return []Instant{r.HeldAt, r.RegisteredAt, r.AttendedAt} }
func (r *Survey) Dates() []Instant     { return []Instant{r.At} }
func (r *Referral) Dates() []Instant   { return []Instant{r.At} }
func (r *Tie) Dates() []Instant        { return []Instant{OnDate(r.Day)} }
func (r *Member) Dates() []Instant     { return []Instant{r.ActiveAt} }

func (r *Activity) Seal(s *Sealer, source string) {
	r.LeadRef = s.leadRef(source, RefTo(r.Lead))
	if r.Lead != "" {
		r.Lead = s.StoredID(source, KindLead, r.Lead)
	}
	r.Account = s.ref(source, r.Account)
}

func (r *Engagement) Seal(s *Sealer, source string) {
	r.Account = s.ref(source, r.Account)
	r.Contact = s.ref(source, r.Contact)
}
func (r *Attendance) Seal(s *Sealer, source string) { r.Lead = s.leadRef(source, r.Lead) }
func (r *Survey) Seal(s *Sealer, source string)     { r.Customer = s.ref(source, r.Customer) }

func (r *Referral) Seal(s *Sealer, source string) {
	r.Referrer = s.ref(source, r.Referrer)
	r.Referred = s.ref(source, r.Referred)
}

func (r *Tie) Seal(s *Sealer, source string) {
	r.A = s.ref(source, r.A)
	r.B = s.ref(source, r.B)
}
func (r *Member) Seal(s *Sealer, source string) { r.Customer = s.ref(source, r.Customer) }
