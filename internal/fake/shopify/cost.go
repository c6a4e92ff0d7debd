package shopify

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// bucket holds cost points.
type bucket struct {
	left float64
	at   time.Time
}

func (s *Server) refill() {
	now := s.Now()
	s.bucket.left = min(s.bucket.left+now.Sub(s.bucket.at).Seconds()*s.Restore, s.BucketSize)
	s.bucket.at = now
}

// cost is what an answer says about its query's cost; actual is nil where it was not run.
func (s *Server) cost(requested int, actual any) map[string]any {
	return map[string]any{
		"requestedQueryCost": requested, "actualQueryCost": actual,
		"throttleStatus": map[string]any{
			"maximumAvailable": s.BucketSize, "currentlyAvailable": math.Floor(s.bucket.left), "restoreRate": s.Restore,
		},
	}
}

// requestedCost is 1 for each object that is asked for. What it takes for a connection
// grows slower than its size; the vendor's own formula is not published.
func requestedCost(selected ast.SelectionSet, variables map[string]any) int {
	total, branch := 0, 0
	for _, s := range selected {
		switch s := s.(type) {
		case *ast.Field:
			if len(s.SelectionSet) == 0 || s.Name == "pageInfo" {
				continue
			}
			inside := requestedCost(s.SelectionSet, variables)
			switch first := s.Arguments.ForName("first"); {
			case first != nil:
				n := 1.0
				if v, err := first.Value.Value(variables); err == nil {
					if parsed, err := strconv.Atoi(fmt.Sprint(v)); err == nil {
						n = float64(parsed)
					}
				}
				total += 1 + int(float64(inside)*math.Pow(n, 0.5))
			default:
				total += 1 + inside
			}
		case *ast.InlineFragment:
			branch = max(branch, requestedCost(s.SelectionSet, variables))
		}
	}
	return total + branch
}
