package history

import (
	"encoding/binary"
	"slices"
	"strings"
)

// The kinds of Row.
const (
	// Spend is what an ad platform reports: Labels are platform, channel, program, campaign,
	// ID of the campaign and variant, Values the measures of Spend.
	Spend = firstRow + iota
	// Quality is how a platform judges its ads: Labels are platform and dimension.
	Quality
	// Traffic is what happened on a site: Labels are site, breakdown and value.
	Traffic
	// Users are the different visitors in the days from Day to End: Labels are site and kind.
	Users
	// Referrer is a domain that sent visits: Labels are site and domain.
	Referrer

	// AfterRows is the first kind that no row has.
	AfterRows
)

// Measures of Spend, numbers of Values.
const (
	SpendCost = iota
	SpendImpressions
	SpendClicks
	SpendConversions
	SpendConversionValue
)

// Measures of Quality.
const (
	QualityWeighted    = iota // score x impressions
	QualityImpressions        // those with a score
)

// Measures of Traffic.
const (
	TrafficSessions = iota
	TrafficEngaged
	TrafficSinglePage
	TrafficViews
	TrafficSeconds
	TrafficConversions
	TrafficDownloads
	TrafficDownloadSessions
	TrafficNewUsers

	// Measures is how many values a row has at most.
	Measures
)

// Row is a record of one day, or one range of days: figures under labels that belong
// to no customer.
type Row struct {
	Kind     Kind
	Day, End int32 // days since 1970-01-01; End (not included) only of Users
	Source   Dict
	Labels   Dict // joined by JoinLabels
	Currency Dict
	Known    uint16 // bit i: Values[i] is known
	Values   [Measures]int64
}

// Has reports whether measure i is known.
func (r *Row) Has(i int) bool { return r.Known&(1<<i) != 0 }

// Separator stands between joined labels.
const Separator = "\x1f"

// JoinLabels makes one text of several labels.
func JoinLabels(labels ...string) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteString(Separator)
		}
		b.WriteString(strings.ReplaceAll(l, Separator, " "))
	}
	return b.String()
}

// SplitLabels undoes JoinLabels; there are at least n labels, the last may be empty.
func SplitLabels(text string, n int) []string {
	labels := strings.Split(text, Separator)
	for len(labels) < n {
		labels = append(labels, "")
	}
	return labels
}

// Append appends the row's encoding to b.
func (r *Row) Append(b []byte) []byte {
	b = slices.Grow(b, usualSize)
	b = append(b, byte(r.Kind))
	b = binary.AppendUvarint(b, uint64(r.Known))
	b = binary.AppendVarint(b, int64(r.Day))
	if r.Kind == Users {
		b = binary.AppendVarint(b, int64(r.End))
	}
	b = binary.AppendUvarint(b, uint64(r.Source))
	b = binary.AppendUvarint(b, uint64(r.Labels))
	b = binary.AppendUvarint(b, uint64(r.Currency))
	for i, v := range r.Values {
		if r.Has(i) {
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

// nextRow decodes the first row of b and returns what follows it.
func nextRow(b []byte, row *Row) ([]byte, error) {
	*row = Row{Kind: Kind(b[0])}
	if row.Kind >= AfterRows {
		return nil, ErrCorrupt
	}
	r := reader{b: b[1:]}
	row.Known = uint16(r.uvarint())
	row.Day = int32(r.varint())
	if row.Kind == Users {
		row.End = int32(r.varint())
	}
	row.Source = Dict(r.uvarint())
	row.Labels = Dict(r.uvarint())
	row.Currency = Dict(r.uvarint())
	for i := range row.Values {
		if row.Has(i) {
			row.Values[i] = r.varint()
		}
	}
	if r.bad || row.Known>>Measures != 0 {
		return nil, ErrCorrupt
	}
	return r.b, nil
}
