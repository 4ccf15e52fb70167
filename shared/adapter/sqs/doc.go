// Package sqs is the cloud's queue: messages between functions on Amazon SQS.
//
// Call [New] first, once for each queue and process; the contract is porttest.Queue, whose suite this package's tests
// run. A function that Lambda feeds has no need of [Queue.Receive]: it gets the texts of messages in its event, and
// [Unpack] makes bodies of them.
//
// Two kinds of queue. An ordered one (FIFO) keeps each group's order and stores a Send once, however often it had to be
// repeated, but can't delay a message. A standard one delays up to 15 minutes, keeps no order and no groups, and may
// store a Send twice when its answer was lost. What comes twice is the consumer's business in either.
//
// Bodies. SQS takes text, and not every text; a body that it would refuse travels as base64 behind a mark, and one that
// is too long lies in a [Bucket] while the message says where. Such objects are never deleted here: a message may be
// delivered again after its Ack, and must then still be readable. Let the bucket's lifecycle expire what is under
// [Prefix] after 30 days: a message lives 14 days at most, and again as long as a dead letter.
//
// What the queue must be set to: DelaySeconds and ReceiveMessageWaitTimeSeconds 0 (the defaults), MaximumMessageSize
// 1 MiB (the default), and a redrive policy to a queue of the same kind, account and Region.
package sqs
