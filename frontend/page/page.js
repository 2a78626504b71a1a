// The page's end of the line to its kernel: one websocket, one widget, and no library of either.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const words = read("words");
const { base, kernel, model: modelId } = read("told");

const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;
// Asked, and so long without any word: is the kernel still there?
const SILENCE_MS = 10_000;

// ------------------------------------------------------------------------------ what is shown

const byId = (id) => document.getElementById(id);

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

let isGone = false;

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

// ---------------------------------------------------------------------- messages of the kernel

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A random id, also where the page has no secure context. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const session = newId();

/** A number of parts, where each begins and the last ends, and the parts. */
function pack(type, content, buffers) {
  const header = {
    msg_id: newId(), msg_type: type, session, username: "", version: "5.3",
    date: new Date().toISOString(),
  };
  const parts = [
    encoder.encode("shell"),
    ...[header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part))),
    ...buffers.map((one) => new Uint8Array(one.buffer ?? one, one.byteOffset ?? 0, one.byteLength)),
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
    },
  };
}

// ------------------------------------------------------------------------------------ the line

let socket = null;
let retryMs = FIRST_RETRY_MS;
let askedAt = null;
// What is said while the line is down is said when it is up.
const waiting = [];

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

/** False once the kernel is known to be no more; a server that does not answer may come back. */
async function look() {
  try {
    const answer = await fetch(`${base}api/kernels/${kernel}`, { cache: "no-store" });
    if (answer.status === 404) gone();
  } catch {
    // The network, or the server, is away for now.
  }
  return !isGone;
}

setInterval(() => {
  if (askedAt === null || isGone || performance.now() - askedAt < SILENCE_MS) return;
  askedAt = performance.now();
  look();
}, 2_000);

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

// ---------------------------------------------------------------------------------- the widget

const model = {
  handlers: new Map(),
  on(name, handler) {
    if (!this.handlers.has(name)) this.handlers.set(name, new Set());
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
  },
};

let started = false;

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

// The kernel goes with its page; jobs are elsewhere and go on.
window.addEventListener("pagehide", () => {
  const form = new FormData();
  form.append("_xsrf", document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] ?? "");
  navigator.sendBeacon(`${base}voila/api/shutdown/${kernel}`, form);
});
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

// Who misses the place for files by a little does not mean to leave the page.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const { dataTransfer } = event;
  if (!dataTransfer?.types.includes("Files")) return;
  document.querySelector(".ht-drop")?.dispatchEvent(new DragEvent("drop", { dataTransfer }));
});

// The server's token is for whoever started it: not for the history, nor for a link that is shared.
const address = new URL(window.location.href);
const token = address.searchParams.get("token");
if (token !== null) {
  address.searchParams.delete("token");
  window.history.replaceState(window.history.state, "", address);
}

document.documentElement.lang = navigator.language?.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
byId("word").textContent = speak("loading");
byId("hint").textContent = speak("hint");
const about = byId("about");
if (about) {
  about.textContent = speak("about");
  // The panel sets the page's language when its reader chooses another.
  new MutationObserver(() => {
    about.textContent = speak("about");
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
  // Whoever came with the server's token takes it along.
  if (token) about.search = new URLSearchParams({ token }).toString();
}
if (modelId) {
  say({ method: "request_state" });
  connect();
} else fail();
