// Package wxfake simulates the WeChat platform for Mini Programs and official accounts: it signs, encrypts and retries
// pushes, counts windows, expires tokens, and refuses with the platform's own error codes. It is written from the fact
// sheet alone and imports nothing of the product, so that one mistake can't hide in both.
//
// Start with [New], add accounts with [Platform.AddAccount], and serve [Platform.Handler]; it is the API host, and at / a
// page where a person plays a customer. Then let customers act:
//
//	p := wxfake.New(wxfake.Options{Now: clock.Now, Wait: clock.Wait})
//	defer p.Close()
//	api := httptest.NewServer(p.Handler())
//	p.SetBaseURL(api.URL)
//	err := p.AddAccount(wxfake.Account{Channel: wxfake.MiniProgram, AppID: "wx…", OriginalID: "gh_…", Secret: "…",
//		Token: "…", AESKey: "…", Mode: wxfake.Secure, Format: wxfake.JSON, CallbackURL: product.URL + "/callback/shop"})
//	lina := p.Named("wx…", "Li Na")
//	push := lina.Say(ctx, "hello")         // returns when the push is settled; push.Deliveries has each attempt
//	inbox, err := lina.AwaitInbox(ctx, 1)  // what the product sent to her, in order of arrival
//	window := lina.Window()                // limit, used and end, as the platform counts them
//
// # Time
//
// Everything but the wait for an answer follows Options.Now. Pauses between deliveries, and slow answers, go through
// Options.Wait. A push waits for its answer in real time, Options.PushTimeout; tests of that set it to some milliseconds.
//
// # Misbehaviour
//
// [Platform.Inject] makes API calls slow, fail, answer HTML, lose their answer, or answer any code; [Platform.SetPushFaults]
// doubles, repeats and reorders pushes; [Platform.ExpireTokens], [Platform.RevokeTokens] and [Platform.DropMedia] do what
// their names say; [Customer.SetFlags] and [Permissions] make the platform refuse one customer or one account;
// [Platform.SetContentRules] gives the content check something to find.
//
// What accounts' servers do wrong shows in [Stats].BadReplies and in a push's deliveries.
//
// # The platform's own tool
//
// A server that answers a message with transfer_customer_service hands the customer to the platform's own tool:
// [Customer.ToolAccept], [Customer.ToolSay], [Customer.ToolSwitch] and [Customer.ToolClose] are what an agent does there,
// and [Customer.Tool] tells where the customer stands.
//
// # Restarts
//
// The platform keeps everything in memory. [Platform.Save] writes what the real one would never forget, and
// [Platform.Load] takes it up in the next run, before or after AddAccount; [Platform.Version] tells whether there is
// anything new to save.
//
// # Where the fact sheet is silent
//
// The simulator takes the stricter reading: a grant begins with the second of CreateTime; an answer other than exactly
// "success", nothing, or a document in the account's format counts as failed; a status other than 200 too; three deliveries
// in all; refused sends and passive replies don't count against the window; any \uXXXX in a body is 40033; a forced
// token refresh within 30 s of the last is 45011, and the 21st of a day 45009.
package wxfake
