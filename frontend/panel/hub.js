// All of a panel but its looks: the line, what is known, and what people can do.

import { connect } from "./connection.js";
import { createDownloads, saveBlob } from "./downloads.js";
import { preferredLanguage } from "./i18n.js";
import { GROUPS } from "./listing.js";
import { keywords } from "./options.js";
import { recall, recallSession, remember, rememberSession } from "./session.js";
import { createStore } from "./store.js";
import { createUploads, randomId, recordingsAmong } from "./uploads.js";

const HOW = "hybrid-transcribe.choices";
const AT_ONCE = "hybrid-transcribe.at-once";

const NOTHING_CHOSEN = {
  engine: "", model: "", device: "auto", language: "", task: "transcribe", word_timestamps: false,
};

/** Opens what all views of one widget share. */
export function openHub(model) {
  const store = createStore({
    language: preferredLanguage(),
    line: "connecting",
    // The line ended for good: only running the cell again makes another.
    ended: false,
    welcome: null,
    choices: null,
    rows: new Map(),
    order: [],
    othersAhead: 0,
    uploads: [],
    // The job that is made as soon as its files are here: what was chosen when it was asked for.
    armed: null,
    how: { ...NOTHING_CHOSEN, ...remembered(), options: {} },
    atOnce: recall(AT_ONCE) === "yes",
    followed: null,
    notices: [],
    models: new Map(),
    said: "",
  });
  let clockSkewMs = 0;
  let lastNotice = 0;
  // The job just made: its first recording is shown, unless something else is.
  let newJob = null;

  const line = connect(model, () => ({
    type: "hello",
    session_id: recallSession(),
    language: store.get("language"),
  }), somethingMoves);
  const downloads = createDownloads(line);
  const uploads = createUploads(line, () => {
    store.set({ uploads: uploads.items });
    sendArmed();
  });

  const listeners = {
    state: ({ state, ended }) => {
      const was = store.get("line");
      store.set({ ended, line: state });
      // What was told meanwhile may be lost: all is asked for anew, and files go on from there.
      if (was === "down" && state === "up") line.greet();
    },
    welcome(message) {
      clockSkewMs = message.now * 1000 - Date.now();
      if (message.session_id) rememberSession(message.session_id);
      store.set({ welcome: message });
      uploads.setRules(message);
      const followed = store.get("followed");
      if (followed) line.send({ type: "follow", ...followed.ids });
    },
    choices: (message) => store.set({ choices: message }),
    rows: takeRows,
    text: takeText,
    upload_at: uploads.onAt,
    upload_failed: uploads.onFailed,
    model_told: takeModel,
    notice({ code, message, over }) {
      if (over) store.set({ notices: store.get("notices").filter((one) => one.error.code !== code) });
      else notify("warning", { code, message }, "notice");
    },
    problem({ ref, error }) {
      if (ref === null || !downloads.owns(ref)) notify("error", error);
    },
  };
  for (const [type, listener] of Object.entries(listeners)) line.on(type, listener);

  function somethingMoves() {
    return [...store.get("rows").values()].some((row) => GROUPS.active.has(row.state));
  }

  function takeRows({ rows, gone, order, reset, others_ahead }) {
    const known = store.get("rows");
    if (reset) known.clear();
    const heardAt = performance.now();
    for (const row of rows) known.set(row.id, { ...row, heardAt });
    for (const id of gone) known.delete(id);
    let ids = order ?? store.get("order").filter((id) => known.has(id));
    if (!order) {
      const there = new Set(ids);
      ids = [...ids, ...rows.map((row) => row.id).filter((id) => !there.has(id))];
    }
    store.set({ order: ids, othersAhead: others_ahead, rows: known });
    const followed = store.get("followed");
    if (followed && !known.has(followed.rowId)) hub.unfollow();
    showNewJob();
  }

  function showNewJob() {
    if (!newJob) return;
    const rows = store.get("rows");
    const first = store.get("order").find((id) => rows.get(id)?.job_id === newJob && rows.get(id).recording_id);
    if (!first) return;
    newJob = null;
    if (!store.get("followed")) hub.follow(rows.get(first));
  }

  function takeText({ job_id, recording_id, start, segments, complete }) {
    const followed = store.get("followed");
    if (followed?.ids.job_id !== job_id || followed.ids.recording_id !== recording_id) return;
    followed.segments.length = Math.min(start, followed.segments.length);
    followed.segments.push(...segments);
    followed.complete = complete;
    followed.came = true;
    followed.changedFrom = start;
    store.tell("followed");
  }

  function takeModel({ engine, model: name, stage, percentage, error }) {
    const models = store.get("models");
    const key = `${engine}/${name}`;
    if (stage) models.set(key, { engine, model: name, stage, percentage });
    else models.delete(key);
    store.tell("models");
    if (error) notify("error", error);
  }

  function notify(kind, error, family = "error") {
    const notices = store.get("notices");
    const same = (one) => one.error.code === error.code && one.error.message === error.message;
    if (notices.some(same)) return;
    lastNotice += 1;
    store.set({ notices: [...notices.slice(-4), { id: lastNotice, kind, error, family }] });
  }

  /** Asks; what cannot be done is told, and the answer is then null. */
  async function attempt(message) {
    try {
      return await line.ask(message);
    } catch (error) {
      notify("error", error);
      return null;
    }
  }

  function chosen(how = store.get("how")) {
    const engines = store.get("choices")?.engines ?? [];
    const named = engines.find((engine) => engine.name === how.engine && engine.available);
    return named ?? engines.find((e) => e.default && e.available) ?? engines.find((e) => e.available) ?? null;
  }

  const usable = () => uploads.items.filter((item) => item.state !== "failed");

  // One job of all that is there, once all of it is there.
  function sendArmed() {
    const armed = store.get("armed");
    if (!armed || armed.sent) return;
    const items = usable();
    if (items.length === 0) return void store.set({ armed: null });
    if (items.some((item) => item.state !== "complete")) return;
    armed.sent = true;
    submit(items.map((item) => item.id), armed.how);
  }

  async function submit(ids, how) {
    let answer = null;
    try {
      answer = await submitted({ type: "submit", upload_ids: ids, how, key: randomId() });
    } catch (error) {
      notify("error", error);
    } finally {
      store.set({ armed: null });
    }
    if (!answer) return;
    uploads.release(ids);
    newJob = answer.job_id;
    showNewJob();
    // What was added meanwhile was too late for that job.
    if (store.get("atOnce")) hub.arm();
  }

  // Asked again when the line is back: by its key the same question makes no second job.
  async function submitted(question) {
    for (;;) {
      const back = nextWelcome();
      try {
        return await line.ask(question);
      } catch (error) {
        if (error.code !== "panel.no_answer") throw error;
        await back.here;
      } finally {
        back.forget();
      }
    }
  }

  function nextWelcome() {
    let forget = null;
    const here = new Promise((done) => {
      forget = line.on("welcome", done);
    });
    return { here, forget };
  }

  // The browser asks before it leaves files that are of no job yet, half sent or whole.
  function guard(event) {
    if (uploads.items.some((item) => item.state !== "failed")) {
      event.preventDefault();
    }
  }
  window.addEventListener("beforeunload", guard);

  const hub = {
    store,
    line,
    downloads,
    uploads,
    chosen,
    attempt,
    notify,
    /** Milliseconds since the epoch, by the kernel's clock. */
    now: () => Date.now() + clockSkewMs,
    setLanguage: (language) => store.set({ language }),
    setHow(changes) {
      const how = { ...store.get("how"), ...changes };
      const { options, ...kept } = how;
      remember(HOW, JSON.stringify(kept));
      store.set({ how });
    },
    setAtOnce(atOnce) {
      remember(AT_ONCE, atOnce ? "yes" : "no");
      store.set({ atOnce });
      if (atOnce && usable().length) hub.arm();
    },
    addFiles(files, fromFolder = [], skipped = 0) {
      const extensions = store.get("choices")?.extensions ?? [];
      const { kept, leftOut } = recordingsAmong(fromFolder, extensions);
      const { known } = uploads.add([...files, ...kept]);
      if (leftOut) notify("info", { code: "left_out", message: "", count: leftOut }, "notice");
      if (skipped) notify("warning", { code: "unreadable_files", message: "", count: skipped }, "notice");
      if (known) notify("info", { code: "known_files", message: "", count: known }, "notice");
      if (store.get("atOnce") && usable().length) hub.arm();
    },
    arm() {
      const choice = chosen();
      if (!choice || store.get("armed") || usable().length === 0) return;
      store.set({ armed: { how: keywords(store.get("how"), choice), sent: false } });
      sendArmed();
    },
    disarm: () => store.get("armed")?.sent || store.set({ armed: null }),
    cancel: (row) => attempt({ type: "cancel", job_id: row.job_id, recording_id: row.recording_id }),
    retry: (row, changes = {}) =>
      attempt({ type: "retry", job_id: row.job_id, recording_id: row.recording_id, changes }),
    keep: (row, keep) => attempt({ type: "keep", job_id: row.job_id, keep }),
    remove: (row) => attempt({ type: "delete", job_id: row.job_id }),
    look: () => line.send({ type: "engines" }),
    /** Opens a transcript; with `show` the page goes to it, and the focus too. */
    follow(row, { show = false } = {}) {
      const ids = { job_id: row.job_id, recording_id: row.recording_id };
      store.set({ followed: { rowId: row.id, ids, segments: [], complete: false, came: false, changedFrom: 0, show } });
      line.send({ type: "follow", ...ids });
    },
    unfollow() {
      store.set({ followed: null });
      line.send({ type: "follow" });
    },
    async download(what) {
      try {
        saveBlob(await downloads.fetchBlob(what));
      } catch (error) {
        notify("error", error);
      }
    },
    dismiss: (id) => store.set({ notices: store.get("notices").filter((one) => one.id !== id) }),
    /** Tells screen readers. */
    say: (text) => store.set({ said: text }),
    close() {
      window.removeEventListener("beforeunload", guard);
      uploads.close();
      downloads.close();
      line.close();
    },
  };
  line.greet();
  return hub;
}

function remembered() {
  try {
    const kept = JSON.parse(recall(HOW) ?? "{}");
    return Object.fromEntries(
      Object.entries(kept).filter(([name, value]) => typeof value === typeof NOTHING_CHOSEN[name]),
    );
  } catch {
    return {};
  }
}
