package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Hash is a keyed hash (HMAC-SHA-256, its first 16 bytes) of something that
// identifies a customer.
type Hash [16]byte

// Sealer hashes what identifies persons and companies with a ledger's key. It
// is not safe for concurrent use.
type Sealer struct {
	mac hash.Hash
	buf []byte
}

// NewSealer returns a Sealer for key.
func NewSealer(key []byte) *Sealer { return &Sealer{mac: hmac.New(sha256.New, key)} }

func (s *Sealer) sum(parts ...string) Hash {
	s.mac.Reset()
	s.buf = s.buf[:0]
	for _, p := range parts {
		s.buf = append(append(s.buf, p...), 0)
	}
	s.mac.Write(s.buf)
	s.buf = s.mac.Sum(s.buf[:0])
	return Hash(s.buf[:16])
}

// DomainHash returns the hash under which a registrable domain is known.
func (s *Sealer) DomainHash(domain string) Hash { return s.sum("domain", domain) }

// StoredID returns the ID under which the ledger keeps a record: the vendor's own,
// but a hash for the kinds whose ID may be an address or a name.
func (s *Sealer) StoredID(source string, kind Kind, id string) string {
	switch kind {
	case KindCustomer, KindAccount, KindLead:
		h := s.sum("id", string(kind), source, id)
		return base64.RawURLEncoding.EncodeToString(h[:])
	}
	return id
}

func (s *Sealer) lead(source, id string) Ref {
	return Ref{Sealed: []Hash{s.sum("lead", source, id)}}
}

// leadRef seals a reference to a lead, by its ID or by the address of the person.
func (s *Sealer) leadRef(source string, r Ref) Ref {
	if r.ID == "" {
		return r
	}
	sealed := s.lead(source, r.ID).Sealed
	if strings.Contains(r.ID, "@") {
		sealed = s.address(sealed, r.ID)
	}
	return Ref{Sealed: sealed}
}

func (s *Sealer) ref(source string, r Ref) Ref {
	if r.ID == "" {
		return r
	}
	sealed := append(make([]Hash, 0, 1), s.sum("external", source, r.ID))
	if strings.Contains(r.ID, "@") {
		sealed = s.address(sealed, r.ID)
	}
	return Ref{Sealed: sealed}
}

func (s *Sealer) keys(source string, k Keys) Keys {
	sealed := k.Sealed
	for _, id := range k.ExternalIDs {
		namespace, value, qualified := strings.Cut(id, ":")
		if !qualified {
			namespace, value = source, id
		}
		if value != "" {
			sealed = append(sealed, s.sum("external", namespace, value))
		}
	}
	if d := RegistrableDomain(k.Domain); d != "" {
		sealed = append(sealed, s.DomainHash(d))
	}
	if k.Email != "" {
		sealed = s.address(sealed, k.Email)
	}
	return Keys{Sealed: sealed}
}

func (s *Sealer) address(sealed []Hash, email string) []Hash {
	email = strings.ToLower(strings.TrimSpace(email))
	at := strings.LastIndexByte(email, '@')
	if at <= 0 || at == len(email)-1 {
		return sealed
	}
	sealed = append(sealed, s.sum("email", email))
	if d := RegistrableDomain(email[at+1:]); d != "" {
		sealed = append(sealed, s.DomainHash(d))
	}
	return sealed
}

// RegistrableDomain returns the registrable domain of a host name or URL, in lower
// case and ASCII form; empty where there is none (an IP address, a public suffix).
func RegistrableDomain(text string) string {
	host := strings.ToLower(strings.TrimSpace(text))
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	ascii, err := idna.Lookup.ToASCII(strings.Trim(host, "."))
	// Mapping makes dots of other scripts' full stops, at the end too.
	ascii = strings.Trim(ascii, ".")
	if err != nil || !strings.Contains(ascii, ".") {
		return ""
	}
	if last := ascii[strings.LastIndexByte(ascii, '.')+1:]; last[0] >= '0' && last[0] <= '9' {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(ascii)
	if err != nil {
		return ""
	}
	return domain
}
