package woocommerce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timestampLife is how old or new a signature may be.
const timestampLife = 15 * time.Minute

// authenticate looks for credentials in the ways that the shop takes. Without any it answers
// like one whose key may see nothing.
func (s *Server) authenticate(r *http.Request) *problem {
	if s.HTTPS {
		key, secret, _ := r.BasicAuth()
		if query := r.URL.Query(); key == "" {
			key, secret = query.Get("consumer_key"), query.Get("consumer_secret")
		}
		if key != "" && key == s.Key && secret == s.Secret {
			return nil
		}
	}
	if r.URL.Query().Get("oauth_consumer_key") != "" {
		return s.verify(r)
	}
	return &problem{401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources."}
}

// verify checks a signature of OAuth 1.0a.
func (s *Server) verify(r *http.Request) *problem {
	invalid := func(message string) *problem {
		return &problem{401, "woocommerce_rest_authentication_error", message}
	}
	query := r.URL.Query()
	for _, name := range []string{"oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"} {
		if query.Get(name) == "" {
			return invalid("Missing OAuth parameter " + name)
		}
	}
	if query.Get("oauth_consumer_key") != s.Key {
		return invalid("Consumer key is invalid.")
	}
	if method := query.Get("oauth_signature_method"); method != "HMAC-SHA256" {
		return invalid("Invalid signature - signature method is invalid.")
	}
	if !hmac.Equal([]byte(query.Get("oauth_signature")), []byte(s.sign(r, query))) {
		return invalid("Invalid signature - provided signature does not match.")
	}
	seconds, err := strconv.ParseInt(query.Get("oauth_timestamp"), 10, 64)
	if age := s.Now().Sub(time.Unix(seconds, 0)); err != nil || age.Abs() > timestampLife {
		return invalid("Invalid timestamp.")
	}
	nonce := query.Get("oauth_nonce")
	if s.nonces[nonce] {
		return invalid("Invalid nonce - nonce has already been used.")
	}
	s.nonces[nonce] = true
	return nil
}

// sign makes the signature as the shop's PHP does: pairs that are escaped, sorted by name and
// escaped once more with the signs between them.
func (s *Server) sign(r *http.Request, query url.Values) string {
	var pairs []string
	for name, values := range query {
		if name != "oauth_signature" {
			pairs = append(pairs, rawEncode(rawEncode(name))+"%3D"+rawEncode(rawEncode(values[0])))
		}
	}
	slices.Sort(pairs)
	home := strings.TrimRight(s.URL, "/")
	if home == "" {
		home = "http://" + r.Host
		if s.HTTPS {
			home = "https://" + r.Host
		}
	}
	text := r.Method + "&" + rawEncode(home+r.URL.Path) + "&" + strings.Join(pairs, "%26")
	mac := hmac.New(sha256.New, []byte(s.Secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// rawEncode is PHP's rawurlencode.
func rawEncode(text string) string {
	const unreserved = "-._~"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(unreserved, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteString(strings.ToUpper(strconv.FormatUint(uint64(c)+0x100, 16)[1:]))
		}
	}
	return b.String()
}
