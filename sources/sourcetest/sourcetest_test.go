package sourcetest

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAGoodSourcePasses(t *testing.T) { Run(t, toyHarness(toyBugs{})) }

// TestTheSuiteCatches runs broken sources through every case: the named one must find
// the fault.
func TestTheSuiteCatches(t *testing.T) {
	for _, tt := range []struct {
		bug  string
		bugs toyBugs
		by   string
		says string
	}{
		{"stops after page one", toyBugs{stopsAfterPageOne: true}, "three pages and more", "is missing"},
		{"null is zero", toyBugs{nullIsZero: true}, "null money", "differs"},
		{"loops for ever", toyBugs{loops: true}, "the same cursor for ever", "requests"},
		{"leaks the secret in errors", toyBugs{leaksInErrors: true}, "secrets", "holds the secret"},
		{"leaks the secret in logs", toyBugs{leaksInLogs: true}, "secrets", "the log holds the secret"},
		{"commits the cursor before the page", toyBugs{cursorBeforePage: true}, "crash between pages", "is missing"},
		{"ignores deletes", toyBugs{ignoresDeletes: true}, "deletes", "should not be there"},
		{"ignores merges", toyBugs{ignoresDeletes: true}, "merges", "should not be there"},
		{"reads without an overlap", toyBugs{noOverlap: true}, "equal timestamps", "is missing"},
		{"swallows errors of Emit", toyBugs{swallowsEmitErrors: true}, "crash between pages", "nil for the error of Emit"},
		{"ignores cancellation", toyBugs{ignoresCancellation: true}, "cancellation in mid-page", "cancelled"},
		{"swallows refused credentials", toyBugs{swallowsErrors: true}, "expired token", "AuthError"},
		{"swallows missing scopes", toyBugs{swallowsErrors: true}, "missing scope", "ScopeError"},
		{"swallows truncated answers", toyBugs{swallowsErrors: true}, "truncated answer", "TruncatedError"},
		{"swallows rate limits", toyBugs{swallowsErrors: true}, "long Retry-After", "RateLimitedError"},
		{"ignores errors inside a 200", toyBugs{ignoresErrorsIn200: true}, "errors inside a 200", "<nil>"},
		{"keeps half an answer", toyBugs{emitsHalfAnswers: true}, "truncated answer", "ledger was changed"},
		{"takes HTML for an empty page", toyBugs{takesAnythingAsGood: true}, "HTML instead of data", "FormatError"},
		{"never goes down", toyBugs{neverGoesDown: true}, "restated down", "differs"},
		{"differs on each replay", toyBugs{replaysDiffer: true}, "replay", "changed"},
		{"sleeps through a long Retry-After", toyBugs{sleepsLong: true}, "long Retry-After", "Fetch slept"},
		{"gives up when throttled", toyBugs{neverRetries: true}, "throttling", "Fetch"},
		{"gives up on a server error", toyBugs{neverRetries: true}, "server and network errors", "Fetch"},
		{"sweeps what it did not list", toyBugs{sweepsIncrements: true}, "replay", "is missing"},
		{"delivers an undeclared kind", toyBugs{undeclaredKind: true}, "three pages and more", "does not declare"},
		{"takes any stream", toyBugs{swallowsErrors: true}, "unknown stream", "got <nil>"},
		{"takes any cursor", toyBugs{swallowsErrors: true}, "unreadable cursor", "is missing"},
		{"checks nothing", toyBugs{checkAlwaysGood: true}, "check", "refused credentials"},
		{"fails on an empty account", toyBugs{losesEmptyAccount: true}, "empty account", "no orders"},
	} {
		t.Run(tt.bug, func(t *testing.T) {
			all := cases()
			i := slices.IndexFunc(all, func(c testCase) bool { return c.name == tt.by })
			if i < 0 {
				t.Fatalf("there is no case %q", tt.by)
			}
			synctest.Test(t, func(t *testing.T) {
				problems := strings.Join(runCase(t, toyHarness(tt.bugs), all[i]), "\n")
				if problems == "" {
					t.Fatalf("the case %q found nothing", tt.by)
				}
				if !strings.Contains(problems, tt.says) {
					t.Errorf("the case %q does not say %q but:\n%s", tt.by, tt.says, problems)
				}
				if strings.Contains(problems, toyKey) {
					t.Errorf("the report itself holds the secret:\n%s", problems)
				}
			})
		})
	}
}

func TestAWrongPageSizeIsNoticed(t *testing.T) {
	// A page size that the vendor does not have would make the cases of paging toothless.
	h := toyHarness(toyBugs{})
	h.PageSize = 2
	all := cases()
	i := slices.IndexFunc(all, func(c testCase) bool { return c.name == "three pages and more" })
	synctest.Test(t, func(t *testing.T) {
		problems := strings.Join(runCase(t, h, all[i]), "\n")
		if !strings.Contains(problems, "page size") {
			t.Errorf("a wrong page size is not noticed: %q", problems)
		}
	})
}
