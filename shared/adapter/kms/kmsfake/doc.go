// Package kmsfake stands in for AWS KMS where there is none: in tests, and in a local engine. It speaks KMS's own
// protocol (JSON 1.1 over HTTP), and it really encrypts.
//
// Start with [New], and serve the result, which is an http.Handler:
//
//	fake := kmsfake.New(kmsfake.Options{Keys: []string{"local"}})
//	srv := httptest.NewServer(fake)
//	cfg := aws.Config{Region: kmsfake.Region, BaseEndpoint: &srv.URL, Credentials: …} // any key id and secret
//
// It knows GenerateDataKey and Decrypt for symmetric keys. A key goes by its id, its ARN ([ARN]) or, if it was named
// so, by an alias. The encryption context and, where given, the key must be those of the encryption.
//
// [Fake.Inject] makes calls fail by an error's name or lose their answer, [Fake.SetState] disables a key, and
// [Fake.Calls] counts. With the same Options.Master and Keys, another process decrypts what this one encrypted.
//
// It asks for a signature and looks at its region, but does not verify it: there is no secret to verify it with. It
// imports nothing of the product, so that one mistake can't hide in both.
package kmsfake
