// The line to the kernel: typed messages, answers that find their question, and its health.

// So long (ms) without any answer means that the kernel is busy or gone.
const PATIENCE_MS = 8_000;
const FIRST_HELLO_AGAIN_MS = 10_000;

// So long (ms) without a word, while there is something to tell, and we ask.
const QUIET_MS = 10_000;

/**
 * Opens the line over a widget's model. `hello` makes the first message; `moves` says whether
 * there is something that changes by itself, so that silence is no good sign.
 */
export function connect(model, hello, moves) {
  const handlers = new Map();
  const questions = new Map();
  let state = "connecting";
  // Pages that show one widget hear each other's answers: each counts from a place of its own.
  let lastRef = Math.floor(Math.random() * 2 ** 40);
  let askedAt = null;
  let heardAt = performance.now();
  let helloWait = FIRST_HELLO_AGAIN_MS;
  let helloTimer = null;
  let welcomed = false;
  // The notebook closed the line for good: its kernel is gone, or began anew.
  let ended = false;

  function turn(next) {
    if (next === state) return;
    state = next;
    if (next === "down") giveUp(() => true);
    tell("state", { state, ended });
  }

  function tell(type, message, buffers = []) {
    for (const handler of handlers.get(type) ?? []) handler(message, buffers);
  }

  function settle(message) {
    const question = questions.get(message.ref);
    if (!question) return false;
    questions.delete(message.ref);
    if (message.type === "problem") question.fail(message.error);
    else question.answer(message);
    return true;
  }

  // An answer that was on its way when the line broke comes no more.
  function giveUp(lost) {
    for (const [ref, question] of [...questions]) {
      if (!lost(question)) continue;
      questions.delete(ref);
      question.fail({ code: "panel.no_answer", message: "" });
    }
  }

  // Notebooks say it of lines that end, and of no others.
  function end() {
    ended = true;
    clearTimeout(helloTimer);
    if (state === "down") tell("state", { state, ended });
    else turn("down");
  }

  function hear(message, buffers) {
    if (typeof message?.type !== "string") return;
    askedAt = null;
    heardAt = performance.now();
    if (message.type === "welcome") {
      clearTimeout(helloTimer);
      helloTimer = null;
      helloWait = FIRST_HELLO_AGAIN_MS;
      welcomed = true;
      // What was asked before that hello is answered before its welcome, or never.
      giveUp((question) => question.before);
    }
    if (message.type === "connection") turn(message.up ? "up" : "down");
    else if (state !== "down" && welcomed) turn("up");
    if (message.type === "submitted" || message.type === "done") settle(message);
    if (message.type === "problem" && settle(message)) return;
    tell(message.type, message, buffers ?? []);
  }

  function send(message, buffer = null) {
    if (ended) return;
    askedAt ??= performance.now();
    model.send(message, undefined, buffer ? [buffer] : []);
  }

  // A kernel that is still busy with a cell answers late, one that was not ready never.
  function greet() {
    clearTimeout(helloTimer);
    for (const question of questions.values()) question.before = true;
    send(hello());
    helloTimer = setTimeout(greet, helloWait);
    helloWait *= 2;
  }

  function feelPulse() {
    if (state === "down") return;
    const now = performance.now();
    if (askedAt === null) {
      // Nobody may be there any more, and nothing else would tell.
      if (now - heardAt > QUIET_MS && moves()) greet();
    } else if (now - askedAt > PATIENCE_MS) {
      turn("waiting");
      // A notebook mends its line without a word to us: what was on its way is lost.
      if (helloTimer === null) greet();
    }
  }
  const pulse = setInterval(feelPulse, 1_000);

  model.on("msg:custom", hear);
  model.on("comm_live_update", end);
  return {
    get state() {
      return state;
    },
    greet,
    send,
    /** A number for a question of one's own. */
    ref: () => (lastRef += 1),
    /** Asks, and promises the answer; fails with `{code, message}`, `panel.no_answer` if none came. */
    ask(message) {
      const ref = this.ref();
      return new Promise((answer, fail) => {
        questions.set(ref, { answer, fail, before: false });
        send({ ...message, ref });
        if (ended) giveUp(() => true);
      });
    },
    on(type, handler) {
      if (!handlers.has(type)) handlers.set(type, new Set());
      handlers.get(type).add(handler);
      return () => handlers.get(type).delete(handler);
    },
    close() {
      clearInterval(pulse);
      clearTimeout(helloTimer);
      model.off("msg:custom", hear);
      model.off("comm_live_update", end);
    },
  };
}
