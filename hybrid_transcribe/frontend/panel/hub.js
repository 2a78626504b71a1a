// All of a panel but its looks: the channel, what is known, and what people can do.

import { connect } from "./connection.js";
import { createDownloads, saveBlob } from "./downloads.js";
import { preferredLanguage } from "./i18n.js";
import { isActive } from "./listing.js";
import { keywords } from "./options.js";
import { recall, recallSession, remember, rememberSession } from "./session.js";
import { createStore } from "./store.js";
import { createUploads, randomId, recordingsAmong } from "./uploads.js";

/** @import { Choices, Row, Segment, Speaker, Submit, Submitted, Welcome } from "../messages" */
/** @import { ChannelState, Handler, PanelError, Request, WidgetModel } from "./connection.js" */
/** @import { FetchRequest } from "./downloads.js" */
/** @import { QueueRow } from "./listing.js" */
/** @import { FormValues } from "./options.js" */
/** @import { Store } from "./store.js" */
/** @import { UploadItem } from "./uploads.js" */

/** @typedef {PanelError & { count?: number }} NoticeError  `count` where it is about several */

/**
 * Something that people should know: an error, or what is no error, worded by `family` and code.
 * @typedef {object} PanelNotice
 * @property {number} id
 * @property {"info" | "warning" | "error"} kind
 * @property {NoticeError} error
 * @property {"error" | "notice"} family
 */

/** A model on its way. @typedef {{ engine: string, model: string, stage: string,
 *   percentage: number | null }} ModelProgress */

/** Which recording of which job. @typedef {{ job_id: string, recording_id: string }} RecordingIds */

/**
 * The transcript that is open. `changedFrom` is the first segment that the latest text changed;
 * `came` once there was any; `show` while the page has to go to it.
 * @typedef {object} Followed
 * @property {string} rowId
 * @property {RecordingIds} ids
 * @property {Segment[]} segments
 * @property {Speaker[]} speakers
 * @property {boolean} complete
 * @property {boolean} came
 * @property {number} changedFrom
 * @property {boolean} show
 */

/**
 * A job to be made: what was chosen when it was asked for, and whether a person waits to see it.
 * @typedef {{ values: Submit["how"], reveal: boolean, sent: boolean }} Armed
 */

/**
 * What the panel knows.
 * @typedef {object} PanelState
 * @property {string} language
 * @property {ChannelState} channel
 * @property {boolean} ended  the channel ended for good: only running the cell again makes another
 * @property {Welcome | null} welcome
 * @property {Choices | null} choices
 * @property {Map<string, QueueRow>} rows  by id
 * @property {string[]} order  ids of the rows
 * @property {number} othersAhead  recordings of others that run first
 * @property {UploadItem[]} uploads
 * @property {Armed | null} armed  the job that is made as soon as its files are here
 * @property {FormValues} form
 * @property {boolean} atOnce
 * @property {Followed | null} followed
 * @property {string | null} newRow  the first of a new job, which people are to see
 * @property {PanelNotice[]} notices
 * @property {Map<string, ModelProgress>} models  by engine and model
 * @property {string} announcement  for screen readers
 */

/** @typedef {ReturnType<typeof openHub>} Hub */

const FORM = "hybrid-transcribe.choices";
const AT_ONCE = "hybrid-transcribe.at-once";

/** @type {FormValues} */
const NOTHING_CHOSEN = {
  engine: "", model: "", device: "auto", language: "", task: "transcribe", word_timestamps: false,
  options: {},
};

/**
 * Opens what all views of one widget share.
 * @param {WidgetModel} model
 */
