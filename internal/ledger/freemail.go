package ledger

import (
	_ "embed"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// freeMailDomains lists mail providers whose domains say nothing about a company,
// one registrable domain a line.
//
//go:embed freemail.txt
var freeMailDomains string

// FreeMail returns the hashes, under a sealer's key, of the embedded free-mail
// domains and of more.
func FreeMail(s *record.Sealer, more []string) map[record.Hash]bool {
	free := map[record.Hash]bool{}
	for _, domain := range append(strings.Fields(freeMailDomains), more...) {
		if d := record.RegistrableDomain(domain); d != "" {
			free[s.DomainHash(d)] = true
		}
	}
	return free
}

func (l *Ledger) freeMail() map[record.Hash]bool { return FreeMail(l.Sealer(), l.settings.FreeMail) }
