package csv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// download reads a file over HTTP. An answer is taken only as a whole, so that one that
// is cut short never looks like a file with fewer rows.
type download struct {
	client *apiclient.Client
	url    string
	name   string // the URL without its query

	mu    sync.Mutex
	known validator
}

// validator lets the server say that the file is still the one with the digest.
type validator struct{ etag, modified, digest string }

// fetch reads the file. The file has no body where the server says that it has not
// changed since it was read last; always is for a file that is needed all the same.
func (d *download) fetch(ctx context.Context, always bool) (file, error) {
	d.mu.Lock()
	v := d.known
	d.mu.Unlock()
	header := http.Header{"Accept": {"text/csv, */*;q=0.5"}}
	if !always && v.etag != "" {
		header.Set("If-None-Match", v.etag)
	}
	if !always && v.modified != "" {
		header.Set("If-Modified-Since", v.modified)
	}
	r, err := d.client.Do(ctx, apiclient.Request{Path: d.url, Header: header})
	if err != nil {
		return file{}, fmt.Errorf("read %s: %w", d.name, err)
	}
	if r.Status == http.StatusNotModified {
		if always || v.digest == "" {
			return file{}, fmt.Errorf("read %s: the server says that the file has not changed, without having been asked", d.name)
		}
		return file{path: d.name, digest: v.digest}, nil
	}
	digest := sha256.Sum256(r.Body)
	v = validator{etag: r.Header.Get("ETag"), modified: r.Header.Get("Last-Modified"), digest: hex.EncodeToString(digest[:])}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = v
	return file{path: d.name, digest: v.digest, body: r.Body}, nil
}

// load completes the files that the server did not send again.
func load(ctx context.Context, found []listing) error {
	for _, l := range found {
		for i, f := range l.files {
			if l.entry.download == nil || f.body != nil {
				continue
			}
			again, err := l.entry.download.fetch(ctx, true)
			if err != nil {
				return err
			}
			if again.digest != f.digest {
				return fmt.Errorf("%s: %w", f.path, ErrChanged)
			}
			l.files[i] = again
		}
	}
	return nil
}
