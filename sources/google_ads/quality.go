package googleads

import (
	"context"
	"math/big"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// dimensionQuality is what a keyword's score is called in records.
const dimensionQuality = "quality_score"

// weighted is a sum of scores, each as often as the keyword was shown.
type weighted struct {
	name                string
	scores, impressions int64
}

// readQuality reads the keywords' quality scores from first to last, as one for each campaign and
// day. A keyword for which the vendor has too little data has no score and does not count.
func readQuality(ctx context.Context, s *Source, _ *facts, first, last record.Day) (*days, error) {
	found := &days{
		records: map[dayKey]record.Record{}, rejected: map[dayKey]sources.Rejection{},
		zero: func(dayKey) record.Record { return nil },
	}
	sums := map[dayKey]weighted{}
	err := s.eachDay(ctx, between(queryQuality, first, last), first, last, func(key dayKey, r row) {
		if r.Metrics.QualityScore == nil || r.Metrics.Impressions == nil {
			return
		}
		score, err := r.Metrics.QualityScore.Int64()
		if err != nil || score < 1 || score > 10 {
			found.rejected[key] = rejection(record.KindAdQuality, key, &fieldError{"metrics.historical_quality_score", "a whole number from 1 to 10"})
			return
		}
		n, err := r.Metrics.Impressions.Int64()
		if err != nil || n < 0 || n > 1e12 {
			found.rejected[key] = rejection(record.KindAdQuality, key, &fieldError{"metrics.impressions", "a plausible whole number"})
			return
		}
		sum := sums[key]
		sums[key] = weighted{strings.TrimSpace(r.Campaign.Name), sum.scores + score*n, sum.impressions + n}
	})
	if err != nil {
		return nil, err
	}
	for key, sum := range sums {
		if _, rejected := found.rejected[key]; rejected || sum.impressions == 0 {
			continue
		}
		mean, _, err := record.ParseAmount(big.NewRat(sum.scores, sum.impressions).FloatString(9))
		if err != nil {
			found.rejected[key] = rejection(record.KindAdQuality, key, err)
			continue
		}
		found.records[key] = &record.AdQuality{
			Meta: record.Meta{ID: key.String()}, Day: key.day, Platform: platform, Campaign: sum.name, Dimension: dimensionQuality,
			Score: mean, Impressions: record.Micros(sum.impressions * record.MicrosPerUnit),
		}
	}
	return found, nil
}
