// Package oracle compares Kefu with foreign WeChat SDKs: they must agree on good input, and Kefu must cost less.
// There is nothing to call; `make test` runs the comparison of results, `make bench-oracle` that of costs.
//
// On bad input the SDKs are no judges: some compare signatures in variable time, some don't check the padding.
package oracle
