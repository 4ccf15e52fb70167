// Package kms seals the secrets of accounts and the platform's access tokens before they go into a store, and opens
// them again.
//
// Call [New] first, or [Static] where there is no KMS, then [Vault.Seal] and [Vault.Open].
//
// # How it works
//
// Envelope encryption: KMS encrypts data keys, data keys encrypt secrets. A process gets a data key of its own when it
// first seals something, and the next after MaxAge, or after a million secrets. The data key stands, encrypted by KMS,
// in front of every secret that it sealed; so there is no key to store, rotating is what always happens, and whoever
// opens a secret asks KMS once per data key and MaxAge, however many secrets there are.
//
// A secret is bound to its owner, such as "account:shop": copied to another owner it does not open. Whoever changes a
// byte gets nothing out of it.
//
// # What is in memory
//
// At most 256 data keys, none used beyond its MaxAge; with KMS out of reach secrets can't be read any longer than that.
// A data key's own bytes are overwritten as soon as its cipher is made. What the cipher computed from them, and what
// the connection still holds, only the garbage collector can take away.
//
// # No SDK client
//
// Two calls don't need the KMS client of the SDK. Its descriptions of all operations are made at the start of every
// process, also of the functions that open no secret, and took a tenth of that time. The requests are made here, and
// signed by the SDK's own signer, which every function has anyway for the table and the queues.
//
// # The key of KMS
//
// KMS may rotate it as often as it likes. Another key (another id in KEFU_KMS_KEY) does not open what the old one
// sealed: secrets then have to be put again. That is on purpose. A key that the settings don't name must not be able to
// bring in secrets, so KMS is always told which key is meant.
//
// The role needs kms:GenerateDataKey and kms:Decrypt on the key, best with the condition
// kms:EncryptionContext:app = kefu.
package kms
