package message

// Type names a kind of content; the object of the same name holds it.
type Type string

// The types, with the platform's names.
const (
	TypeText            Type = "text"
	TypeImage           Type = "image"
	TypeVoice           Type = "voice"
	TypeVideo           Type = "video"
	TypeShortVideo      Type = "shortvideo" // inbound only
	TypeLocation        Type = "location"   // inbound only
	TypeLink            Type = "link"
	TypeMiniProgramPage Type = "miniprogrampage"
	TypeMsgMenu         Type = "msgmenu" // Official Account, outbound only
	TypeNews            Type = "news"    // Official Account, outbound only
	TypeEvent           Type = "event"   // inbound only
	TypeUnknown         Type = "unknown" // inbound, kept raw
)

// Content is what a message says: its type, and the one member of that name.
type Content struct {
	Type            Type             `json:"type"`
	Text            *Text            `json:"text,omitempty"`
	Image           *MediaRef        `json:"image,omitempty"`
	Voice           *Voice           `json:"voice,omitempty"`
	Video           *Video           `json:"video,omitempty"`
	ShortVideo      *Video           `json:"shortvideo,omitempty"`
	Location        *Location        `json:"location,omitempty"`
	Link            *Link            `json:"link,omitempty"`
	MiniProgramPage *MiniProgramPage `json:"miniprogrampage,omitempty"`
	MsgMenu         *MsgMenu         `json:"msgmenu,omitempty"`
	News            *News            `json:"news,omitempty"`
	Event           *Event           `json:"event,omitempty"`
	Unknown         *Raw             `json:"unknown,omitempty"`
}

// Text is plain text; line breaks are \n, links and mini-program links are
// written as the platform's <a> elements. MenuID is set inbound when the
// customer tapped a msgmenu item.
type Text struct {
	Content string `json:"content"`
	MenuID  string `json:"menu_id,omitempty"`
}

// MediaRef points at a kept file by its media id.
type MediaRef struct {
	Media  string `json:"media"`
	PicURL string `json:"pic_url,omitempty"` // inbound: the platform's own short-lived link
}

// Voice is a recording; Recognition is the platform's transcript, if it made one.
type Voice struct {
	Media       string `json:"media"`
	Format      string `json:"format,omitempty"`
	Recognition string `json:"recognition,omitempty"`
}

// Video is a clip with its cover.
type Video struct {
	Media       string `json:"media"`
	ThumbMedia  string `json:"thumb_media,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

// Location is a place.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Scale     int     `json:"scale,omitempty"`
	Label     string  `json:"label,omitempty"`
}

// Link is a link card; ThumbURL is its picture.
type Link struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	ThumbURL    string `json:"thumb_url,omitempty"`
}

// MiniProgramPage is a mini-program card. AppID is needed outbound on an
// Official Account; ThumbMedia is the media id of the cover.
type MiniProgramPage struct {
	Title      string `json:"title"`
	AppID      string `json:"appid,omitempty"`
	PagePath   string `json:"pagepath"`
	ThumbMedia string `json:"thumb_media,omitempty"`
	ThumbURL   string `json:"thumb_url,omitempty"` // inbound only
}

// MsgMenu is a menu of tappable answers.
type MsgMenu struct {
	HeadContent string     `json:"head_content,omitempty"`
	List        []MenuItem `json:"list"`
	TailContent string     `json:"tail_content,omitempty"`
}

// MenuItem is one answer; ID comes back with the tap.
type MenuItem struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// News is one article; the platform takes exactly one.
type News struct {
	Articles []Article `json:"articles"`
}

// Article is a linked article with a picture.
type Article struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	URL         string `json:"url"`
	PicURL      string `json:"picurl,omitempty"`
}

// Event is something the customer or the platform did. Name is Kefu's word
// (enter, follow, unfollow, scan, click, view, location, session_created,
// session_closed, session_switched, consent_revoked, media_checked, ticket …) or, for others, the
// platform's own name.
type Event struct {
	Name   string            `json:"name"`
	Key    string            `json:"key,omitempty"`    // menu key, scene, page
	From   string            `json:"from,omitempty"`   // SessionFrom of an enter event
	Fields map[string]string `json:"fields,omitempty"` // what else the platform told
}

// Raw stands for content whose type Kefu doesn't know; the push itself is kept.
type Raw struct {
	Type string `json:"type"`
	Body string `json:"body,omitempty"` // the push, when it is shown to somebody
}

// Media lists the media ids that the content refers to.
func (c Content) Media() []string {
	var ids []string
	add := func(id string) {
		if id != "" {
			ids = append(ids, id)
		}
	}
	switch c.Type {
	case TypeImage:
		add(c.Image.Media)
	case TypeVoice:
		add(c.Voice.Media)
	case TypeVideo:
		add(c.Video.Media)
		add(c.Video.ThumbMedia)
	case TypeShortVideo:
		add(c.ShortVideo.Media)
		add(c.ShortVideo.ThumbMedia)
	case TypeMiniProgramPage:
		add(c.MiniProgramPage.ThumbMedia)
	}
	return ids
}
