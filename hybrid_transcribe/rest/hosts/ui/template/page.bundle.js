// Built by `make build` from frontend/: edit there. After a merge or rebase, build again.
// frontend/page/page.js sha256=0b3393fcdc1d8feaa53442ba170ab5efc1ff3802e2ead102d800ddbb2e0e9c2e
var read = (id) => JSON.parse(document.getElementById(id).textContent);
var words = read("words");
var { base, kernel, model: modelId } = read("told");
var PROTOCOL = "v1.kernel.websocket.jupyter.org";
var FIRST_RETRY_MS = 500;
var LONGEST_RETRY_MS = 8e3;
var SILENCE_MS = 1e4;
var byId = (id) => document.getElementById(id);
function speak(name) {
  const chosen = document.querySelector(".ht-hud")?.lang || navigator.language || "en";
  return words[name][chosen.toLowerCase().startsWith("pt") ? "pt" : "en"];
}
function reloadButton() {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = speak("reload");
  made.onclick = () => window.location.reload();
  return made;
}
function fail() {
  const loading = byId("loading");
  loading.classList.add("still");
  byId("word").textContent = speak("failed");
  byId("hint").textContent = speak("failed_hint");
  loading.append(reloadButton());
}
var isGone = false;
function gone() {
  if (isGone) return;
  isGone = true;
  socket?.close();
  model.hear({ type: "connection", up: false }, []);
  if (!byId("loading").hidden) return void fail();
  const title = document.createElement("b");
  title.textContent = speak("gone");
  const hint = document.createElement("span");
  hint.textContent = speak("gone_hint");
  byId("gone").replaceChildren(title, hint, reloadButton());
  byId("gone").hidden = false;
}
var encoder = new TextEncoder();
var decoder = new TextDecoder();
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
var session = newId();
function pack(type, content, buffers) {
  const header = {
    msg_id: newId(),
    msg_type: type,
    session,
    username: "",
    version: "5.3",
    date: (/* @__PURE__ */ new Date()).toISOString()
  };
  const parts = [
    encoder.encode("shell"),
    ...[header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part))),
    ...buffers.map((one) => new Uint8Array(one.buffer ?? one, one.byteOffset ?? 0, one.byteLength))
  ];
  const begin = 8 * (parts.length + 2);
  const packed = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, begin));
  const view = new DataView(packed.buffer);
  view.setBigUint64(0, BigInt(parts.length + 1), true);
  let at = begin;
  parts.forEach((part, index) => {
    view.setBigUint64(8 * (index + 1), BigInt(at), true);
    packed.set(part, at);
    at += part.byteLength;
  });
  view.setBigUint64(8 * (parts.length + 1), BigInt(at), true);
  return packed;
}
function unpack(data) {
  const view = new DataView(data);
  const count = Number(view.getBigUint64(0, true));
  const offset = (index) => Number(view.getBigUint64(8 * (index + 1), true));
  const part = (index) => new DataView(data, offset(index), offset(index + 1) - offset(index));
  const json = (index) => JSON.parse(decoder.decode(part(index)));
  return {
    channel: decoder.decode(part(0)),
    type: json(1).msg_type,
    get content() {
      return json(4);
    },
    get buffers() {
      return Array.from({ length: count - 6 }, (_, index) => part(index + 5));
    }
  };
}
var socket = null;
var retryMs = FIRST_RETRY_MS;
var askedAt = null;
var waiting = [];
function say(data, buffers = []) {
  askedAt ??= performance.now();
  const message = pack("comm_msg", { comm_id: modelId, data }, buffers);
  if (socket?.readyState === WebSocket.OPEN) socket.send(message);
  else waiting.push(message);
}
function connect() {
  if (isGone) return;
  const url = new URL(`${base}api/kernels/${kernel}/channels?session_id=${session}`, window.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url, [PROTOCOL]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    retryMs = FIRST_RETRY_MS;
    for (const message of waiting.splice(0)) socket.send(message);
    model.hear({ type: "connection", up: true }, []);
  };
  socket.onmessage = ({ data }) => hear(unpack(data));
  socket.onclose = again;
}
async function again() {
  if (isGone) return;
  model.hear({ type: "connection", up: false }, []);
  if (await look()) {
    setTimeout(connect, retryMs);
    retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
  }
}
async function look() {
  try {
    const answer = await fetch(`${base}api/kernels/${kernel}`, { cache: "no-store" });
    if (answer.status === 404) gone();
  } catch {
  }
  return !isGone;
}
setInterval(() => {
  if (askedAt === null || isGone || performance.now() - askedAt < SILENCE_MS) return;
  askedAt = performance.now();
  look();
}, 2e3);
function hear(message) {
  askedAt = null;
  if (message.channel !== "iopub") return;
  if (message.type === "status") {
    const state = message.content.execution_state;
    if (state === "dead" || state === "restarting") gone();
  }
  if (message.type !== "comm_msg" && message.type !== "comm_close") return;
  const { comm_id: id, data } = message.content;
  if (id !== modelId) return;
  if (message.type === "comm_close") gone();
  else if (data.method === "custom") model.hear(data.content, message.buffers);
  else if (data.method === "update" && data.state._esm) start(data.state);
}
var model = {
  handlers: /* @__PURE__ */ new Map(),
  on(name, handler) {
    if (!this.handlers.has(name)) this.handlers.set(name, /* @__PURE__ */ new Set());
    this.handlers.get(name).add(handler);
  },
  off(name, handler) {
    this.handlers.get(name)?.delete(handler);
  },
  send(content, _callbacks, buffers = []) {
    say({ method: "custom", content }, buffers);
  },
  hear(content, buffers) {
    for (const handler of this.handlers.get("msg:custom") ?? []) handler(content, buffers);
  }
};
var started = false;
async function start({ _esm, _css }) {
  if (started) return;
  started = true;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(_css ?? "");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const url = URL.createObjectURL(new Blob([_esm], { type: "text/javascript" }));
    const widget = await (await import(url)).default();
    URL.revokeObjectURL(url);
    await widget.initialize({ model });
    await widget.render({ model, el: byId("panel") });
    byId("loading").hidden = true;
  } catch (error) {
    console.error(error);
    fail();
  }
}
window.addEventListener("pagehide", () => {
  const form = new FormData();
  form.append("_xsrf", document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] ?? "");
  navigator.sendBeacon(`${base}voila/api/shutdown/${kernel}`, form);
});
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const { dataTransfer } = event;
  if (!dataTransfer?.types.includes("Files")) return;
  document.querySelector(".ht-drop")?.dispatchEvent(new DragEvent("drop", { dataTransfer }));
});
var address = new URL(window.location.href);
var token = address.searchParams.get("token");
if (token !== null) {
  address.searchParams.delete("token");
  window.history.replaceState(window.history.state, "", address);
}
document.documentElement.lang = navigator.language?.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
byId("word").textContent = speak("loading");
byId("hint").textContent = speak("hint");
var about = byId("about");
if (about) {
  about.textContent = speak("about");
  new MutationObserver(() => {
    about.textContent = speak("about");
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
  if (token) about.search = new URLSearchParams({ token }).toString();
}
if (modelId) {
  say({ method: "request_state" });
  connect();
} else fail();
