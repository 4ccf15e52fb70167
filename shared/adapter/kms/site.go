package kms

import (
	"errors"
	"net/url"
	"strings"

	"kefu/shared/adapter/awscall"
)

// locate finds the address of KMS: endpoint if it is set, else the region's. Doubtful settings are refused: what goes
// there is signed, and what comes back are keys.
func locate(endpoint, region string) (string, error) {
	host, err := awscall.Host("kms", region)
	if err != nil {
		return "", misset{err}
	}
	if endpoint == "" {
		return "https://" + host + "/", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", misset{errors.New("AWS_ENDPOINT_URL_KMS (or AWS_ENDPOINT_URL) must be http:// or https://, a host, and at most a path")}
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/") + "/", nil
}
