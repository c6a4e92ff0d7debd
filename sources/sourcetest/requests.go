package sourcetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Measure returns a function that compares the requests since it was called last, by their kinds,
// with what is wanted. Counted returns all requests that the vendor has got.
func Measure(t *testing.T, counted func() map[string]int) func(what string, want map[string]int) {
	before := map[string]int{}
	return func(what string, want map[string]int) {
		t.Helper()
		all, got := counted(), map[string]int{}
		for kind, n := range all {
			if n > before[kind] {
				got[kind] = n - before[kind]
			}
		}
		before = all
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: requests differ (-want +got):\n%s", what, diff)
		}
	}
}
