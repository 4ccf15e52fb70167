package wxmsg

// Envelope is the outer body of a push. In secure mode it has nothing else; in
// compatible mode the plain fields stand beside Encrypt, and in plaintext mode
// there is no Encrypt. Its texts lie in the body where they can.
type Envelope struct {
	ToUserName []byte // the account's original id; no signature covers it
	AppID      []byte // pushes to a third-party platform's authorisation URL have it instead
	Encrypt    []byte // what msg_signature signs; empty if the body is not encrypted
	MsgType    []byte // of the plain fields, which in secure mode are not there
}

// ReadEnvelope reads the outer body as strictly as [Read] and keeps only the
// envelope, without an allocation. A field of the envelope that stands twice is
// ErrDuplicate: no two readers of such a body need agree on what was signed.
func ReadEnvelope(body []byte) (Envelope, error) {
	var texts [4][]byte
	again, err := pick(body, texts[:], envelopeField)
	if err != nil {
		return Envelope{}, err
	}
	if again {
		return Envelope{}, ErrDuplicate
	}
	return Envelope{ToUserName: texts[0], AppID: texts[1], Encrypt: texts[2], MsgType: texts[3]}, nil
}

func envelopeField(name []byte) int {
	switch string(name) {
	case "ToUserName":
		return 0
	case "AppId":
		return 1
	case "Encrypt":
		return 2
	case "MsgType":
		return 3
	}
	return -1
}

// Pick reads a push as strictly as [Read], but keeps only some texts of the
// outermost element's fields, without an allocation: index says into which place of
// texts a field belongs, -1 for none. A field that is not there leaves its place as it
// is, of one that stands twice the first counts. The texts refer to body.
func Pick(body []byte, texts [][]byte, index func(name []byte) int) error {
	_, err := pick(body, texts, index)
	return err
}

// pick also reports whether a field that was asked for stands twice.
func pick(body []byte, texts [][]byte, index func(name []byte) int) (again bool, err error) {
	r := reader{body: body, side: fixed} // stays on the stack
	if err := r.document(); err != nil {
		return false, err
	}
	var seen uint64
	for i := 1; i < r.count; i = int(r.item(i).end) {
		at := index(r.bytes(r.item(i).name))
		if at < 0 || at >= len(texts) {
			continue
		}
		if bit := uint64(1) << at; seen&bit == 0 {
			seen |= bit
			texts[at] = r.bytes(r.item(i).text)
		} else {
			again = true
		}
	}
	return again, nil
}
