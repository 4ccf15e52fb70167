package wxfake

// The error codes that the simulator answers by itself. Any other can be injected.
const (
	codeBusy             = -1
	codeBadToken         = 40001
	codeBadGrantType     = 40002
	codeBadOpenID        = 40003
	codeBadMediaType     = 40004
	codeBadFileType      = 40005
	codeBadMediaSize     = 40006
	codeBadMediaID       = 40007
	codeBadMessageType   = 40008
	codeBadImageSize     = 40009
	codeBadAppID         = 40013
	codeIllegalToken     = 40014
	codeBadCharset       = 40033
	codeBadURL           = 40066
	codeBadArgs          = 40097
	codeBadSecret        = 40125
	codeBadScene         = 40129
	codeBadIP            = 40164
	codeWrongAccountType = 40200
	codeNoCallbackURL    = 40201
	codeBadCheckAction   = 40202
	codeBadCheckOperator = 40203
	codeSecretFrozen     = 40243
	codeNoToken          = 41001
	codeNoAppID          = 41002
	codeNoSecret         = 41004
	codeNoMedia          = 41005
	codeNoMediaID        = 41006
	codeNoOpenID         = 41009
	codeExpiredToken     = 42001
	codeNeedGet          = 43001
	codeNeedPost         = 43002
	codeNotFollowing     = 43004
	codeBlacklisted      = 43019
	codeForeignOpenID    = 43104
	codeEmptyBody        = 44002
	codeNoArticle        = 44003
	codeEmptyText        = 44004
	codeCheckQuota       = 44991
	codeMediaTooBig      = 45001
	codeTextTooLong      = 45002
	codeTitleTooLong     = 45003
	codeDescTooLong      = 45004
	codeLinkTooLong      = 45005
	codePictureTooLong   = 45006
	codeTooManyArticles  = 45008
	codeDailyQuota       = 45009
	codeMinuteQuota      = 45011
	codeOutOfWindow      = 45015
	codeOutOfCount       = 45047
	codeBadTyping        = 45072
	codeNoExchange       = 45080
	codeAlreadyTyping    = 45081
	codeInvalidType      = 45162
	codeBadJSON          = 47001
	codeNoPermission     = 48001
	codeRefusesMessages  = 48002
	codeBanned           = 48004
	codeTypeDenied       = 48008
	codeUserLimited      = 50002
	codeAccountFrozen    = 50007
	codeNotVisited       = 61010
	codeMinor            = 70000
	codeBadPath          = 76021
	codeWrongToken       = 76022
)

// errText is the errmsg of each code; [dice.rid] is appended to all but the answer to success.
var errText = map[int]string{ //nolint:gosec // G101: texts about tokens are no tokens
	0:                    "ok",
	codeBusy:             "system error",
	codeBadToken:         "invalid credential, access_token is invalid or not latest",
	codeBadGrantType:     "invalid grant_type",
	codeBadOpenID:        "invalid openid",
	codeBadMediaType:     "invalid media type",
	codeBadFileType:      "invalid file type",
	codeBadMediaSize:     "invalid media size",
	codeBadMediaID:       "invalid media_id",
	codeBadMessageType:   "invalid message type",
	codeBadImageSize:     "invalid image size",
	codeBadAppID:         "invalid appid",
	codeIllegalToken:     "invalid access_token",
	codeBadCharset:       `invalid charset. please check your request, if include \uxxxx will create fail!`,
	codeBadURL:           "invalid url",
	codeBadArgs:          "invalid args",
	40101:                "missing parameter",
	codeBadSecret:        "invalid appsecret",
	codeBadScene:         "invalid scene",
	codeBadIP:            "invalid ip",
	codeWrongAccountType: "invalid account type",
	codeNoCallbackURL:    "callback url not set",
	codeBadCheckAction:   "invalid action",
	codeBadCheckOperator: "invalid check operator",
	codeSecretFrozen:     "appsecret has been frozen",
	codeNoToken:          "access_token missing",
	codeNoAppID:          "appid missing",
	codeNoSecret:         "appsecret missing",
	codeNoMedia:          "media data missing",
	codeNoMediaID:        "media_id missing",
	codeNoOpenID:         "openid missing",
	codeExpiredToken:     "access_token expired",
	codeNeedGet:          "require GET method",
	codeNeedPost:         "require POST method",
	43003:                "require https",
	codeNotFollowing:     "require subscribe",
	codeBlacklisted:      "user in blacklist",
	codeForeignOpenID:    "this appid does not have permission",
	codeEmptyBody:        "empty post data",
	codeNoArticle:        "empty news data",
	codeEmptyText:        "empty content",
	codeMediaTooBig:      "media size out of limit",
	codeTextTooLong:      "content size out of limit",
	codeTitleTooLong:     "title size out of limit",
	codeDescTooLong:      "description size out of limit",
	codeLinkTooLong:      "url size out of limit",
	codePictureTooLong:   "picurl size out of limit",
	codeTooManyArticles:  "article size out of limit",
	codeDailyQuota:       "reach max api daily quota limit",
	codeMinuteQuota:      "api minute-quota reach limit, must slower, retry next minute",
	codeOutOfWindow:      "response out of time limit or subscription is canceled",
	codeOutOfCount:       "out of response count limit",
	codeCheckQuota:       "reach max api minute quota limit",
	codeBadTyping:        "command field must be Typing or CancelTyping",
	codeNoExchange:       "typing needs an exchange with the user within 30 seconds",
	codeAlreadyTyping:    "already typing",
	codeInvalidType:      "invalid type",
	codeBadJSON:          "data format error",
	codeNoPermission:     "api unauthorized",
	codeRefusesMessages:  "user refuse to accept the msg",
	codeBanned:           "api forbidden for irregularities",
	codeTypeDenied:       "no permission for this msgtype",
	codeUserLimited:      "user limited",
	50004:                "get access_token forbidden",
	codeAccountFrozen:    "account frozen",
	codeNotVisited:       "user has not visited recently",
	codeMinor:            "message not sent, protection of minors",
	codeBadPath:          "cgi_path not found",
	codeWrongToken:       "this access_token can't ask for this cgi_path",
	87020:                "repeated request",
}

// textOf returns the errmsg of a code, also of one that only an injected fault brings.
func textOf(code int) string {
	if s, ok := errText[code]; ok {
		return s
	}
	return "error"
}
