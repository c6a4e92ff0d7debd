package shopify

import (
	"context"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// complete reads the items that did not come with their order. It reports false where
// the order has vanished meanwhile.
func (s *Source) complete(ctx context.Context, o *order) (bool, error) {
	if found, err := rest(ctx, s, queryLines, "order", o.ID, &o.LineItems); !found || err != nil {
		return found, err
	}
	for _, r := range o.Refunds {
		if found, err := rest(ctx, s, queryRefundLines, "refund", r.ID, &r.RefundLineItems); !found || err != nil {
			return found, err
		}
		if found, err := rest(ctx, s, queryAdjustments, "refund", r.ID, &r.OrderAdjustments); !found || err != nil {
			return found, err
		}
	}
	return true, nil
}

// rest appends the further pages of a connection inside the object id.
func rest[T any](ctx context.Context, s *Source, document, field, id string, into *items[T]) (found bool, err error) {
	var guard apiclient.PageGuard
	for into.PageInfo.HasNextPage {
		after := into.PageInfo.EndCursor
		if err := guard.Next(after); err != nil {
			return true, err
		}
		type object struct {
			Items items[T] `json:"items"`
		}
		data, err := sized[map[string]*object](ctx, s, s.nested, document, map[string]any{"id": id, "after": after})
		if err != nil {
			return true, err
		}
		if data[field] == nil {
			return false, nil
		}
		page := data[field].Items
		into.PageInfo = page.PageInfo
		into.Nodes = append(into.Nodes, page.Nodes...)
	}
	return true, nil
}
