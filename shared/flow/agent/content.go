package agent

import "kefu/shared/core/message"

// content is what a message says, as the interface has it: media ids are called
// media and thumb_media. The platform's thumb_media_id is read as well.
type content struct {
	Type            message.Type      `json:"type"`
	Text            *message.Text     `json:"text,omitempty"`
	Image           *message.MediaRef `json:"image,omitempty"`
	Voice           *message.Voice    `json:"voice,omitempty"`
	Video           *video            `json:"video,omitempty"`
	ShortVideo      *video            `json:"shortvideo,omitempty"`
	Location        *message.Location `json:"location,omitempty"`
	Link            *message.Link     `json:"link,omitempty"`
	MiniProgramPage *miniProgramPage  `json:"miniprogrampage,omitempty"`
	MsgMenu         *message.MsgMenu  `json:"msgmenu,omitempty"`
	News            *message.News     `json:"news,omitempty"`
	Event           *message.Event    `json:"event,omitempty"`
	Unknown         *message.Raw      `json:"unknown,omitempty"`
}

type video struct {
	Media        string `json:"media"`
	ThumbMedia   string `json:"thumb_media,omitempty"`
	ThumbMediaID string `json:"thumb_media_id,omitempty"`
	Title        string `json:"title,omitempty"`
	Description  string `json:"description,omitempty"`
}

type miniProgramPage struct {
	Title        string `json:"title"`
	AppID        string `json:"appid,omitempty"`
	PagePath     string `json:"pagepath"`
	ThumbMedia   string `json:"thumb_media,omitempty"`
	ThumbMediaID string `json:"thumb_media_id,omitempty"`
	ThumbURL     string `json:"thumb_url,omitempty"`
}

// wire turns core's form into the interface's.
func wire(c message.Content) content {
	out := content{
		Type: c.Type, Text: c.Text, Image: c.Image, Voice: c.Voice, Video: wireVideo(c.Video), ShortVideo: wireVideo(c.ShortVideo),
		Location: c.Location, Link: c.Link, MsgMenu: c.MsgMenu, News: c.News, Event: c.Event, Unknown: c.Unknown,
	}
	if p := c.MiniProgramPage; p != nil {
		out.MiniProgramPage = &miniProgramPage{Title: p.Title, AppID: p.AppID, PagePath: p.PagePath, ThumbMedia: p.ThumbMedia, ThumbURL: p.ThumbURL}
	}
	return out
}

func wireVideo(v *message.Video) *video {
	if v == nil {
		return nil
	}
	return &video{Media: v.Media, ThumbMedia: v.ThumbMedia, Title: v.Title, Description: v.Description}
}

// core turns the interface's form into core's.
func (c content) core() message.Content {
	out := message.Content{
		Type: c.Type, Text: c.Text, Image: c.Image, Voice: c.Voice, Video: c.Video.core(), ShortVideo: c.ShortVideo.core(),
		Location: c.Location, Link: c.Link, MsgMenu: c.MsgMenu, News: c.News, Event: c.Event, Unknown: c.Unknown,
	}
	if p := c.MiniProgramPage; p != nil {
		out.MiniProgramPage = &message.MiniProgramPage{
			Title: p.Title, AppID: p.AppID, PagePath: p.PagePath, ThumbMedia: either(p.ThumbMedia, p.ThumbMediaID), ThumbURL: p.ThumbURL,
		}
	}
	return out
}

func (v *video) core() *message.Video {
	if v == nil {
		return nil
	}
	return &message.Video{Media: v.Media, ThumbMedia: either(v.ThumbMedia, v.ThumbMediaID), Title: v.Title, Description: v.Description}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
