package rows

import (
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// plainID is the ID of a kind whose IDs are kept as they are, and whose rows are about
// persons: an address must not get there.
func plainID(doc string) Field {
	f := required(id(doc + "; kept as it is, so that it must be no address or name"))
	set := f.set
	f.set = func(p *parser, r record.Record, c cell) *problem {
		if strings.Contains(c.text, "@") {
			return &problem{reason: ReasonValue, detail: "is an e-mail address, which is not kept; map a column with a number or code of the row's own"}
		}
		return set(p, r, c)
	}
	return f
}

func activities() kind {
	return kind{fields: []Field{
		plainID("the activity's ID"),
		deleted(),
		required(choice("type", "", []string{record.ActivityCall, record.ActivityEmail, record.ActivitySMS, record.ActivityMeeting},
			func(r *record.Activity) *string { return &r.Type })),
		required(moment("at", "when it took place", func(r *record.Activity) *record.Instant { return &r.At })),
		text("owner", "sales representative", func(r *record.Activity) *string { return &r.Owner }),
		text("lead", "the lead's ID", func(r *record.Activity) *string { return &r.Lead }),
		ref("account", "the account's ID", func(r *record.Activity) *record.Ref { return &r.Account }),
		text("deal", "the deal's ID", func(r *record.Activity) *string { return &r.Deal }),
		unless("outgoing", "it came from the own company; null is true", func(r *record.Activity) *bool { return &r.Incoming }),
		boolean("automated", "a machine did it, such as a sequence of e-mails", func(r *record.Activity) *bool { return &r.Automated }),
		boolean("connected", "a call that reached somebody", func(r *record.Activity) *bool { return &r.Connected }),
		unless("done", "it has taken place; null is true", func(r *record.Activity) *bool { return &r.Planned }),
	}}
}

func engagements() kind {
	return kind{fields: []Field{
		plainID("the event's ID"),
		deleted(),
		required(ref("account", "the account's ID", func(r *record.Engagement) *record.Ref { return &r.Account })),
		required(moment("at", "when it happened", func(r *record.Engagement) *record.Instant { return &r.At })),
		required(choice("kind", "", []string{
			record.EngagementVisit, record.EngagementEmailClick, record.EngagementDownload, record.EngagementForm,
			record.EngagementWebinar, record.EngagementMeeting, record.EngagementOrder,
		}, func(r *record.Engagement) *string { return &r.Type })),
		ref("contact", "ID or e-mail address of the person; hashed before it is stored", func(r *record.Engagement) *record.Ref { return &r.Contact }),
	}}
}

func attendances() kind {
	return kind{fields: []Field{
		plainID("the registration's ID"),
		deleted(),
		required(text("webinar", "name or ID of the webinar", func(r *record.Attendance) *string { return &r.Webinar })),
		required(moment("held_at", "when it was held", func(r *record.Attendance) *record.Instant { return &r.HeldAt })),
		ref("lead", "ID or e-mail address of the registrant; hashed before it is stored", func(r *record.Attendance) *record.Ref { return &r.Lead }),
		moment("registered_at", "when the registrant registered", func(r *record.Attendance) *record.Instant { return &r.RegisteredAt }),
		attended(),
		moment("attended_at", "when the registrant came; null: stayed away, unless `attended` says otherwise",
			func(r *record.Attendance) *record.Instant { return &r.AttendedAt }),
		count("seconds", "how long the registrant stayed", func(r *record.Attendance) *record.Amount { return &r.Seconds }),
		count("questions", "how many questions the registrant asked", func(r *record.Attendance) *record.Amount { return &r.Questions }),
	}}
}

// attended serves lists that know that somebody came, but not when. It stands before
// attended_at, which overrides it, and after held_at, which it takes.
func attended() Field {
	return Field{Name: "attended", Type: TypeBoolean, Doc: "the registrant came; `attended_at` is then `held_at` where it is null", set: func(_ *parser, r record.Record, c cell) *problem {
		came, bad := parseBool(c.text)
		if came {
			a := r.(*record.Attendance)
			a.AttendedAt = a.HeldAt
		}
		return bad
	}}
}

func surveys() kind {
	return kind{fields: []Field{
		plainID("the answer's ID"),
		deleted(),
		ref("customer", "ID or e-mail address of the customer; hashed before it is stored; null for an anonymous answer",
			func(r *record.Survey) *record.Ref { return &r.Customer }),
		required(moment("at", "when it was answered", func(r *record.Survey) *record.Instant { return &r.At })),
		required(between("score", "how likely the customer is to recommend, 0 to 10", 0, 10, func(r *record.Survey) *record.Amount { return &r.Score })),
	}}
}

func referrals() kind {
	return kind{fields: []Field{
		plainID("the referral's ID"),
		deleted(),
		required(ref("referrer", "ID or e-mail address of the customer that recommended; hashed before it is stored",
			func(r *record.Referral) *record.Ref { return &r.Referrer })),
		required(ref("referred", "ID or e-mail address of the one that came; hashed before it is stored",
			func(r *record.Referral) *record.Ref { return &r.Referred })),
		required(moment("at", "when it was recommended", func(r *record.Referral) *record.Instant { return &r.At })),
	}}
}

func ties() kind {
	return kind{fields: []Field{
		plainID("the tie's ID"),
		deleted(),
		required(ref("customer_a", "ID or e-mail address of one customer; hashed before it is stored", func(r *record.Tie) *record.Ref { return &r.A })),
		required(ref("customer_b", "as `customer_a`, of the other", func(r *record.Tie) *record.Ref { return &r.B })),
		required(text("kind", "what passed between them, such as reply, like or mention", func(r *record.Tie) *string { return &r.Type })),
		required(day("day", "the day", func(r *record.Tie) *record.Day { return &r.Day })),
		required(count("interactions", "how many", func(r *record.Tie) *record.Amount { return &r.Interactions })),
	}}
}

func members() kind {
	return kind{fields: []Field{
		plainID("the member's ID"),
		deleted(),
		ref("customer", "ID or e-mail address of the customer; hashed before it is stored", func(r *record.Member) *record.Ref { return &r.Customer }),
		moment("active_at", "when the member was last active", func(r *record.Member) *record.Instant { return &r.ActiveAt }),
	}}
}
