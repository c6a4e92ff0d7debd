package rows

import (
	"net/url"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// compose names a row by its day and labels. Different ones give different names.
func compose(day record.Day, labels ...string) string {
	parts := []string{day.String()}
	for _, label := range labels {
		parts = append(parts, url.PathEscape(label))
	}
	return strings.TrimRight(strings.Join(parts, "/"), "/")
}

// figures returns the table of figures of a day: labels tell the rows of one day apart,
// and name makes an ID of the day and of them.
func figures[R record.Record](at func(R) *record.Day, labels, counts []Field, name func(R) string) kind {
	names := []string{"`day`"}
	for _, f := range labels {
		names = append(names, "`"+f.Name+"`")
	}
	return kind{
		fields: slices.Concat([]Field{
			id("the row's ID; null: made of " + strings.Join(names, ", ")),
			deleted(),
			required(day("day", "the day", at)),
		}, labels, counts),
		named:    1 + len(labels),
		deriveID: func(r record.Record) string { return name(r.(R)) },
	}
}

func spend() kind {
	k := figures(
		func(r *record.Spend) *record.Day { return &r.Day },
		append([]Field{
			text("platform", "ad platform, such as google or meta", func(r *record.Spend) *string { return &r.Platform }),
			text("campaign_id", "the campaign's ID", func(r *record.Spend) *string { return &r.CampaignID }),
			text("program", "program", func(r *record.Spend) *string { return &r.Program }),
			text("variant", "arm of an experiment of the platform", func(r *record.Spend) *string { return &r.Variant }),
		}, touch(func(r *record.Spend) *record.Touch { return &r.Touch })...),
		[]Field{
			currencyCode("currency", "currency of the amounts; required with one", func(r *record.Spend) *string { return &r.Currency }),
			amount("cost", "what was spent", func(r *record.Spend) *record.Amount { return &r.Cost }),
			count("impressions", "impressions", func(r *record.Spend) *record.Amount { return &r.Impressions }),
			count("clicks", "clicks", func(r *record.Spend) *record.Amount { return &r.Clicks }),
			count("conversions", "conversions; fractions are kept", func(r *record.Spend) *record.Amount { return &r.Conversions }),
			amount("conversion_value", "value of the conversions", func(r *record.Spend) *record.Amount { return &r.ConversionValue }),
		},
		func(r *record.Spend) string {
			campaign := r.Touch.Campaign
			if r.CampaignID != "" {
				campaign = "" // a campaign that was renamed is the same
			}
			return compose(r.Day, r.Platform, r.CampaignID, campaign, r.Variant, r.Program, r.Touch.Source, r.Touch.Medium, r.Touch.Channel)
		},
	)
	k.finish = func(r record.Record) *problem {
		s := r.(*record.Spend)
		return needsCurrency(s.Currency, s.Cost, s.ConversionValue)
	}
	return k
}

func adQuality() kind {
	k := figures(
		func(r *record.AdQuality) *record.Day { return &r.Day },
		[]Field{
			text("platform", "ad platform, such as google or meta", func(r *record.AdQuality) *string { return &r.Platform }),
			text("campaign", "the campaign's name", func(r *record.AdQuality) *string { return &r.Campaign }),
			text("dimension", "what is judged; null is `quality_score`", func(r *record.AdQuality) *string { return &r.Dimension }),
		},
		[]Field{
			required(between("score", "1 to 10", 1, 10, func(r *record.AdQuality) *record.Amount { return &r.Score })),
			required(count("impressions", "the score's weight", func(r *record.AdQuality) *record.Amount { return &r.Impressions })),
		},
		func(r *record.AdQuality) string { return compose(r.Day, r.Platform, r.Campaign, r.Dimension) },
	)
	k.start = func(r record.Record) { r.(*record.AdQuality).Dimension = "quality_score" }
	return k
}

func traffic() kind {
	k := figures(
		func(r *record.Traffic) *record.Day { return &r.Day },
		append([]Field{
			text("site", "the site", func(r *record.Traffic) *string { return &r.Site }),
			choice("by", "the breakdown that the row is of; null is `total`",
				[]string{record.ByTotal, record.ByChannel, record.ByDevice, record.ByCountry, record.ByAge}, func(r *record.Traffic) *string { return &r.By }),
			text("value", "the device, country or age; a channel where `channel`, `source` and `medium` are null", func(r *record.Traffic) *string { return &r.Value }),
		}, touch(func(r *record.Traffic) *record.Touch { return &r.Touch })...),
		[]Field{
			count("sessions", "sessions", func(r *record.Traffic) *record.Amount { return &r.Sessions }),
			count("engaged", "engaged sessions", func(r *record.Traffic) *record.Amount { return &r.Engaged }),
			count("single_page", "sessions of a single page", func(r *record.Traffic) *record.Amount { return &r.SinglePage }),
			count("views", "page views", func(r *record.Traffic) *record.Amount { return &r.Views }),
			count("seconds", "duration of all sessions together", func(r *record.Traffic) *record.Amount { return &r.Seconds }),
			count("conversions", "conversions", func(r *record.Traffic) *record.Amount { return &r.Conversions }),
			count("downloads", "downloads", func(r *record.Traffic) *record.Amount { return &r.Downloads }),
			count("download_sessions", "sessions with a download", func(r *record.Traffic) *record.Amount { return &r.DownloadSessions }),
			count("new_users", "users on their first visit", func(r *record.Traffic) *record.Amount { return &r.NewUsers }),
		},
		func(r *record.Traffic) string {
			t := trafficTouch(r)
			return compose(r.Day, r.Site, r.By, r.Value, t.Source, t.Medium, t.Campaign, t.Channel)
		},
	)
	k.start = func(r record.Record) { r.(*record.Traffic).By = record.ByTotal }
	k.finish = func(r record.Record) *problem {
		t := r.(*record.Traffic)
		t.Touch = trafficTouch(t)
		switch {
		case t.By == record.ByTotal && t.Value != "":
			return &problem{reason: ReasonValue, field: "value", detail: "is given, but the row is of the total; map by"}
		case t.By == record.ByChannel && t.Touch == record.Touch{}:
			return &problem{reason: ReasonValue, field: "value", detail: "is no channel, and channel, source and medium are empty"}
		}
		return nil
	}
	return k
}

// trafficTouch returns what a row by channel says of where its visits came from.
func trafficTouch(t *record.Traffic) record.Touch {
	value := strings.ToLower(t.Value)
	switch {
	case t.By != record.ByChannel:
		return record.Touch{}
	case t.Touch == record.Touch{} && record.IsChannel(value):
		return record.Touch{Channel: value}
	}
	return t.Touch
}

func users() kind {
	return kind{
		fields: []Field{
			id("the row's ID; null: made of `start`, `end`, `site`, `kind`"),
			deleted(),
			required(day("start", "first day of the period that visitors were counted over", func(r *record.Users) *record.Day { return &r.Start })),
			required(day("end", "the day after the period's last", func(r *record.Users) *record.Day { return &r.End })),
			text("site", "the site", func(r *record.Users) *string { return &r.Site }),
			choice("kind", "null is `total`", []string{record.UsersTotal, record.UsersNew, record.UsersReturning},
				func(r *record.Users) *string { return &r.Kind }),
			required(count("users", "different visitors in the period", func(r *record.Users) *record.Amount { return &r.Users })),
		},
		start: func(r record.Record) { r.(*record.Users).Kind = record.UsersTotal },
		finish: func(r record.Record) *problem {
			if u := r.(*record.Users); u.End <= u.Start {
				return &problem{reason: ReasonValue, field: "end", detail: "is not after start"}
			}
			return nil
		},
		named: 4,
		deriveID: func(r record.Record) string {
			u := r.(*record.Users)
			return compose(u.Start, u.End.String(), u.Site, u.Kind)
		},
	}
}

func pages() kind {
	k := figures(
		func(r *record.Page) *record.Day { return &r.Day },
		[]Field{
			text("site", "the site", func(r *record.Page) *string { return &r.Site }),
			required(text("page", "path of the page, without the query", func(r *record.Page) *string { return &r.Page })),
		},
		[]Field{
			count("sessions", "sessions with the page", func(r *record.Page) *record.Amount { return &r.Sessions }),
			count("exits", "sessions that ended on it", func(r *record.Page) *record.Amount { return &r.Exits }),
		},
		func(r *record.Page) string { return compose(r.Day, r.Site, r.Page) },
	)
	k.finish = func(r record.Record) *problem {
		// Queries hold personal data; pages that differ by them are to be summed, not kept.
		if strings.ContainsAny(r.(*record.Page).Page, "?#") {
			return &problem{reason: ReasonValue, field: "page", detail: "has a query or a fragment; sum the figures of the page without it"}
		}
		return nil
	}
	return k
}

func referrers() kind {
	return figures(
		func(r *record.Referrer) *record.Day { return &r.Day },
		[]Field{
			text("site", "the site", func(r *record.Referrer) *string { return &r.Site }),
			required(text("domain", "the domain that visits came from", func(r *record.Referrer) *string { return &r.Domain })),
		},
		[]Field{count("sessions", "sessions", func(r *record.Referrer) *record.Amount { return &r.Sessions })},
		func(r *record.Referrer) string { return compose(r.Day, r.Site, r.Domain) },
	)
}

func search() kind {
	return figures(
		func(r *record.Search) *record.Day { return &r.Day },
		[]Field{text("site", "the site", func(r *record.Search) *string { return &r.Site })},
		[]Field{
			count("clicks", "clicks", func(r *record.Search) *record.Amount { return &r.Clicks }),
			count("impressions", "impressions", func(r *record.Search) *record.Amount { return &r.Impressions }),
			count("position", "mean position, weighted by impressions", func(r *record.Search) *record.Amount { return &r.Position }),
		},
		func(r *record.Search) string { return compose(r.Day, r.Site) },
	)
}

func backlinks() kind {
	return figures(
		func(r *record.Backlink) *record.Day { return &r.Day },
		[]Field{text("site", "the site", func(r *record.Backlink) *string { return &r.Site })},
		[]Field{required(count("links", "inbound links known on the day", func(r *record.Backlink) *record.Amount { return &r.Links }))},
		func(r *record.Backlink) string { return compose(r.Day, r.Site) },
	)
}

func emails() kind {
	k := figures(
		func(r *record.Email) *record.Day { return &r.Day },
		[]Field{
			text("provider", "the tool that sent them", func(r *record.Email) *string { return &r.Provider }),
			text("campaign", "the campaign", func(r *record.Email) *string { return &r.Campaign }),
			choice("audience", "null is `all`; `customers` are among `all`", []string{record.AudienceAll, record.AudienceCustomers},
				func(r *record.Email) *string { return &r.Audience }),
		},
		[]Field{
			count("sent", "messages sent on the day", func(r *record.Email) *record.Amount { return &r.Sent }),
			count("delivered", "of them delivered", func(r *record.Email) *record.Amount { return &r.Delivered }),
			count("opens", "opened", func(r *record.Email) *record.Amount { return &r.Opens }),
			count("clicks", "clicked", func(r *record.Email) *record.Amount { return &r.Clicks }),
			count("conversions", "converted", func(r *record.Email) *record.Amount { return &r.Conversions }),
			count("unsubscribes", "unsubscribed", func(r *record.Email) *record.Amount { return &r.Unsubscribes }),
		},
		func(r *record.Email) string { return compose(r.Day, r.Provider, r.Campaign, r.Audience) },
	)
	k.start = func(r record.Record) { r.(*record.Email).Audience = record.AudienceAll }
	return k
}

func social() kind {
	return figures(
		func(r *record.Social) *record.Day { return &r.Day },
		[]Field{required(text("network", "the network, such as linkedin", func(r *record.Social) *string { return &r.Network }))},
		[]Field{
			count("followers", "followers at the day's end", func(r *record.Social) *record.Amount { return &r.Followers }),
			count("impressions", "impressions of the own posts", func(r *record.Social) *record.Amount { return &r.Impressions }),
			count("engagements", "reactions to them", func(r *record.Social) *record.Amount { return &r.Engagements }),
		},
		func(r *record.Social) string { return compose(r.Day, r.Network) },
	)
}

func timeEntries() kind {
	return figures(
		func(r *record.TimeEntry) *record.Day { return &r.Day },
		[]Field{required(text("task", "the task", func(r *record.TimeEntry) *string { return &r.Task }))},
		[]Field{required(count("seconds", "time that was logged", func(r *record.TimeEntry) *record.Amount { return &r.Seconds }))},
		func(r *record.TimeEntry) string { return compose(r.Day, r.Task) },
	)
}