export function openHub(model) {
  /** @type {Store<PanelState>} */
  const store = createStore(/** @type {PanelState} */ ({
    language: preferredLanguage(),
    channel: "connecting",
    ended: false,
    welcome: null,
    choices: null,
    rows: new Map(),
    order: [],
    othersAhead: 0,
    uploads: [],
    armed: null,
    form: rememberedForm(),
    atOnce: recall(AT_ONCE) === "yes",
    followed: null,
    newRow: null,
    notices: [],
    models: new Map(),
    announcement: "",
  }));
  let clockSkewMs = 0;
  let lastNotice = 0;
  /**
   * The job just made: its first recording is followed, unless something else is.
   * @type {{ id: string, reveal: boolean } | null}
   */
  let newJob = null;

  const channel = connect(model, () => ({
    type: "hello",
    session_id: recallSession(),
    language: store.get("language"),
  }), somethingMoves);
  const downloads = createDownloads(channel);
  const uploads = createUploads(channel, () => {
    store.set({ uploads: uploads.items });
    sendArmed();
  });

  channel.on("state", ({ state, ended }) => {
    const before = store.get("channel");
    store.set({ ended, channel: state });
    // What came meanwhile may be lost: all is asked for anew, and files go on from there.
    if (before === "down" && state === "up") channel.greet();
  });
  channel.on("welcome", (message) => {
    clockSkewMs = message.now * 1000 - Date.now();
    if (message.session_id) rememberSession(message.session_id);
    store.set({ welcome: message });
    uploads.setRules(message);
    const followed = store.get("followed");
    if (followed) channel.send({ type: "follow", ...followed.ids });
  });
  channel.on("choices", (message) => store.set({ choices: message }));
  channel.on("rows", takeRows);
  channel.on("text", takeText);
  channel.on("upload_at", uploads.onAt);
  channel.on("upload_failed", uploads.onFailed);
  channel.on("model_told", takeModel);
  channel.on("notice", ({ code, message, over, reason, params }) => {
    if (over) store.set({ notices: store.get("notices").filter(({ error }) => error.code !== code) });
    else notify("warning", { code, message, reason, params }, "notice");
  });
  channel.on("problem", ({ ref, error }) => {
    if (ref === null || !downloads.owns(ref)) notify("error", error);
  });

  function somethingMoves() {
    return [...store.get("rows").values()].some(isActive);
  }

  /** @type {Handler<"rows">} */
  function takeRows({ rows, gone, order, reset, others_ahead }) {
    const byId = store.get("rows");
    if (reset) byId.clear();
    const receivedAt = performance.now();
    for (const row of rows) byId.set(row.id, { ...row, receivedAt });
    for (const id of gone) byId.delete(id);
    const ids = order ?? withNew(store.get("order").filter((id) => byId.has(id)), rows);
    store.set({ order: ids, othersAhead: others_ahead, rows: byId });
    const followed = store.get("followed");
    if (followed && !byId.has(followed.rowId)) unfollow();
    showNewJob();
  }

  function showNewJob() {
    if (!newJob) return;
    const rows = store.get("rows");
    const first = store.get("order").map((id) => rows.get(id))
      .find((row) => row?.job_id === newJob?.id && row?.recording_id);
    if (!first) return;
    if (!store.get("followed")) follow(first);
    if (newJob.reveal) store.set({ newRow: first.id });
    newJob = null;
  }

  /** @type {Handler<"text">} */
  function takeText({ job_id, recording_id, start, segments, complete, speakers }) {
    const followed = store.get("followed");
    if (followed?.ids.job_id !== job_id || followed.ids.recording_id !== recording_id) return;
    followed.segments.length = Math.min(start, followed.segments.length);
    followed.segments.push(...segments);
    followed.complete = complete;
    followed.speakers = speakers;
    followed.came = true;
    followed.changedFrom = start;
    store.notify("followed");
  }

  /** @type {Handler<"model_told">} */
  function takeModel({ engine, model: name, stage, percentage, error }) {
    const models = store.get("models");
    const key = `${engine}/${name}`;
    if (stage) models.set(key, { engine, model: name, stage, percentage });
    else models.delete(key);
    store.notify("models");
    if (error) notify("error", error);
  }

  /**
   * Tells people, unless the same is said already.
   * @param {PanelNotice["kind"]} kind
   * @param {NoticeError} error
   * @param {PanelNotice["family"]} [family]
   */
  function notify(kind, error, family = "error") {
    const notices = store.get("notices");
    if (notices.some(({ error: { code, message } }) => code === error.code && message === error.message)) return;
    lastNotice += 1;
    store.set({ notices: [...notices.slice(-4), { id: lastNotice, kind, error, family }] });
  }

  /**
   * Requests something; people are told what cannot be done, and the response is then null.
   * @param {Request} message
   */
  async function attempt(message) {
    try {
      return await channel.request(message);
    } catch (error) {
      notify("error", asPanelError(error));
      return null;
    }
  }

  /**
   * The engine that a form's values stand for, null where there is none.
   * @param {FormValues} [form]
   */
  function chosen(form = store.get("form")) {
    const available = (store.get("choices")?.engines ?? []).filter((engine) => engine.available);
    const named = available.find((engine) => engine.name === form.engine);
    return named ?? available.find((engine) => engine.default) ?? available[0] ?? null;
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
    submit(items.map((item) => item.id), armed);
  }

  /**
   * @param {string[]} ids
   * @param {Armed} armed
   */
  async function submit(ids, { values, reveal }) {
    let response = null;
    try {
      response = await submitted({ type: "submit", upload_ids: ids, how: values, key: randomId() });
    } catch (error) {
      notify("error", asPanelError(error));
    } finally {
      store.set({ armed: null });
    }
    if (!response) return;
    uploads.release(ids);
    newJob = { id: response.job_id, reveal };
    showNewJob();
    // What was added meanwhile was too late for that job.
    if (store.get("atOnce")) arm();
  }

  /**
   * Sent again when the channel is back: by its key the same request makes no second job.
   * @param {Omit<Submit, "ref">} message
   * @returns {Promise<Submitted>}
   */
  async function submitted(message) {
    for (;;) {
      const next = nextWelcome();
      try {
        return /** @type {Submitted} */ (await channel.request(message));
      } catch (error) {
        if (asPanelError(error).code !== "panel.no_answer") throw error;
        await next.welcome;
      } finally {
        next.stop();
      }
    }
  }

  function nextWelcome() {
    let stop = () => {};
    const welcome = new Promise((done) => {
      stop = channel.on("welcome", done);
    });
    return { welcome, stop };
  }

  /**
   * The browser asks before it leaves files that are of no job yet, half sent or whole.
   * @param {BeforeUnloadEvent} event
   */
  function guard(event) {
    if (usable().length) event.preventDefault();
  }
  window.addEventListener("beforeunload", guard);

  /**
   * Makes a job of all files, as soon as they are here.
   * @param {{ reveal?: boolean }} [options]  `reveal` to go to its first row then
   */
  function arm({ reveal = false } = {}) {
    const choice = chosen();
    if (!choice || store.get("armed") || usable().length === 0) return;
    store.set({ armed: { values: keywords(store.get("form"), choice), reveal, sent: false } });
    sendArmed();
  }

  /**
   * Opens a transcript; with `show` the page goes to it, and the focus too.
   * @param {Row} row  a recording's
   * @param {{ show?: boolean }} [options]
   */
  function follow(row, { show = false } = {}) {
    if (row.recording_id === null) return;
    const ids = { job_id: row.job_id, recording_id: row.recording_id };
    store.set({ followed: { rowId: row.id, ids, segments: [], speakers: [], complete: false, came: false, changedFrom: 0, show } });
    channel.send({ type: "follow", ...ids });
  }

  function unfollow() {
    store.set({ followed: null });
    channel.send({ type: "follow" });
  }

  const hub = {
    store,
    downloads,
    uploads,
    chosen,
    notify,
    arm,
    follow,
    unfollow,
    /** Milliseconds since the epoch, by the kernel's clock. */
    now: () => Date.now() + clockSkewMs,
    setLanguage: (/** @type {string} */ language) => store.set({ language }),
    /** @param {Partial<FormValues>} changes */
    setForm(changes) {
      const form = { ...store.get("form"), ...changes };
      const { options: _, ...lasting } = form;
      remember(FORM, JSON.stringify(lasting));
      store.set({ form });
    },
    /** @param {boolean} atOnce */
    setAtOnce(atOnce) {
      remember(AT_ONCE, atOnce ? "yes" : "no");
      store.set({ atOnce });
      if (atOnce && usable().length) arm();
    },
    /**
     * @param {File[]} files
     * @param {File[]} [fromFolder]  of which only recordings are taken
     * @param {number} [skipped]  files that could not be read
     */
    addFiles(files, fromFolder = [], skipped = 0) {
      const extensions = store.get("choices")?.extensions ?? [];
      const { kept, leftOut } = recordingsAmong(fromFolder, extensions);
      const nRepeated = uploads.add([...files, ...kept]);
      if (leftOut) notify("info", { code: "left_out", message: "", count: leftOut }, "notice");
      if (skipped) notify("warning", { code: "unreadable_files", message: "", count: skipped }, "notice");
      if (nRepeated) notify("info", { code: "known_files", message: "", count: nRepeated }, "notice");
      if (store.get("atOnce") && usable().length) arm();
    },
    disarm() {
      if (!store.get("armed")?.sent) store.set({ armed: null });
    },
    cancel: (/** @type {Row} */ { job_id, recording_id }) => attempt({ type: "cancel", job_id, recording_id }),
    /**
     * @param {Row} row
     * @param {Submit["how"]} [changes]
     */
    retry: ({ job_id, recording_id }, changes = {}) =>
      attempt({ type: "retry", job_id, recording_id, changes }),
    /**
     * @param {Row} row
     * @param {boolean} keep
     */
    keep: ({ job_id }, keep) => attempt({ type: "keep", job_id, keep }),
    remove: (/** @type {Row} */ { job_id }) => attempt({ type: "delete", job_id }),
    lookForEngines: () => channel.send({ type: "engines" }),
    /** @param {FetchRequest} request */
    async download(request) {
      try {
        saveBlob(await downloads.fetchBlob(request));
      } catch (error) {
        notify("error", asPanelError(error));
      }
    },
    /** @param {number} id */
    dismiss: (id) => store.set({ notices: store.get("notices").filter((notice) => notice.id !== id) }),
    /** Tells screen readers. @param {string} announcement */
    announce: (announcement) => store.set({ announcement }),
    close() {
      window.removeEventListener("beforeunload", guard);
      uploads.close();
      downloads.close();
      channel.close();
    },
  };
  channel.greet();
  return hub;
}

/**
 * What a request or a fetch fails with.
 * @param {unknown} error
 */
export const asPanelError = (error) => /** @type {PanelError} */ (error);

/**
 * The order with those rows at its end that are not in it.
 * @param {string[]} order
 * @param {Row[]} rows
 */
function withNew(order, rows) {
  const there = new Set(order);
  return [...order, ...rows.map((row) => row.id).filter((id) => !there.has(id))];
}

/** The form as it was left, but for its options. @returns {FormValues} */
function rememberedForm() {
  try {
    const values = JSON.parse(recall(FORM) ?? "{}");
    const { options: _, ...usual } = NOTHING_CHOSEN;
    const valid = Object.entries(usual)
      .map(([name, value]) => [name, typeof values[name] === typeof value ? values[name] : value]);
    return { ...Object.fromEntries(valid), options: {} };
  } catch {
    return { ...NOTHING_CHOSEN };
  }
}
