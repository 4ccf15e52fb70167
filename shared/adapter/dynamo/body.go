package dynamo

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	varint "encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"kefu/shared/core/fault"
)

// A body is the JSON of a value, made smaller in two steps, since an item is billed by the kilobyte: uncompressed, a
// conversation with its short memories would cost three units a save, and a message with the push it came from two.
// First what can't be compressed, digests and the digits of times, is taken out and stored as bytes (see shrink);
// the rest is compressed against a dictionary of what such values have in common. Bytes that belong to a value but not
// into its JSON, such as a push as it came, may follow it.
//
// The first byte names the form, so that another one can be read beside it later. Form 1 goes on with the length of
// what was taken out, that itself, and the compressed rest.
const bodyForm1 = 1

// spillOver is how long a body may be in an item, which DynamoDB limits to 400 KB with all its attributes.
const spillOver = 300 << 10

// bodyLimit bounds what is unpacked, whatever a stored body pretends.
const bodyLimit = 32 << 20

// Bucket takes bodies that are too big for an item. Keys are made here; Get of what isn't there is NotFound.
type Bucket interface {
	Put(ctx context.Context, key string, body []byte) error
	Get(ctx context.Context, key string) ([]byte, error)
	Delete(ctx context.Context, key string) error
}

var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriterDict(nil, flate.BestCompression, dictionary) // fails for a bad level only
	return w
}}

// inflater is what flate's readers are.
type inflater interface {
	io.Reader
	flate.Resetter
}

var inflaters = sync.Pool{New: func() any { return flate.NewReaderDict(bytes.NewReader(nil), dictionary) }}

// pack makes the stored form of a value.
func pack(v any) ([]byte, error) { return packBoth(v, nil) }

// packBoth is pack with bytes to follow.
func packBoth(v any, tail []byte) ([]byte, error) {
	var plain bytes.Buffer
	to := json.NewEncoder(&plain)
	to.SetEscapeHTML(false) // a push and the content that was read from it stay alike
	if err := to.Encode(v); err != nil {
		return nil, unfit(err)
	}
	rest, taken := shrink(bytes.TrimSuffix(plain.Bytes(), []byte{'\n'}))
	buf := bytes.NewBuffer(make([]byte, 0, len(taken)+len(rest)/2+64))
	buf.WriteByte(bodyForm1)
	buf.Write(varint.AppendUvarint(nil, uint64(len(taken))))
	buf.Write(taken)
	if len(tail) > 0 {
		rest = append(append(rest, markTail), tail...)
	}
	w, _ := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(buf)
	_, err := w.Write(rest)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("compress: %w", err) // a buffer never refuses
	}
	return buf.Bytes(), nil
}

// unpack reads a stored form into v.
func unpack(what string, stored []byte, v any) error {
	_, err := unpackBoth(what, stored, v)
	return err
}

// unpackBoth is unpack for what may have bytes that follow.
func unpackBoth(what string, stored []byte, v any) (tail []byte, err error) {
	if len(stored) == 0 {
		return nil, broken(what, io.ErrUnexpectedEOF)
	}
	if stored[0] != bodyForm1 {
		return nil, broken(what, fmt.Errorf("its form %d is from another version", stored[0]))
	}
	n, size := varint.Uvarint(stored[1:])
	if size <= 0 || n > uint64(len(stored[1+size:])) {
		return nil, broken(what, io.ErrUnexpectedEOF)
	}
	taken, packed := stored[1+size:][:n], stored[1+size:][n:]
	r, _ := inflaters.Get().(inflater)
	defer inflaters.Put(r)
	if err := r.Reset(bytes.NewReader(packed), dictionary); err != nil {
		return nil, broken(what, err)
	}
	rest, err := io.ReadAll(io.LimitReader(r, bodyLimit))
	if err != nil {
		return nil, broken(what, err)
	}
	if i := bytes.IndexByte(rest, markTail); i >= 0 {
		rest, tail = rest[:i], rest[i+1:]
	}
	plain, err := expand(rest, taken)
	if err == nil {
		err = json.Unmarshal(plain, v)
	}
	if err != nil {
		return nil, broken(what, err)
	}
	return tail, nil
}

// setBody puts a packed body into an item or, if it is too big for one, into the bucket with a pointer in the item.
// The object's name is made of its contents, so writing it again changes nothing, and an item that is then refused
// leaves at most an object that nobody points to.
func (s *Store) setBody(ctx context.Context, at key, in item, packed []byte) error {
	if len(packed) <= spillOver {
		in[attrBody] = binary(packed)
		return nil
	}
	if s.bucket == nil {
		return fault.New(fault.Invalid, "too-large", "The value is too large to be stored.")
	}
	sum, place := sha256.Sum256(packed), sha256.Sum256([]byte(at.pk+"\x00"+at.sk))
	name := "spill/" + hex.EncodeToString(place[:16]) + "/" + hex.EncodeToString(sum[:16])
	if err := s.bucket.Put(ctx, name, packed); err != nil {
		return fmt.Errorf("keep a large value: %w", err)
	}
	in[attrSpilled] = text(name)
	return nil
}

// body reads the value of an item, wherever its bytes are.
func (s *Store) body(ctx context.Context, what string, in item, v any) error {
	_, err := s.bodyBoth(ctx, what, in, v)
	return err
}

// bodyBoth is body for what may have bytes that follow.
func (s *Store) bodyBoth(ctx context.Context, what string, in item, v any) (tail []byte, err error) {
	stored := readBinary(in[attrBody])
	if name := readText(in[attrSpilled]); name != "" {
		if s.bucket == nil {
			return nil, broken(what, errors.New("it lies in a bucket, and none is set"))
		}
		if stored, err = s.bucket.Get(ctx, name); err != nil {
			if errors.Is(err, fault.NotFound) {
				return nil, broken(what, err)
			}
			return nil, fmt.Errorf("fetch a large value: %w", err)
		}
	}
	return unpackBoth(what, stored, v)
}
