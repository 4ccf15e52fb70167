// The chat: every text goes in through textContent, so that nothing a person writes becomes markup.

export function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const stateText = {
  pending: "sending 推送中…", held: "held back 暂扣", ok: "✓", failed: "not answered 推送失败", skipped: "not pushed on this channel 此渠道不推送",
  tool: "to the platform's tool 转官方客服",
};
const eventText = {
  user_enter_tempsession: "You entered the chat 进入会话", subscribe: "You followed 关注", unsubscribe: "You unfollowed 取消关注",
  SCAN: "You scanned a code 扫码", CLICK: "You tapped the menu 点击菜单", VIEW: "You opened a page from the menu 打开网页",
  kf_create_session: "An agent of the platform's tool took the chat 官方客服接入",
  kf_switch_session: "The tool gave the chat to another agent 官方客服转接",
  kf_close_session: "The tool's agent closed the chat 官方客服结束", wxa_media_check: "Media check result pushed 媒体检测结果",
};
const messageKinds = ["text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage"];

const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const webURL = (s) => /^https?:\/\//i.test(s || "");
const mediaURL = (app, id) => `sim/media?app=${encodeURIComponent(app)}&id=${encodeURIComponent(id)}`;

function outward(label, href) {
  const a = el("a", "", label);
  a.href = href;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  return a;
}

function attribute(tag, name) {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "i").exec(tag);
  return found ? (found[1] ?? found[2]) : "";
}

// richText shows a text as the phone does: <a> links and bare addresses work, everything else is plain text.
function richText(into, text) {
  const pattern = /<a(\s[^>]*)>([^<]*)<\/a>|https?:\/\/[^\s<>"']+/gi;
  let from = 0;
  for (const hit of text.matchAll(pattern)) {
    into.append(text.slice(from, hit.index));
    from = hit.index + hit[0].length;
    if (hit[1] === undefined) {
      into.append(outward(hit[0], hit[0]));
    } else if (attribute(hit[1], "data-miniprogram-appid")) {
      const link = el("span", "mplink", hit[2]);
      link.title = `Mini Program 小程序 ${attribute(hit[1], "data-miniprogram-appid")} ${attribute(hit[1], "data-miniprogram-path")}`;
      into.append(link);
    } else if (webURL(attribute(hit[1], "href"))) {
      into.append(outward(hit[2], attribute(hit[1], "href")));
    } else {
      into.append(hit[2]);
    }
  }
  into.append(text.slice(from));
}

function picture(app, id, className) {
  const img = el("img", className || "");
  img.alt = "picture 图片";
  img.src = mediaURL(app, id);
  return img;
}

function card(title, text, foot, cover, href) {
  const box = el("div", "bubble card");
  if (cover) box.append(cover);
  const body = el("div", "body");
  body.append(webURL(href) ? outward(title || href, href) : el("b", "", title || "—"));
  if (text) body.append(el("small", "", text));
  box.append(body, el("div", "foot", foot));
  return box;
}

function menu(content, act) {
  const box = el("div", "bubble menu");
  if (content.head_content) box.append(el("p", "", content.head_content));
  for (const item of content.list || []) {
    const button = el("button", "", item.content);
    button.type = "button";
    button.addEventListener("click", () => act("tap", { id: String(item.id), text: item.content }));
    box.append(button);
  }
  if (content.tail_content) box.append(el("p", "", content.tail_content));
  return box;
}

function bubble(item, app, act) {
  const c = item.content || {};
  const plain = (text) => {
    const box = el("div", "bubble");
    richText(box, text);
    return box;
  };
  switch (item.kind) {
    case "text": return plain(item.text);
    case "image": {
      const box = el("div", "bubble pic");
      box.append(picture(app, item.media));
      return box;
    }
    case "miniprogrampage":
      return card(item.text, c.pagepath, "Mini Program 小程序", item.media && picture(app, item.media, "cover"));
    case "link": return card(item.text, c.description, "Link 链接", null, c.url);
    case "news": {
      const one = (c.articles || [])[0] || {};
      return card(one.title, one.description, "Article 图文", null, one.url);
    }
    case "music": return card(item.text, c.description, "Music 音乐", null, c.musicurl);
    case "msgmenu": return menu(c, act);
    case "voice": return plain("🎙 Voice 语音");
    case "video": case "shortvideo": return plain(`🎬 Video 视频 ${item.text}`);
    case "location": return plain(`📍 ${item.text}`);
    default: return plain(`[${item.kind}] ${item.text}`);
  }
}

function line(item, view, act) {
  if (item.from === "notice") return el("div", "center bad", item.text);
  if (item.from === "customer" && !messageKinds.includes(item.kind)) {
    const what = eventText[item.kind] || `Event ${item.kind}`;
    const box = el("div", "center", `${clock(item.at)}  ${what}${item.text ? ` · ${item.text}` : ""}`);
    if (item.state !== "ok") {
      box.append(` · ${stateText[item.state] || item.state}`);
      if (item.state === "failed") box.classList.add("bad");
    }
    return box;
  }
  const mine = item.from === "customer";
  const row = el("div", mine ? "row mine" : "row");
  const name = mine ? view.name : item.agent || view.account.name;
  row.append(el("div", "face", [...name][0] || "?"));
  const cell = el("div", "cell");
  cell.append(bubble(item, view.account.app_id, act));
  const notes = [clock(item.at)];
  if (item.agent) notes.push(item.agent);
  if (item.passive) notes.push("passive reply 被动回复");
  if (item.tool) notes.push("platform's tool 官方客服");
  if (item.ai) notes.push("AI generated 由第三方AI生成");
  if (item.hidden) notes.push("accepted, but a phone shows nothing 手机不显示");
  const meta = el("div", "meta", notes.join(" · "));
  if (mine) meta.append(" ", el("span", `state ${item.state}`, stateText[item.state] || item.state));
  cell.append(meta);
  row.append(cell);
  return row;
}

const shown = new Map(); // seq + state -> node

// renderChat brings the list up to date and keeps what is already there, so that pictures don't flicker.
export function renderChat(list, items, view, act) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const keys = new Set();
  const nodes = items.map((item) => {
    const key = `${view.account.app_id}/${view.name}/${item.from}/${item.seq}/${item.state || ""}`;
    keys.add(key);
    if (!shown.has(key)) shown.set(key, line(item, view, act));
    return shown.get(key);
  });
  for (const key of shown.keys()) if (!keys.has(key)) shown.delete(key);
  if (!nodes.length) {
    nodes.push(el("div", "hint", "Nothing yet. Enter the chat or write something, as a customer would. 还没有消息，先以顾客身份进入会话或发送消息。"));
  }
  const same = nodes.length === list.children.length && nodes.every((n, i) => n === list.children[i]);
  if (!same) list.replaceChildren(...nodes);
  if (!same && atEnd) list.scrollTop = list.scrollHeight;
}
