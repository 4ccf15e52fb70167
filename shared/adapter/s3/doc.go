// Package s3 keeps bytes in a bucket: the files of media, and bodies that are too big for a queue or a table.
//
// Call [New] first, then [Bucket.Put], [Bucket.Get] and [Bucket.Delete].
//
// # No SDK client
//
// Three calls don't need the S3 client of the SDK: it adds 1.3 MB to every function's binary, and 4.9 MB where a
// package looks up methods by name. The requests are made here, and signed by the SDK's own signer, which every
// function has anyway for the table and the queues.
//
// # What holds
//
// A file appears whole or not at all, and replaces the one before in one step. Its SHA-256 goes up with it, S3 refuses
// bytes that don't match, keeps the sum, and sends it back: a file that was cut short or changed on the way is an error,
// never a result. Writing the same bytes twice is harmless, so a call whose answer was lost is simply made again.
// Encryption at rest is the bucket's own setting.
//
// # What the role needs
//
// s3:PutObject, s3:GetObject and s3:DeleteObject on the objects, and s3:ListBucket on the bucket: without the last, S3
// answers 403 instead of 404 for what isn't there. That answer is Unavailable here, not NotFound: a role that lost its
// rights must not make every file look deleted. A bucket encrypted with a KMS key needs kms:GenerateDataKey and kms:Decrypt
// on that key as well.
package s3
