// The raw traffic: what went over the wire, and what was inside.
import { el } from "./chat.js";

const kept = 300;
const entries = [];
let filter = "";

const kindText = { push: "PUSH 推送", api: "API 调用", verify: "VERIFY 验证" };

function pretty(text) {
  try {
    // Big ids must not pass through a float: only indent, never re-number.
    if (/^\s*[{[]/.test(text) && !/\d{16,}/.test(text)) return JSON.stringify(JSON.parse(text), null, 2);
  } catch { /* not JSON: shown as it is */ }
  return text.startsWith("<xml>") ? text.replaceAll(/></g, ">\n<") : text;
}

function part(list, title, text) {
  if (!text) return;
  const body = el("dd");
  body.append(el("pre", "", pretty(text)));
  list.append(el("dt", "", title), body);
}

function summaryOf(x) {
  if (x.kind !== "push") {
    const hit = /"msgtype":\s*"(\w+)"(?:[\s\S]*?"content":\s*"((?:[^"\\]|\\.)*)")?/.exec(x.outer || "");
    const path = x.url.split("?")[0].replace(/^\/cgi-bin\//, "").replace(/^message\//, "");
    return [path, hit?.[1], hit?.[2]].filter(Boolean).join(" · ");
  }
  const body = x.plain || x.outer || "";
  const field = (name) => {
    const hit = new RegExp(`"${name}":"((?:[^"\\\\]|\\\\.)*)"|<${name}><!\\[CDATA\\[([\\s\\S]*?)\\]\\]>`).exec(body);
    return hit ? (hit[1] ?? hit[2]) : "";
  };
  return [field("MsgType"), field("Event"), field("Content")].filter(Boolean).join(" · ");
}

function resultOf(x) {
  if (x.kind === "api") return x.status === 0 ? "cut" : x.code ? String(x.code) : x.status === 200 ? "ok" : `HTTP ${x.status}`;
  return x.err ? (x.status ? `HTTP ${x.status}` : "no answer") : `${(x.took_us / 1000).toFixed(1)} ms`;
}

function entry(x) {
  const box = el("details");
  const head = el("summary");
  const time = el("time", "", new Date(x.at).toLocaleTimeString("en-GB"));
  const good = !x.err && x.status === 200 && !x.code;
  head.append(time, el("span", `tag ${x.kind}`, kindText[x.kind] || x.kind), el("span", "what", summaryOf(x)),
    el("span", good ? "res" : "res bad", resultOf(x)));
  box.append(head);
  box.addEventListener("toggle", () => {
    if (!box.open || box.children.length > 1) return;
    const list = el("dl");
    part(list, "Request 请求", `${x.method} ${x.url}`);
    part(list, x.plain ? "Body as sent, encrypted 密文" : "Body 正文", x.outer);
    part(list, "Decrypted 明文", x.plain);
    part(list, x.status ? `Answer ${x.status} 应答` : "Answer 应答", x.answer || (x.err ? "" : "(empty)"));
    part(list, "Answer decrypted 应答明文", x.answer_plain);
    part(list, "Error 错误", x.err);
    box.append(list);
  });
  return box;
}

function draw(log, count) {
  const wanted = entries.filter((e) => !filter || e.x.kind === filter || (filter === "push" && e.x.kind === "verify"));
  log.replaceChildren(...wanted.map((e) => e.node));
  if (!wanted.length) log.append(el("div", "none", "No traffic yet 暂无报文"));
  count.textContent = entries.length ? `${wanted.length}` : "";
}

// addTraffic puts new entries on top and returns the newest number.
export function addTraffic(log, count, list, last) {
  for (const x of list) {
    if (x.seq <= last) continue;
    last = x.seq;
    entries.unshift({ x, node: entry(x) });
  }
  entries.length = Math.min(entries.length, kept);
  if (list.length || !log.children.length) draw(log, count);
  return last;
}

export function clearTraffic(log, count) {
  entries.length = 0;
  draw(log, count);
}

export function setFilter(kind, log, count) {
  filter = kind;
  draw(log, count);
}
