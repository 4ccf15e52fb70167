// The page of the simulator: a person plays the customer. All addresses are relative, so that it works below any path.
import { addTraffic, clearTraffic, setFilter } from "./traffic.js";
import { el, renderChat } from "./chat.js";

const $ = (id) => document.getElementById(id);
const accounts = [];
let view = null; // {account, name}
let since = 0;
let lastTraffic = 0;
let stop = new AbortController();
let clockGap = 0; // the platform's clock minus ours
let windowState = { limit: 0, used: 0, until: null };
let typingUntil = 0;

async function ask(path, options) {
  const res = await fetch(path, options);
  const body = await res.json();
  if (!res.ok) throw new Error(body.error || `HTTP ${res.status}`);
  return body;
}

const post = (path, body) => ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

let toastTimer;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

async function act(action, more = {}) {
  if (!view) return;
  try {
    const done = await post("sim/act", { app: view.account.app_id, name: view.name, action, ...more });
    const problem = done.deliveries.map((d) => d.problem).find(Boolean);
    if (problem) toast(`The platform ignored the answer 平台忽略了应答: ${problem}`);
    else if (action === "visit") toast("Visited 已打开小程序");
    else if (done.skipped) toast("This channel does not push that 此渠道不支持");
  } catch (err) {
    toast(err.message);
  }
}

const ask4 = (label, value) => { const text = prompt(label, value); return text === null ? null : { text }; };
const quick = {
  miniprogram: [
    ["Visit 打开小程序", () => act("visit")],
    ["Enter 进入", () => act("enter", { text: "page=goods&id=1" })],
    ["Card 小程序卡片", () => act("card", { text: "Blue kettle 蓝色水壶" })],
  ],
  official: [
    ["Follow 关注", () => act("follow")],
    ["Scan 扫码", () => act("scan", { text: "store-12" })],
    ["Menu click 菜单", () => act("click", { text: "CONTACT_US" })],
    ["Location 位置", () => act("location", { text: "People's Square 人民广场" })],
    ["Unfollow 取关", () => act("unfollow")],
  ],
};

function drawQuick() {
  const list = quick[view.account.channel].concat([
    ["Long text 长文本", () => { const more = ask4("Text 文本", "你好，".repeat(20)); if (more) act("say", more); }],
    ["Tool accepts 官方接入", () => act("tool-accept")],
    ["Tool writes 官方发言", () => { const more = ask4("Text of the tool's agent 官方客服发言", "您好，我是官方客服"); if (more) act("tool-say", more); }],
    ["Tool closes 官方结束", () => act("tool-close")],
  ]);
  $("quick").replaceChildren(...list.map(([label, run]) => {
    const button = el("button", "", label);
    button.type = "button";
    button.addEventListener("click", run);
    return button;
  }));
}

const faults = [
  ["lost-answer", "Lost answer 丢失应答"], ["status", "502"], ["html", "HTML body"], ["slow", "Slow 8 s"], ["refuse", "Closed connection"],
  ["code", "-1 busy", -1], ["code", "45011 rate", 45011], ["code", "45015 window", 45015], ["code", "45047 count", 45047],
  ["expire-tokens", "Expire tokens 令牌过期"], ["revoke-tokens", "Revoke tokens 令牌失效"], ["drop-media", "Drop media 清空素材"],
  ["risky-word", "Risky word 违规词", 0, "Word that the content check finds risky 违规词"],
  ["review-word", "Word to review 复核词", 0, "Word that the content check wants reviewed 复核词"],
  ["duplicate", "Pushes × 3 重复推送"], ["lose-push-answers", "Retry pushes 重试推送"], ["reorder", "Reorder pushes 乱序推送"], ["clear", "Clear all 清除"],
];

function drawFaults() {
  $("faultbuttons").replaceChildren(...faults.map(([kind, label, code, question]) => {
    const button = el("button", kind === "clear" ? "clear" : "", label);
    button.type = "button";
    button.addEventListener("click", async () => {
      const more = question ? ask4(question, "") : {};
      if (!more) return;
      try {
        await post("sim/fault", { app: view.account.app_id, kind, code: code || 0, ...more });
        toast(kind === "clear" ? "All cleared 已清除" : `${label}: armed 已生效`);
      } catch (err) {
        toast(err.message);
      }
    });
    return button;
  }));
}

