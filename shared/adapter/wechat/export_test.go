package wechat

// Seal lets the shared vectors, whose answers are no hand-over, go through what seals one.
var Seal = (*Inbox).seal

// SentAt reads the timestamp of a push's query.
var SentAt = sentAt
