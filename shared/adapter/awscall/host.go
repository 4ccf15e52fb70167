package awscall

import (
	"fmt"
	"strings"
)

// Host is where a service answers in a region: in China in a domain of its own.
func Host(service, region string) (string, error) {
	if !HostLabel(region) {
		return "", fmt.Errorf("AWS_REGION is %q, which can't be the name of a region", region)
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return service + "." + region + "." + domain, nil
}

// HostLabel reports whether a text can stand between two dots of a host's name.
func HostLabel(s string) bool {
	if s == "" || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
}
