package kms

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// locate finds the address of KMS: endpoint if it is set, else the region's. Doubtful settings are refused: what goes
// there is signed, and what comes back are keys.
func locate(endpoint, region string) (string, error) {
	if !hostLabel(region) {
		return "", misset{fmt.Errorf("AWS_REGION is %q, which can't be the name of a region", region)}
	}
	if endpoint == "" {
		domain := "amazonaws.com"
		if strings.HasPrefix(region, "cn-") {
			domain = "amazonaws.com.cn"
		}
		return "https://kms." + region + "." + domain + "/", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", misset{errors.New("AWS_ENDPOINT_URL_KMS (or AWS_ENDPOINT_URL) must be http:// or https://, a host, and at most a path")}
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/") + "/", nil
}

func hostLabel(s string) bool {
	if s == "" || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
}
