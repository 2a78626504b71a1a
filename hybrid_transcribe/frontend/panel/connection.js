// The channel to the kernel: typed messages, responses that find their request, and its health.

/** @import { Done, Follow, FromKernel, FromPanel, Hello, Submitted } from "../messages" */

/**
 * A widget's model, as anywidget passes it.
 * @typedef {object} WidgetModel
 * @property {(event: string, handler: (message: any, buffers: DataView[]) => void) => void} on
 * @property {(event: string, handler: (message: any, buffers: DataView[]) => void) => void} off
 * @property {(message: FromPanel, callbacks: undefined, buffers: ArrayBuffer[]) => void} send
 */

/** @typedef {"connecting" | "up" | "waiting" | "down"} ChannelState */

/**
 * What went wrong, by code; `reason` is the code of the message.
 * @typedef {{ code: string, message: string, reason?: string, params?: Record<string, unknown> }} PanelError
 */

/** @typedef {{ type: "state", state: ChannelState, ended: boolean }} StateMessage */
/** @typedef {FromKernel | StateMessage} Message */
/** @typedef {Message["type"]} MessageType */
/** @template {MessageType} T @typedef {Extract<Message, { type: T }>} MessageOf */
/** @template {MessageType} T @typedef {(message: MessageOf<T>, buffers: DataView[]) => void} Handler */

/** A message that is answered, before it has its number. @typedef {FromPanel extends infer M ?
 *   M extends { ref: number } ? Omit<M, "ref"> : never : never} Request */

/**
 * A request without its response yet; `before` when the latest hello came after it.
 * @typedef {{ respond: (response: Submitted | Done) => void, fail: (error: PanelError) => void,
 *   before: boolean }} Pending
 */

/** @typedef {ReturnType<typeof connect>} Channel */

// So long (ms) without any response means that the kernel is busy or gone.
const PATIENCE_MS = 8_000;
const FIRST_HELLO_AGAIN_MS = 10_000;

// So long (ms) without a message, while something should change, and we greet.
const QUIET_MS = 10_000;

/**
 * Opens the channel over a widget's model.
 * @param {WidgetModel} model
 * @param {() => Hello} hello  makes the first message
 * @param {() => boolean} moves  is there something that changes by itself, so that silence is no
 *   good sign?
 */
export function connect(model, hello, moves) {
  /** @type {Map<string, Set<Handler<any>>>} */
  const handlers = new Map();
  /** @type {Map<number, Pending>} */
  const requests = new Map();
  /** @type {ChannelState} */
  let state = "connecting";
  // Pages that show one widget get each other's responses: each counts from a place of its own.
  let lastRef = Math.floor(Math.random() * 2 ** 40);
  /** @type {number | null} */
  let sentAt = null;
  let receivedAt = performance.now();
  let helloWait = FIRST_HELLO_AGAIN_MS;
  /** @type {number | undefined} */
  let helloTimer;
  let welcomed = false;
  // The notebook closed the channel for good: its kernel is gone, or began anew.
  let ended = false;

  /** @param {ChannelState} next */
  function turn(next) {
    if (next === state) return;
    state = next;
    if (next === "down") giveUp(() => true);
    dispatch({ type: "state", state, ended });
  }

  /**
   * @param {Message} message
   * @param {DataView[]} [buffers]
   */
  function dispatch(message, buffers = []) {
    for (const handler of handlers.get(message.type) ?? []) handler(message, buffers);
  }

  /** @param {MessageOf<"submitted" | "done" | "problem">} message */
  function settle(message) {
    if (message.ref === null) return false;
    const request = requests.get(message.ref);
    if (!request) return false;
    requests.delete(message.ref);
    if (message.type === "problem") request.fail(message.error);
    else request.respond(message);
    return true;
  }

  /**
   * A response that was on its way when the channel broke comes no more.
   * @param {(request: Pending) => boolean} isLost
   */
  function giveUp(isLost) {
    for (const [ref, request] of [...requests]) {
      if (!isLost(request)) continue;
      requests.delete(ref);
      request.fail({ code: "panel.no_answer", message: "" });
    }
  }

  // Notebooks say it of channels that end, and of no others.
  function end() {
    ended = true;
    clearTimeout(helloTimer);
    if (state === "down") dispatch({ type: "state", state, ended });
    else turn("down");
  }

  /**
   * @param {FromKernel} message
   * @param {DataView[]} [buffers]
   */
  function receive(message, buffers = []) {
    if (typeof message?.type !== "string") return;
    sentAt = null;
    receivedAt = performance.now();
    if (message.type === "welcome") {
      clearTimeout(helloTimer);
      helloTimer = undefined;
      helloWait = FIRST_HELLO_AGAIN_MS;
      welcomed = true;
      // What was asked before that hello is answered before its welcome, or never.
      giveUp((request) => request.before);
    }
    if (message.type === "connection") turn(message.up ? "up" : "down");
    else if (state !== "down" && welcomed) turn("up");
    if (message.type === "submitted" || message.type === "done") settle(message);
    if (message.type === "problem" && settle(message)) return;
    dispatch(message, buffers);
  }

  /**
   * @param {FromPanel} message
   * @param {ArrayBuffer | null} [buffer]
   */
  function send(message, buffer = null) {
    if (ended) return;
    sentAt ??= performance.now();
    model.send(message, undefined, buffer ? [buffer] : []);
  }

  // A kernel that is still busy with a cell answers late, one that was not ready never.
  function greet() {
    clearTimeout(helloTimer);
    for (const request of requests.values()) request.before = true;
    send(hello());
    helloTimer = setTimeout(greet, helloWait);
    helloWait *= 2;
  }

  function feelPulse() {
    if (state === "down") return;
    const now = performance.now();
    if (sentAt === null) {
      // Nobody may be there any more, and nothing else would show it.
      if (now - receivedAt > QUIET_MS && moves()) greet();
    } else if (now - sentAt > PATIENCE_MS) {
      turn("waiting");
      // A notebook mends its channel without a word to us: what was on its way is lost.
      if (helloTimer === undefined) greet();
    }
  }
  const pulse = setInterval(feelPulse, 1_000);

  const nextRef = () => (lastRef += 1);

  model.on("msg:custom", receive);
  model.on("comm_live_update", end);
  return {
    get state() {
      return state;
    },
    greet,
    send,
    /** A number for a request of one's own. */
    nextRef,
    /**
     * Promises the response; fails with a PanelError, `panel.no_answer` if none came.
     * @param {Request} message
     * @returns {Promise<Submitted | Done>}
     */
    request(message) {
      const ref = nextRef();
      return new Promise((respond, fail) => {
        requests.set(ref, { respond, fail, before: false });
        send(/** @type {FromPanel} */ ({ ...message, ref }));
        if (ended) giveUp(() => true);
      });
    },
    /**
     * Calls `handler` for messages of a type; returns what ends that.
     * @template {MessageType} T
     * @param {T} type
     * @param {Handler<T>} handler
     */
    on(type, handler) {
      const ofType = handlers.get(type) ?? new Set();
      handlers.set(type, ofType.add(handler));
      return () => void ofType.delete(handler);
    },
    close() {
      clearInterval(pulse);
      clearTimeout(helloTimer);
      model.off("msg:custom", receive);
      model.off("comm_live_update", end);
    },
  };
}
