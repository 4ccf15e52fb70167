// Package doctor finds out what is wrong with an account's set-up (P8). Start with
// [Diagnose]: [Evidence] in, one [Finding] for each thing that was examined out. How
// the evidence is gathered is for kefu/shared/flow/doctor; what was seen of the
// platform's pushes meanwhile is a [Sighting].
//
// No finding has a secret, an access token or a customer's text in it.
package doctor

// Level says how bad a finding is.
type Level string

// The levels. A warning is worth a look; with an error something doesn't work.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Error   Level = "error"
)

// Check is a part of the set-up that is examined.
type Check string

// The checks, in the order in which findings are told.
const (
	CheckSettings    Check = "settings"     // what was typed in from the platform's console
	CheckPushes      Check = "pushes"       // what has come of the platform's pushes
	CheckAccessToken Check = "access-token" // whether calls of the platform can be made
	CheckCallback    Check = "callback"     // whether the platform finds the callback address
	CheckPermission  Check = "permission"   // whether messages may be sent
	CheckDesk        Check = "desk"         // whether somebody answers
)

// Finding is one thing that was examined.
type Finding struct {
	Check Check `json:"check"`
	// Code names what was found. It never changes, whatever the words.
	Code  string `json:"code"`
	Level Level  `json:"level"`
	Text  string `json:"text"`         // one sentence
	Do    string `json:"do,omitempty"` // what to do about it; of ok findings mostly empty
	// Data are the facts behind it: numbers, texts, RFC 3339 times, lists.
	Data map[string]any `json:"data,omitempty"`
}

// Diagnose judges the evidence. It gives at least one finding for each check whose
// evidence there is, in the order of the checks.
func Diagnose(e Evidence) []Finding {
	d := &diagnosis{Evidence: e}
	d.settings()
	d.pushes()
	d.accessToken()
	d.callback()
	d.permission()
	d.desk()
	return d.findings
}

// Healthy reports whether nothing among the findings keeps the account from working.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == Error {
			return false
		}
	}
	return true
}

// diagnosis collects findings.
type diagnosis struct {
	Evidence
	check    Check
	findings []Finding
}

// facts are a finding's data while it is written.
type facts = map[string]any

func (d *diagnosis) say(level Level, code, text, do string, data facts) {
	d.findings = append(d.findings, Finding{Check: d.check, Code: code, Level: level, Text: text, Do: do, Data: data})
}

func (d *diagnosis) ok(code, text string, data facts) { d.say(OK, code, text, "", data) }

// unknown tells what could not be found out on our own side.
func (d *diagnosis) unknown(what Lack) {
	d.say(Warning, string(what)+"-not-examined", "Kefu's own store didn't tell about the "+string(what)+" in time.",
		"Ask again. If it stays so, look at the log of the function.", facts{"what": string(what)})
}
