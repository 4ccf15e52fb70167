// Package shared holds no code of its own: it says in words what imports_test.go enforces.
//
// Read core/session first: what a conversation is and how one event changes it. Then one flow, flow/ingest say, to see
// how a decision is stored and carried out. Then app, the only place where everything meets.
//
// The layers, from the inside out. A package imports only what stands above it in this list, and no neighbor unless
// it is named:
//
//	core/*      Decides. Values in, values out: no context, no I/O, no clock, no randomness. Imports other core packages.
//	shell       Carries out what core decides: load, step, save on condition, act. The order of these lines makes
//	            crashes harmless, so it is written once. Imports core.
//	flow/*      Does one job each (take a push, send a reply), on ports that it declares itself in the words of core.
//	            Imports core and shell, never another flow: two flows meet in the store or in a queue.
//	porttest    What every store, queue and messenger must keep, as test suites. Imports core, and flow for its ports.
//	            For _test.go files only.
//	scripttest  Plays the text scripts that core's rules are written down in. For _test.go files only.
//	adapter/*   Makes a port out of one foreign thing: a database file, a cloud service, the platform's API. Imports core
//	            and that one vendor's library; never flow, faas, app or another adapter. s3 and kms stand on awscall,
//	            which calls any service of AWS. adapter/wechat has parts of its own: wxcrypt and wxmsg, which are pure,
//	            and the simulator wxfake, which shares no code with the product so that one mistake can't hide in both.
//	faas        Turns a handler into a function of AWS Lambda, of Tencent SCF, or of one local process. Knows no use case:
//	            of ours it imports core/fault alone. faas/faastest plays the clouds' part, in tests and in infra/local.
//	app         Reads the configuration and builds each function. Imports everything but porttest and wxfake.
//
// Outside this folder, functions/* are the deployed mains, 10 to 30 lines each, and infra/local is the whole system on
// one machine. Both stand on app and faas.
package shared
