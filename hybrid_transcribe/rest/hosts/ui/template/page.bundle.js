// Built by `make build` from frontend/: edit there. After a merge or rebase, build again.
// frontend/page/kernel_messages.js sha256=0fa964c9c27a59e6af6600825b0337e02f617a952fcac1e047e6840329cf8a8b
var encoder = new TextEncoder();
var decoder = new TextDecoder();
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function pack(session2, type, content, buffers) {
  const header = {
    msg_id: newId(),
    msg_type: type,
    session: session2,
    username: "",
    version: "5.3",
    date: (/* @__PURE__ */ new Date()).toISOString()
  };
  const parts = [
    encoder.encode("shell"),
    ...[header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part))),
    ...buffers.map(bytesOf)
  ];
  const begin = 8 * (parts.length + 2);
  const packed = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, begin));
  const view = new DataView(packed.buffer);
  view.setBigUint64(0, BigInt(parts.length + 1), true);
  let offset = begin;
  parts.forEach((part, index) => {
    view.setBigUint64(8 * (index + 1), BigInt(offset), true);
    packed.set(part, offset);
    offset += part.byteLength;
  });
  view.setBigUint64(8 * (parts.length + 1), BigInt(offset), true);
  return packed;
}
function bytesOf(buffer) {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
function unpack(data) {
  const view = new DataView(data);
  const nOffsets = Number(view.getBigUint64(0, true));
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
      return Array.from({ length: nOffsets - 6 }, (_, index) => part(index + 5));
    }
  };
}

// frontend/page/page.js sha256=9fa815ce613dd31b67cbd443b799abfd1909a1a0415f21626122063ad345d46e
var words = jsonOf("words");
var { base, kernel, model: modelId } = jsonOf("kernel");
var PROTOCOL = "v1.kernel.websocket.jupyter.org";
var FIRST_RETRY_MS = 500;
var LONGEST_RETRY_MS = 8e3;
var SILENCE_MS = 1e4;
function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`No element ${id}`);
  return node;
}
function jsonOf(id) {
  return JSON.parse(byId(id).textContent);
}
function firstKnown(tags) {
  const codes = Object.keys(words);
  for (const tag of tags) {
    const match = codes.find((code) => code.slice(0, 2) === tag.slice(0, 2).toLowerCase());
    if (match) return match;
  }
  return "en";
}
var preferred = firstKnown(navigator.languages ?? [navigator.language]);
function speak(name) {
  const panel = document.querySelector(".ht-hud");
  const language = panel instanceof HTMLElement && panel.lang ? firstKnown([panel.lang]) : preferred;
  return words[language]?.[name] ?? words.en[name] ?? name;
}
function reloadButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = speak("reload");
  button.onclick = () => window.location.reload();
  return button;
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
  model.dispatch({ type: "connection", up: false }, []);
  if (!byId("loading").hidden) return void fail();
  const title = document.createElement("b");
  title.textContent = speak("gone");
  const hint = document.createElement("span");
  hint.textContent = speak("gone_hint");
  byId("gone").replaceChildren(title, hint, reloadButton());
  byId("gone").hidden = false;
}
var session = newId();
var socket = null;
var retryMs = FIRST_RETRY_MS;
var sentAt = null;
var waiting = [];
function send(data, buffers = []) {
  sentAt ??= performance.now();
  const message = pack(session, "comm_msg", { comm_id: modelId, data }, buffers);
  if (socket?.readyState === WebSocket.OPEN) socket.send(message);
  else waiting.push(message);
}
function connect() {
  if (isGone) return;
  const url = new URL(`${base}api/kernels/${kernel}/channels?session_id=${session}`, window.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const opened = new WebSocket(url, [PROTOCOL]);
  opened.binaryType = "arraybuffer";
  opened.onopen = () => {
    retryMs = FIRST_RETRY_MS;
    for (const message of waiting.splice(0)) opened.send(message);
    model.dispatch({ type: "connection", up: true }, []);
  };
  opened.onmessage = ({ data }) => receive(unpack(data));
  opened.onclose = reconnect;
  socket = opened;
}
async function reconnect() {
  if (isGone) return;
  model.dispatch({ type: "connection", up: false }, []);
  if (await isKernelThere()) {
    setTimeout(connect, retryMs);
    retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
  }
}
async function isKernelThere() {
  try {
    const response = await fetch(`${base}api/kernels/${kernel}`, { cache: "no-store" });
    if (response.status === 404) gone();
  } catch {
  }
  return !isGone;
}
setInterval(() => {
  if (sentAt === null || isGone || performance.now() - sentAt < SILENCE_MS) return;
  sentAt = performance.now();
  isKernelThere();
}, 2e3);
function receive(message) {
  sentAt = null;
  if (message.channel !== "iopub") return;
  if (message.type === "status") {
    const state = message.content.execution_state;
    if (state === "dead" || state === "restarting") gone();
  }
  if (message.type !== "comm_msg" && message.type !== "comm_close") return;
  const { comm_id: id, data } = message.content;
  if (id !== modelId) return;
  if (message.type === "comm_close") gone();
  else if (data.method === "custom") model.dispatch(data.content, message.buffers);
  else if (data.method === "update" && data.state._esm) start(data.state);
}
var model = {
  /** @type {Map<string, Set<Handler>>} */
  handlers: /* @__PURE__ */ new Map(),
  /**
   * @param {string} event
   * @param {Handler} handler
   */
  on(event, handler) {
    this.handlers.set(event, (this.handlers.get(event) ?? /* @__PURE__ */ new Set()).add(handler));
  },
  /**
   * @param {string} event
   * @param {Handler} handler
   */
  off(event, handler) {
    this.handlers.get(event)?.delete(handler);
  },
  /**
   * @param {object} content
   * @param {unknown} _callbacks
   * @param {(ArrayBuffer | ArrayBufferView)[]} [buffers]
   */
  send(content, _callbacks, buffers = []) {
    send({ method: "custom", content }, buffers);
  },
  /**
   * @param {object} content
   * @param {DataView[]} buffers
   */
  dispatch(content, buffers) {
    for (const handler of this.handlers.get("msg:custom") ?? []) handler(content, buffers);
  }
};
var isStarted = false;
async function start({ _esm, _css }) {
  if (isStarted) return;
  isStarted = true;
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
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
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
document.documentElement.lang = preferred;
byId("word").textContent = speak("loading");
byId("hint").textContent = speak("hint");
var about = document.getElementById("about");
if (about instanceof HTMLAnchorElement) {
  about.textContent = speak("about");
  new MutationObserver(() => {
    about.textContent = speak("about");
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
  if (token) about.search = new URLSearchParams({ token }).toString();
}
if (modelId) {
  send({ method: "request_state" });
  connect();
} else fail();
