package wxfake

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// The kinds of a [Reply].
const (
	ReplySuccess  = "success"  // the plain text "success"
	ReplyEmpty    = "empty"    // a body of zero bytes
	ReplyDocument = "document" // a passive reply
)

// Reply is an accepted answer to a push.
type Reply struct {
	Kind      string
	MsgType   string // of a document
	Text      string // Content of a text
	KfAccount string // TransInfo.KfAccount of transfer_customer_service
	Encrypted bool
	Raw       []byte // the document, decrypted
	to, from  string
	mediaID   string
}

// Why an answer is not accepted; the push is then delivered again.
var (
	errReplyFormat    = errors.New("the answer is neither success, nor empty, nor a document in the account's format")
	errReplyPlain     = errors.New("in secure mode a passive reply must be encrypted")
	errReplySignature = errors.New("the reply's MsgSignature is wrong")
	errReplyNonce     = errors.New("the reply's Nonce is not the push's")
)

// readReply judges an answer by the account's mode and format, and by the push that it answers.
func readReply(cfg *Account, e envelope, status int, body []byte) (Reply, error) {
	switch {
	case status != http.StatusOK:
		return Reply{}, fmt.Errorf("status %d", status)
	case len(body) == 0:
		return Reply{Kind: ReplyEmpty}, nil
	case string(body) == "success":
		return Reply{Kind: ReplySuccess}, nil
	}
	doc, err := flatten(cfg.Format, body)
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Kind: ReplyDocument, Raw: body}
	if secret, ok := doc["Encrypt"]; ok && cfg.Mode != Plaintext {
		want := signature(cfg.Token, doc["TimeStamp"], doc["Nonce"], secret)
		if subtle.ConstantTimeCompare([]byte(want), []byte(doc["MsgSignature"])) != 1 {
			return Reply{}, errReplySignature
		}
		if doc["Nonce"] != e.nonce {
			return Reply{}, errReplyNonce
		}
		if r.Raw, err = decrypt(e.key, secret, cfg.AppID); err != nil {
			return Reply{}, err
		}
		if doc, err = flatten(cfg.Format, r.Raw); err != nil {
			return Reply{}, err
		}
		r.Encrypted = true
	} else if cfg.Mode == Secure {
		return Reply{}, errReplyPlain
	}
	r.MsgType, r.Text, r.KfAccount = doc["MsgType"], doc["Content"], doc["TransInfo.KfAccount"]
	r.to, r.from = doc["ToUserName"], doc["FromUserName"]
	for _, name := range []string{"Image", "Voice", "Video"} {
		if id := doc[name+".MediaId"]; id != "" {
			r.mediaID = id
		}
	}
	return r, nil
}

// flatten reads a document into its texts by path, for example TransInfo.KfAccount.
func flatten(format Format, body []byte) (map[string]string, error) {
	out := make(map[string]string)
	var err error
	if format == JSON {
		var top map[string]any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		if err = dec.Decode(&top); err == nil {
			if _, more := dec.Token(); more != io.EOF || top == nil {
				err = errReplyFormat
			}
			flattenJSON(out, "", top)
		}
	} else {
		err = flattenXML(out, body)
	}
	if err != nil {
		return nil, errReplyFormat
	}
	return out, nil
}

func flattenJSON(out map[string]string, prefix string, object map[string]any) {
	for name, value := range object {
		if nested, ok := value.(map[string]any); ok {
			flattenJSON(out, prefix+name+".", nested)
		} else {
			out[prefix+name] = fmt.Sprint(value)
		}
	}
}

func flattenXML(out map[string]string, body []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	var text strings.Builder
	roots := 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			if roots != 1 {
				return errReplyFormat
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(path) == 0 {
				if roots++; t.Name.Local != "xml" {
					return errReplyFormat
				}
			}
			path = append(path, t.Name.Local)
			text.Reset()
		case xml.CharData:
			if len(path) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return errReplyFormat
			}
			text.Write(t)
		case xml.EndElement:
			if len(path) > 1 {
				out[strings.Join(path[1:], ".")] = text.String()
			}
			path = path[:len(path)-1]
			text.Reset()
		}
	}
}

// maxPassiveText is the longest passive text; a longer one fails without a word.
const maxPassiveText = 2047

// passiveTypes are the passive replies that an official account may give.
var passiveTypes = map[string]bool{"text": true, "image": true, "voice": true, "video": true, "music": true, "news": true}

// obey carries out a passive reply, or says why the platform ignores it.
func (p *Platform) obey(j *job, r Reply) (problem string) {
	cfg := j.c.acc.cfg.Load()
	if r.Kind != ReplyDocument || cfg == nil {
		return ""
	}
	now := p.now()
	switch {
	case r.MsgType == "":
		return "a document without MsgType is no passive reply"
	case r.to != j.c.openID || r.from != cfg.OriginalID:
		return "ToUserName and FromUserName must be swapped against the push"
	case r.MsgType == "transfer_customer_service":
		if !j.message {
			return "only a user's message can be transferred, not an event"
		}
		if cfg.Channel == MiniProgram {
			r.KfAccount = "" // its pages know no TransInfo
		}
		j.c.handOver(now, r.KfAccount)
	case !passiveTypes[r.MsgType]:
		return "no such passive reply: " + r.MsgType
	case cfg.Channel == MiniProgram:
		return "a Mini Program has no passive replies with content"
	case r.MsgType == "text" && len(r.Text) > maxPassiveText:
		return "the text is longer than 2047 bytes"
	default:
		j.c.mu.Lock()
		j.c.showLocked(Received{At: now, MsgType: r.MsgType, Text: r.Text, MediaID: r.mediaID, Raw: r.Raw, Passive: true})
		j.c.mu.Unlock()
	}
	p.bell.ring()
	return ""
}
