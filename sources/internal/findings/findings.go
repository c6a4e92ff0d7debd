// Package findings makes the findings that the checks of several sources have in common.
package findings

import (
	"fmt"

	"github.com/b2bexporter/b2b_exporter/sources"
)

// Zone compares the zone of a vendor's days with that of the reports. Whose is whose days they
// are ("the shop"); otherwise says what follows where the zones differ.
func Zone(whose, zone, otherwise string, env sources.Environment) sources.Finding {
	f := sources.Finding{Subject: "time zone", Detail: zone}
	if env.Zone != nil && zone != env.Zone.String() {
		f.Detail = fmt.Sprintf("%s's days are in %s, the reports' in %s: %s", whose, zone, env.Zone, otherwise)
	}
	return f
}

// Currency compares the currency of a vendor's amounts with that of the reports. What names the
// amounts ("the shop's amounts").
func Currency(what, currency string, env sources.Environment) sources.Finding {
	f := sources.Finding{Subject: "currency", Detail: currency}
	if currency != env.Currency {
		f.Detail = fmt.Sprintf("%s are in %s and are converted into %s: a source of exchange rates is needed", what, currency, env.Currency)
	}
	return f
}

// Rejected returns an error with the first of the rejections; nil where there is none.
func Rejected(list []sources.Rejection) error {
	if len(list) == 0 {
		return nil
	}
	first := list[0]
	return fmt.Errorf("%d records would be rejected; the first: %s: %s: %s", len(list), first.Where, first.Reason, first.Detail)
}
