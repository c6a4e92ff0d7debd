package record

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Codec turns sealed records into bytes and back. Equal records have equal bytes.
type Codec struct {
	encode cbor.EncMode
	decode cbor.DecMode
}

// NewCodec returns a Codec.
func NewCodec() (*Codec, error) {
	encode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("set up the record codec: %w", err)
	}
	// A vendor's text that is no UTF-8 is encoded, so that it must be decoded as well.
	decode, err := cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid}.DecMode()
	if err != nil {
		return nil, fmt.Errorf("set up the record codec: %w", err)
	}
	return &Codec{encode: encode, decode: decode}, nil
}

// Encode returns the bytes of r without its Meta.
func (c *Codec) Encode(r Record) ([]byte, error) {
	b, err := c.encode.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", r.RecordKind(), err)
	}
	return b, nil
}

// Decode returns the record of kind k that Encode turned into data, with id.
func (c *Codec) Decode(k Kind, id string, data []byte) (Record, error) {
	r := New(k)
	if r == nil {
		return nil, fmt.Errorf("decode: unknown record kind %q", k)
	}
	if err := c.decode.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("decode %s: %w", k, err)
	}
	r.RecordMeta().ID = id
	return r, nil
}
