package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// row makes the fact of a record of one day. Values that are null are not known.
func (w *writer) row(ctx context.Context, s stored, kind history.Kind, day record.Day, labels []string, values ...record.Amount) (*history.Row, error) {
	r := &history.Row{Kind: kind, Day: int32(day), Source: history.Dict(s.source)}
	for i, v := range values {
		if !v.IsNull() {
			r.Known |= 1 << i
			r.Values[i] = v.Micros
		}
	}
	var err error
	r.Labels, err = w.number(ctx, history.JoinLabels(labels...))
	return r, err
}

// site is the label of a site: what the source is called, where it has only one.
func (w *writer) site(s stored, name string) string {
	return cmp.Or(name, w.l.dict.texts[s.source])
}

func (w *writer) spendFacts(ctx context.Context, s stored, r *record.Spend) ([]fact, error) {
	class := w.l.settings.Channels.Classify(r.Touch)
	row, err := w.row(ctx, s, history.Spend, r.Day,
		[]string{
			r.Platform, class.Channel, cmp.Or(class.Program, strings.TrimSpace(r.Program)),
			cmp.Or(class.Campaign, strings.TrimSpace(r.CampaignID)), r.CampaignID, r.Variant,
		},
		r.Cost, r.Impressions, r.Clicks, r.Conversions, r.ConversionValue)
	if err != nil {
		return nil, err
	}
	row.Currency, err = w.number(ctx, cmp.Or(r.Currency, w.l.settings.Currency))
	return []fact{{row: row}}, err
}

// qualityFacts weights a score by its impressions; one without either says nothing.
func (w *writer) qualityFacts(ctx context.Context, s stored, r *record.AdQuality) ([]fact, error) {
	if r.Score.IsNull() || r.Impressions.IsNull() {
		return nil, nil
	}
	product := new(big.Int).Mul(big.NewInt(r.Score.Micros), big.NewInt(r.Impressions.Micros))
	product.Div(product, big.NewInt(record.MicrosPerUnit))
	if !product.IsInt64() {
		return nil, fmt.Errorf("ad_quality %q: score x impressions is more than the ledger can hold", r.ID)
	}
	row, err := w.row(ctx, s, history.Quality, r.Day, []string{r.Platform, r.Dimension},
		record.Micros(product.Int64()), r.Impressions)
	return []fact{{row: row}}, err
}

func (w *writer) trafficFacts(ctx context.Context, s stored, r *record.Traffic) ([]fact, error) {
	value := r.Value
	if r.By == record.ByChannel {
		value = w.l.settings.Channels.Classify(r.Touch).Channel
	}
	row, err := w.row(ctx, s, history.Traffic, r.Day, []string{w.site(s, r.Site), r.By, value},
		r.Sessions, r.Engaged, r.SinglePage, r.Views, r.Seconds, r.Conversions, r.Downloads, r.DownloadSessions, r.NewUsers)
	return []fact{{row: row}}, err
}

func (w *writer) usersFacts(ctx context.Context, s stored, r *record.Users) ([]fact, error) {
	row, err := w.row(ctx, s, history.Users, r.Start, []string{w.site(s, r.Site), r.Kind}, r.Users)
	if err != nil {
		return nil, err
	}
	row.End = int32(r.End)
	return []fact{{row: row}}, nil
}

func (w *writer) referrerFacts(ctx context.Context, s stored, r *record.Referrer) ([]fact, error) {
	row, err := w.row(ctx, s, history.Referrer, r.Day, []string{w.site(s, r.Site), r.Domain}, r.Sessions)
	return []fact{{row: row}}, err
}
