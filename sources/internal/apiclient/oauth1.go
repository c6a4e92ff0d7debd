package apiclient

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauth1 signs requests with the key and the secret of a consumer.
type oauth1 struct{ key, secret SecretFunc }

// OAuth1 returns an Auth that signs each try of a request by OAuth 1.0a (RFC 5849) with
// HMAC-SHA256, without a token, and sends the signature in the query. The bodies of requests are
// not signed.
func OAuth1(key, secret SecretFunc) Auth { return &oauth1{key: key, secret: secret} }

func (o *oauth1) values() (key, secret string, err error) {
	values, err := (&static{secrets: []SecretFunc{o.key, o.secret}}).values()
	if err != nil {
		return "", "", err
	}
	return values[0], values[1], nil
}

func (o *oauth1) Apply(r *http.Request) error {
	key, secret, err := o.values()
	if err != nil {
		return err
	}
	query := r.URL.Query()
	query.Set("oauth_consumer_key", key)
	query.Set("oauth_nonce", rand.Text())
	query.Set("oauth_timestamp", strconv.FormatInt(time.Now().Unix(), 10))
	query.Set("oauth_signature_method", "HMAC-SHA256")
	query.Set("oauth_signature", signature(r, query, secret))
	r.URL.RawQuery = query.Encode()
	return nil
}

// Refresh compares what was sent, since the signature itself differs each time.
func (o *oauth1) Refresh(refused *http.Request) bool {
	key, secret, err := o.values()
	if err != nil {
		return false
	}
	query := refused.URL.Query()
	sent := query.Get("oauth_signature")
	query.Del("oauth_signature")
	return query.Get("oauth_consumer_key") != key || signature(refused, query, secret) != sent
}

func (o *oauth1) Secrets() []string {
	key, secret, err := o.values()
	if err != nil {
		return nil // there was nothing to send either
	}
	return []string{key, secret}
}

// signature signs the request as if it had that query.
func signature(r *http.Request, query url.Values, secret string) string {
	var parameters []string
	for name, values := range query {
		for _, value := range values {
			parameters = append(parameters, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(parameters)
	host := strings.ToLower(r.URL.Host)
	switch r.URL.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	base := r.Method + "&" + escape(r.URL.Scheme+"://"+host+r.URL.EscapedPath()) + "&" + escape(strings.Join(parameters, "&"))
	mac := hmac.New(sha256.New, []byte(escape(secret)+"&")) // nothing follows: there is no token
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// escape escapes all but the unreserved characters of RFC 3986.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
