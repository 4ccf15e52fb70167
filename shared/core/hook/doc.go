// Package hook has the words in which Kefu speaks with the business's own software: it tells what happened in a
// conversation (a webhook), and asks what the bot shall say (the responder).
//
// What is told begins as [Told], the body of a queue message; [Payload] makes the request's body of it, [Sign] its
// signature, and [Told.Next] says when to try again. News that could not be told are kept: [Bury] makes what is
// kept, [ReadDead] shows it, and [Again] has it told once more. [NewSecret] and [Rotate] make the secrets.
//
// Requests follow Standard Webhooks, so that a receiver can check them with a ready-made library:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package hook
