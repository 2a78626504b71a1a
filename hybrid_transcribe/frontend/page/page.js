// The page's end of the channel to its kernel: one websocket, one widget, and no library of either.

import { newId, pack, unpack } from "./kernel_messages.js";

/** @import { KernelMessage } from "./kernel_messages.js" */

/** @typedef {(content: any, buffers: DataView[]) => void} Handler */

/** By language. @type {Record<string, Record<string, string>>} */
const words = jsonOf("words");
/** @type {{ base: string, kernel: string, model: string | null }} */
const { base, kernel, model: modelId } = jsonOf("kernel");

const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;
// Something was sent, and so long nothing came: is the kernel still there?
const SILENCE_MS = 10_000;

// ---------------------------------------------------------------------------- what people see

/**
 * An element of the page's document.
 * @param {string} id
 */
function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`No element ${id}`);
  return node;
}

/** @param {string} id */
function jsonOf(id) {
  return JSON.parse(byId(id).textContent);
}

/**
 * The first of some languages that the page has words in, else English.
 * @param {readonly string[]} tags
 */
function firstKnown(tags) {
  const codes = Object.keys(words);
  for (const tag of tags) {
    const match = codes.find((code) => code.slice(0, 2) === tag.slice(0, 2).toLowerCase());
    if (match) return match;
  }
  return "en";
}

const preferred = firstKnown(navigator.languages ?? [navigator.language]);

/** @param {string} name */
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

let isGone = false;

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

// --------------------------------------------------------------------------------- the channel

const session = newId();
/** @type {WebSocket | null} */
let socket = null;
let retryMs = FIRST_RETRY_MS;
/** @type {number | null} */
let sentAt = null;
/**
 * What is sent while the channel is down goes when it is up.
 * @type {Uint8Array<ArrayBuffer>[]}
 */
const waiting = [];

/**
 * @param {object} data
 * @param {(ArrayBuffer | ArrayBufferView)[]} [buffers]
 */
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

/** False once the kernel is known to be no more; a server that does not answer may come back. */
async function isKernelThere() {
  try {
    const response = await fetch(`${base}api/kernels/${kernel}`, { cache: "no-store" });
    if (response.status === 404) gone();
  } catch {
    // The network, or the server, is away for now.
  }
  return !isGone;
}

setInterval(() => {
  if (sentAt === null || isGone || performance.now() - sentAt < SILENCE_MS) return;
  sentAt = performance.now();
  isKernelThere();
}, 2_000);

/** @param {KernelMessage} message */
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

// ---------------------------------------------------------------------------------- the widget

const model = {
  /** @type {Map<string, Set<Handler>>} */
  handlers: new Map(),
  /**
   * @param {string} event
   * @param {Handler} handler
   */
  on(event, handler) {
    this.handlers.set(event, (this.handlers.get(event) ?? new Set()).add(handler));
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
  },
};

let isStarted = false;

/** @param {{ _esm: string, _css?: string }} state */
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

// The kernel goes with its page; jobs are elsewhere and go on.
window.addEventListener("pagehide", () => {
  const form = new FormData();
  form.append("_xsrf", document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] ?? "");
  navigator.sendBeacon(`${base}voila/api/shutdown/${kernel}`, form);
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

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

document.documentElement.lang = preferred;
byId("word").textContent = speak("loading");
byId("hint").textContent = speak("hint");
const about = document.getElementById("about");
if (about instanceof HTMLAnchorElement) {
  about.textContent = speak("about");
  // The panel sets the page's language when its reader chooses another.
  new MutationObserver(() => {
    about.textContent = speak("about");
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
  // Whoever came with the server's token takes it along.
  if (token) about.search = new URLSearchParams({ token }).toString();
}
if (modelId) {
  send({ method: "request_state" });
  connect();
} else fail();
