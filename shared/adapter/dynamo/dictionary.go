package dynamo

import "strings"

// dictionary is what stored values have in common once they are shrunk: names of members, in their usual order, usual
// values, and the marks of what was taken out. What comes last is found most cheaply. It must never change: another one
// needs another form of bodies (see bodyForm1).
//
// Here † stands for a digest, § for a time in whole seconds, ‡ for another time and ¶ for the end of the JSON text; ends
// of lines are left out.
var dictionary = []byte(strings.NewReplacer(
	"\n", "", "†", string(rune(markDigest)), "§", string(rune(markSeconds)), "‡", string(rune(markTime)), "¶", string(rune(markTail)),
).Replace(`
{"type":"event","event":{"name":"enter","key":"","from":"","fields":{"
"type":"image","image":{"media":"","pic_url":"http://mmbiz.qpic.cn/mmbiz_jpg/
"type":"location","location":{"latitude":,"longitude":,"scale":,"label":"
"type":"link","link":{"title":"","description":"","url":"https://","thumb_url":"
"type":"miniprogrampage","miniprogrampage":{"title":"","appid":"wx","pagepath":"pages/","thumb_media":"","thumb_url":"
"type":"voice","voice":{"media":"","format":"amr","recognition":"
"type":"video","video":{"media":"","thumb_media":"","title":"","type":"unknown","unknown":{"type":"
]]></ToUserName><FromUserName><![CDATA[o]]></FromUserName><CreateTime>1]]></MsgType><Event><![CDATA[user_enter_tempsession
]]></Event><EventKey><![CDATA[</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[]]></Content><MsgId></MsgId></xml>
"MsgType":"image","PicUrl":"","MediaId":"","MsgType":"event","Event":"user_enter_tempsession","SessionFrom":"
"settings":{"session_for":"48h0m0s","grants":[{"action":"","limit":,"for":"routing":{"assign":{"mode":"auto","strategy":"
"created_at":‡,"updated_at":‡,"status":"online","status_at":‡,"capacity":10,"role":"agent","accounts":["
您好，请问有什么可以帮您？谢谢你好的我想一下这个订单什么时候发货
"outbox":[{"m":"s-","n":1,"p":2,"ps":1,"fc":true,"sa":‡,"ea":‡,"t":{"nb":‡,"b":1,"bs":‡,"u":1,"c":true}}],
"endings":[{"m":"s","s":"sent","r":"","c":45047,"at":‡,"s":"failed","s":"expired","s":"cancelled","s":"unknown"
"state":"bot","opened_at":‡,"state":"queued","state":"closed","state":"expired","ended_at":‡,"ended_by":"
"account":"","channel":"official","customer":"","state":"serving","agent":"
{"id":"s","tenant":"default","account":"","channel":"miniprogram","customer":"","state":"serving","agent":"","opened_at":‡,
"queued_at":‡,"last_customer_at":§,"seq":1,"window":{"l":[{"a":"enter","at":§,"p":†,"n":2,"u":§},
{"a":"message","at":§,"p":†,"n":5,"u":§}],"t":[{"i":"s","n":1,"a":‡},{"i":"s","n":1,"a":‡}],"e":1},
"recent":[{"k":†,"m":"s","t":‡},{"k":†,"m":"s","t":‡}],"calls":[{"k":†,"m":"s","t":‡}],
"outbox":[{"m":"s","n":1,"p":1,"ea":‡}],"flight":{"m":"s","n":1,"p":1,"ea":‡,"tk":"s","at":‡,"dl":‡,"ep":1},"due_at":‡,"version":0}
{"id":"","n":0,"tenant":"default","account":"shop","customer":"o","session":"","direction":"out",
"content":{"type":"text","text":{"content":""}},"state":"","by":"","created_at":‡,"expires_at":‡}
{"id":"","n":0,"tenant":"default","account":"","customer":"o","session":"","direction":"in",
"content":{"type":"text","text":{"content":""}},"state":"","push":"m:o:1:","created_at":§}¶
{"ToUserName":"gh_","FromUserName":"o","CreateTime":17,"MsgType":"text","Content":"","MsgId":2}
<xml><ToUserName><![CDATA[gh_`))
