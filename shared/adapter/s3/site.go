package s3

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"kefu/shared/adapter/awscall"
	"kefu/shared/core/fault"
)

// site is where a bucket is.
type site struct {
	scheme string
	host   string
	prefix string // goes before the key: "/", or "/BUCKET/"
}

// locate finds the bucket's address. A path without the bucket's name in it would address another thing, so doubtful
// settings are refused.
func locate(o Options, endpoint, region string) (site, error) {
	if !bucketName(o.Bucket) {
		return site{}, misset(fmt.Errorf("KEFU_BUCKET is %q, which can't be the name of a bucket", o.Bucket))
	}
	if endpoint == "" {
		return atAWS(o, region)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return site{}, misset(errors.New("AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) must be http:// or https://, a host, and at most a path"))
	}
	s := site{scheme: u.Scheme, host: u.Host, prefix: strings.TrimSuffix(u.Path, "/") + "/"}
	return s.with(o.Bucket, o.PathStyle || isHere(u.Hostname())), nil
}

func atAWS(o Options, region string) (site, error) {
	host, err := awscall.Host("s3", region)
	if err != nil {
		return site{}, misset(err)
	}
	s := site{scheme: "https", host: host, prefix: "/"}
	// The certificate of *.s3.REGION covers one label.
	return s.with(o.Bucket, o.PathStyle || strings.Contains(o.Bucket, ".")), nil
}

func (s site) with(bucket string, pathStyle bool) site {
	if pathStyle {
		s.prefix += bucket + "/"
	} else {
		s.host = bucket + "." + s.host
	}
	return s
}

// address is the URL of one object. Every byte outside A-Z a-z 0-9 - . _ ~ and / is escaped, as the signature wants it.
func (s site) address(key string) *url.URL {
	path := s.prefix + key
	return &url.URL{Scheme: s.scheme, Host: s.host, Path: path, RawPath: escape(path)}
}

const upperHex = "0123456789ABCDEF"

func escape(path string) string {
	var b strings.Builder
	b.Grow(len(path) + 8)
	for i := range len(path) {
		c := path[i]
		if c == '/' || unreserved(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// plain tells whether a key is text whose parts between slashes are names: none empty, none "." or "..".
func plain(key string) bool {
	if !utf8.ValidString(key) || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// bucketName tells whether a name keeps to the rules for buckets: 3 to 63 of a-z, 0-9, dots and hyphens.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketName(s string) bool {
	if len(s) < 3 || len(s) > 63 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !awscall.HostLabel(label) {
			return false
		}
	}
	return true
}

// isHere tells whether a host has no names below it, so that a bucket can't be one.
func isHere(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost"
}

func misset(err error) error { return fault.Wrap(fault.Unavailable, "storage-settings", err) }
