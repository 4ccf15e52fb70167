// Package wechat speaks the open platform's protocol: Mini Program and Official
// Account customer messages. The platform's own words stay in here; the rest of
// the system knows the types of core.
//
// Inbound begin with [Inbox]: [Inbox.Echo] answers the platform's check of the
// callback address, [Inbox.Open] verifies and decrypts a push, and [Inbox.Read]
// brings an opened push into Kefu's own form; [Inbox.HandOver] answers one so that the
// platform's own tool has the customer. None of them waits for anything.
// The cryptography is in wxcrypt, the XML and JSON of bodies in wxmsg.
//
// Outbound begin with [Client], which calls the platform's API.
package wechat
