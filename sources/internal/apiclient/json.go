package apiclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

func trimBOM(b []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// notJSON describes a body that decoding has refused: it returns a *TruncatedError for
// JSON that ends too early, and a *FormatError for what is not JSON or does not fit.
func (c *Client) notJSON(endpoint string, r *Response, unfit error) error {
	contentType := r.Header.Get("Content-Type")
	if json.Valid(trimBOM(r.Body)) {
		return &FormatError{Endpoint: endpoint, ContentType: contentType, Detail: c.redact.message(unfit.Error())}
	}
	dec := json.NewDecoder(bytes.NewReader(trimBOM(r.Body)))
	var err error
	for err == nil {
		_, err = dec.Token()
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		if len(r.Body) == 0 {
			return &TruncatedError{Endpoint: endpoint, Detail: "an empty body instead of JSON"}
		}
		return &TruncatedError{Endpoint: endpoint, Read: int64(len(r.Body)), Detail: "the JSON ends in its middle"}
	}
	return &FormatError{Endpoint: endpoint, ContentType: contentType, Detail: "not JSON: " + c.redact.message(err.Error())}
}

// EachElement reads a JSON document and calls fn for each element of the array under
// path, without holding the whole document: fn decodes exactly one value from dec. Numbers decode
// into interfaces as json.Number. An array that is null or missing has no elements. A document that ends too
// early is an error even where the array was complete.
func EachElement(r io.Reader, path []string, fn func(dec *json.Decoder) error) error {
	dec := json.NewDecoder(r)
	dec.UseNumber()
	if err := descend(dec, path, fn); err != nil {
		return err
	}
	switch _, err := dec.Token(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return fmt.Errorf("read the end of the JSON document: %w", early(err))
	}
	return errors.New("text follows the JSON document")
}

// descend reads one value and calls fn for the elements of the array under path in it.
func descend(dec *json.Decoder, path []string, fn func(dec *json.Decoder) error) error {
	token, err := dec.Token()
	if err != nil {
		return fmt.Errorf("read JSON: %w", early(err))
	}
	if token == nil {
		return nil
	}
	if len(path) == 0 {
		if token != json.Delim('[') {
			return fmt.Errorf("read JSON: %v where an array should begin", token)
		}
		for i := 0; dec.More(); i++ {
			if err := fn(dec); err != nil {
				return fmt.Errorf("element %d: %w", i, early(err))
			}
		}
		return end(dec)
	}
	if token != json.Delim('{') {
		return fmt.Errorf("read JSON: %v where an object with the field %q should begin", token, path[0])
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("read JSON: %w", early(err))
		}
		if key == path[0] {
			err = descend(dec, path[1:], fn)
		} else {
			var skip json.RawMessage
			err = early(dec.Decode(&skip))
		}
		if err != nil {
			return fmt.Errorf("field %q: %w", key, err)
		}
	}
	return end(dec)
}

func end(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("read JSON: %w", early(err))
	}
	return nil
}

// early turns the end of the input, which is an error inside a document, into one
// that nobody takes for success.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
