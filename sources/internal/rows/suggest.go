package rows

import "github.com/agnivade/levenshtein"

// suggestion returns `; did you mean "x"?` for the candidate nearest to name, or
// nothing where none is near.
func suggestion(name string, candidates []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, c); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}