function left(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min ${two(s % 60)} s` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

function drawWindow() {
  $("typing").hidden = typingUntil <= Date.now() + clockGap;
  const w = windowState;
  const rest = w.until === null ? 0 : w.until - (Date.now() + clockGap);
  const open = w.limit > 0 && rest > 0;
  const spent = open && w.used >= w.limit;
  $("window").className = `window ${open ? (spent ? "used" : "open") : "closed"}`;
  const dots = open ? w.limit : 5;
  $("dots").replaceChildren(...Array.from({ length: dots }, (_, i) => el("i", i < w.used ? "spent" : "")));
  $("wmain").textContent = open
    ? (spent ? `Used up 额度用完 ${w.used}/${w.limit}` : `Window open 窗口开放 · ${w.used}/${w.limit} used`)
    : "Window closed 窗口关闭";
  $("wsub").textContent = open ? `ends in 剩余 ${left(rest)}` : "the account can't write 商家无法发送消息";
}

function drawState(state) {
  clockGap = state.now - Date.now();
  windowState = state.window;
  typingUntil = state.typing_until;
  drawWindow();
  renderChat($("lines"), state.items, view, act);
  $("tool").hidden = !state.tool;
  const agent = state.tool_agent ? ` · ${state.tool_agent}` : "";
  const back = ` · until 至 ${new Date(state.tool_until).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
  $("tool").textContent = (state.tool === "serving" ? "Platform's tool 官方客服" : "Queued in the tool 排队中") + agent + back;
  $("faultlines").replaceChildren(...state.faults.map((text) => el("li", "", text)));
  const codes = Object.entries(state.refused);
  const lines = codes.length ? [`Refused sends 被拒 ${codes.map(([c, n]) => `${c} × ${n}`).join(", ")}`] : [];
  if (state.bad_replies) lines.push(`Answers to pushes that were wrong 应答有误 × ${state.bad_replies}`);
  $("refusals").textContent = lines.join(" · ");
  lastTraffic = addTraffic($("log"), $("count"), state.traffic, lastTraffic);
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// follow shows one customer until another is chosen; each answer comes when something has changed.
async function follow() {
  stop.abort();
  const mine = stop = new AbortController();
  since = 0;
  while (!mine.signal.aborted) {
    try {
      const query = new URLSearchParams({ app: view.account.app_id, name: view.name, since, traffic: lastTraffic });
      const state = await ask(`sim/state?${query}`, { signal: mine.signal });
      if (mine.signal.aborted) return;
      since = state.version;
      drawState(state);
      await pause(120);
    } catch {
      if (mine.signal.aborted) return;
      $("wsub").textContent = "connection lost, trying again 重新连接中…";
      await pause(1500);
    }
  }
}

function choose() {
  const account = accounts[$("account").selectedIndex];
  const name = $("name").value.trim();
  if (!account || !name) return;
  if (!view || view.account !== account) {
    lastTraffic = 0;
    clearTraffic($("log"), $("count"));
  }
  view = { account, name };
  $("names").replaceChildren(...account.customers.map((n) => { const o = el("option"); o.value = n; return o; }));
  try { localStorage.setItem("kefu-simulator", JSON.stringify({ app: account.app_id, name })); } catch { /* private mode */ }
  drawQuick();
  follow();
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function wire() {
  $("account").addEventListener("change", choose);
  $("name").addEventListener("change", choose);
  $("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    const text = $("text").value;
    if (!text.trim()) return;
    $("text").value = "";
    $("lines").scrollTop = $("lines").scrollHeight;
    act("say", { text });
  });
  $("text").addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      $("composer").requestSubmit();
    }
  });
  $("pick").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", async () => {
    const file = $("file").files[0];
    $("file").value = "";
    if (!file) return;
    if (file.size > 2 * 1024 * 1024) { toast("At most 2 MB 图片不能超过 2 MB"); return; }
    act("image", { data: await base64(file) });
  });
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab === document.body) continue;
    tab.addEventListener("click", () => {
      document.body.dataset.tab = tab.dataset.tab;
      for (const other of document.querySelectorAll(".tabs button")) other.setAttribute("aria-pressed", String(other === tab));
    });
  }
  for (const button of $("filters").children) {
    button.addEventListener("click", () => {
      for (const other of $("filters").children) other.setAttribute("aria-pressed", String(other === button));
      setFilter(button.dataset.kind, $("log"), $("count"));
    });
  }
  document.body.dataset.tab = "chat";
  setInterval(drawWindow, 1000);
}

async function start() {
  wire();
  drawFaults();
  accounts.push(...(await ask("sim/accounts")).accounts);
  const label = { miniprogram: "MP 小程序", official: "OA 公众号" };
  $("account").replaceChildren(...accounts.map((a) => el("option", "", `${a.name} · ${label[a.channel]} · ${a.mode}, ${a.format}`)));
  let saved = {};
  try { saved = JSON.parse(localStorage.getItem("kefu-simulator")) || {}; } catch { /* private mode */ }
  const at = accounts.findIndex((a) => a.app_id === saved.app);
  $("account").selectedIndex = at < 0 ? 0 : at;
  $("name").value = saved.name || "Li Na 李娜";
  if (accounts.length) choose();
  else $("wsub").textContent = "no account is set up 没有账号";
}

start().catch((err) => toast(err.message));
