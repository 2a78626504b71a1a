// Files on their way up: sliced, a window of unanswered chunks, taken up where they were cut off.

/** @import { Welcome } from "../messages" */
/** @import { Channel, Handler, PanelError } from "./connection.js" */

/**
 * A file of the next job. `offset` bytes are safe, `sent` were sent; `owed` chunks are unanswered;
 * `rewind` is where to go on once all of them are answered; `begun` once the kernel said where to
 * begin, and `turn` counts how often it did.
 * @typedef {object} UploadItem
 * @property {string} id
 * @property {File} file
 * @property {string} name
 * @property {number} size
 * @property {"waiting" | "sending" | "complete" | "failed"} state
 * @property {number} offset
 * @property {PanelError | null} error
 * @property {number} sent
 * @property {number} owed
 * @property {number | null} rewind
 * @property {boolean} reading
 * @property {boolean} begun
 * @property {number} turn
 * @property {number} askedAt
 * @property {number} stalls
 */

/** @typedef {ReturnType<typeof createUploads>} Uploads */

// Files on their way at once: hides the round trips of many small ones.
const AT_ONCE = 3;

// So long (ms) without an answer to what was sent means that it was lost: more on slow lines.
const STALLED_MS = 10_000;
const SLOW_TIMES = 4;

const LIVE = new Set(["waiting", "sending", "complete"]);

/** A random id, also where the page has no secure context. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The files of the next job. `changed` is called whenever anything about them did.
 * @param {Channel} channel
 * @param {() => void} changed
 */
export function createUploads(channel, changed) {
  /** @type {UploadItem[]} */
  let items = [];
  /** @type {Welcome | null} */
  let rules = null;
  let unanswered = 0;
  // The longest that an answer took, in milliseconds.
  let slowestMs = 0;

  const find = (/** @type {string} */ id) => items.find((item) => item.id === id);

  /**
   * Returns how many of the files were here already.
   * @param {File[]} files
   */
  function add(files) {
    const isHere = (/** @type {File} */ file) =>
      items.some((item) => sameFile(item.file, file) && LIVE.has(item.state));
    let nRepeated = 0;
    for (const file of files) {
      if (isHere(file)) nRepeated += 1;
      else items.push(judged(newItem(file)));
    }
    pump();
    changed();
    return nRepeated;
  }

  /**
   * @param {File} file
   * @returns {UploadItem}
   */
  function newItem(file) {
    return {
      id: randomId(), file, name: file.name, size: file.size,
      state: "waiting", offset: 0, error: null, sent: 0, owed: 0, rewind: null, reading: false,
      begun: false, turn: 0, askedAt: 0, stalls: 0,
    };
  }

  /**
   * What cannot be taken is said at once, not after an hour of sending.
   * @param {UploadItem} item
   */
  function judged(item) {
    if (!rules) return item;
    const others = items.filter((other) => other !== item && LIVE.has(other.state)).length;
    if (item.size > rules.max_file_bytes) fail(item, { code: "panel.too_large", message: "" });
    else if (item.size === 0) fail(item, { code: "empty_input", message: "" });
    else if (others >= rules.max_files) fail(item, { code: "panel.too_many", message: "" });
    return item;
  }

  /**
   * @param {UploadItem} item
   * @param {PanelError | null} error
   */
  function fail(item, error) {
    item.state = "failed";
    item.error = error;
    unanswered -= item.owed;
    item.owed = 0;
  }

  function pump() {
    if (!rules || channel.state === "down") return;
    const sending = items.filter((item) => item.state === "sending");
    const next = items.filter((item) => item.state === "waiting");
    for (const item of next.slice(0, AT_ONCE - sending.length)) begin(item);
    for (const item of sending) feed(item);
  }

  /** @param {UploadItem} item */
  function begin(item) {
    item.state = "sending";
    item.begun = false;
    item.askedAt = performance.now();
    channel.send({
      type: "upload_begin",
      upload_id: item.id,
      name: item.name,
      size_bytes: item.size,
      modified_ms: item.file.lastModified ?? 0,
      folder: folderOf(item.file),
    });
  }

  /** @param {UploadItem} item */
  async function feed(item) {
    if (!rules || item.reading || !item.begun || item.rewind !== null) return;
    item.reading = true;
    try {
      while (item.state === "sending" && item.begun && item.rewind === null) {
        if (unanswered >= rules.window || item.sent >= item.size || channel.state === "down") break;
        await sendChunk(item, rules.chunk_bytes);
      }
    } catch {
      // The file was moved, changed or locked since it was chosen.
      if (item.state === "sending") {
        channel.send({ type: "upload_cancel", upload_id: item.id });
        fail(item, { code: "panel.unreadable", message: "" });
        changed();
      }
    } finally {
      item.reading = false;
    }
    if (item.state === "failed") pump();
  }

  /**
   * @param {UploadItem} item
   * @param {number} chunkBytes
   */
  async function sendChunk(item, chunkBytes) {
    const offset = item.sent;
    const turn = item.turn;
    const end = Math.min(offset + chunkBytes, item.size);
    // Counted before it is read, or files that read side by side would overrun the window.
    unanswered += 1;
    item.owed += 1;
    let buffer = null;
    try {
      buffer = await item.file.slice(offset, end).arrayBuffer();
    } finally {
      const stale = item.state !== "sending" || item.turn !== turn;
      if (!buffer || stale) {
        if (item.turn === turn && item.owed > 0) {
          unanswered -= 1;
          item.owed -= 1;
        }
        buffer = buffer && !stale ? buffer : null;
      }
    }
    if (!buffer) return;
    item.sent = end;
    if (item.owed === 1) item.askedAt = performance.now();
    channel.send({ type: "upload_chunk", upload_id: item.id, offset }, buffer);
  }

  /** @type {Handler<"upload_at">} */
  function onAt({ upload_id, offset, complete }) {
    const item = find(upload_id);
    if (!item || item.state !== "sending") return;
    slowestMs = Math.max(slowestMs, performance.now() - item.askedAt);
    item.askedAt = performance.now();
    if (offset > item.offset) item.stalls = 0;
    if (!item.begun) {
      Object.assign(item, { begun: true, sent: offset, turn: item.turn + 1 });
    } else if (item.owed > 0) {
      item.owed -= 1;
      unanswered -= 1;
      // A chunk that did not fit is answered by where to go on: once all answers are in, go there.
      if (offset <= item.offset && !complete) item.rewind = offset;
      if (item.rewind !== null && item.owed === 0) {
        item.sent = offset;
        item.rewind = null;
      }
    }
    item.offset = offset;
    if (complete) {
      item.state = "complete";
      unanswered -= item.owed;
      item.owed = 0;
    }
    pump();
    changed();
  }

  /** @type {Handler<"upload_failed">} */
  function onFailed({ upload_id, error }) {
    const item = find(upload_id);
    if (!item || !LIVE.has(item.state)) return;
    fail(item, error);
    pump();
    changed();
  }

  /** Back on the line: every file asks anew where to go on. */
  function resume() {
    unanswered = 0;
    for (const item of items) {
      if (item.state === "sending") takeBack(item);
    }
    pump();
    changed();
  }

  /** @param {UploadItem} item */
  function takeBack(item) {
    Object.assign(item, { state: "waiting", owed: 0, rewind: null, turn: item.turn + 1 });
  }

  // Chunks may be lost while all else comes: then the line itself notices nothing.
  function lookForStalled() {
    // A silent line is greeted, and all goes on from the welcome.
    if (!rules || channel.state !== "up") return;
    for (const item of items) {
      if (item.state !== "sending" || (item.begun && item.owed === 0)) continue;
      const patience = Math.max(STALLED_MS, SLOW_TIMES * slowestMs) * 2 ** item.stalls;
      if (performance.now() - item.askedAt < patience) continue;
      item.stalls += 1;
      unanswered -= item.owed;
      takeBack(item);
      begin(item);
    }
  }
  const watch = setInterval(lookForStalled, 1_000);

  return {
    get items() {
      return items;
    },
    add,
    resume,
    onAt,
    onFailed,
    /** @param {Welcome} next */
    setRules(next) {
      rules = next;
      items.filter((item) => item.state === "waiting").forEach(judged);
      resume();
    },
    /** @param {string} id */
    cancel(id) {
      const item = find(id);
      if (!item) return;
      if (item.state === "sending" || item.state === "complete") {
        channel.send({ type: "upload_cancel", upload_id: id });
      }
      fail(item, null);
      items = items.filter((other) => other !== item);
      pump();
      changed();
    },
    /** @param {string} id */
    retry(id) {
      const item = find(id);
      if (item?.state !== "failed") return;
      // A new id: what is still on its way about the old attempt is not about this one.
      const fresh = { id: randomId(), error: null, offset: 0, sent: 0, rewind: null };
      Object.assign(item, fresh, { state: "waiting" });
      judged(item);
      pump();
      changed();
    },
    close: () => clearInterval(watch),
    /**
     * They belong to a job now.
     * @param {string[]} ids
     */
    release(ids) {
      items = items.filter((item) => !ids.includes(item.id));
      changed();
    },
  };
}

/**
 * @param {File} file
 * @param {File} other
 */
function sameFile(file, other) {
  return (
    file.name === other.name &&
    file.size === other.size &&
    file.lastModified === other.lastModified &&
    pathOf(file) === pathOf(other)
  );
}

// Where files of dropped folders lie; those that were chosen know it themselves.
/** @type {WeakMap<File, string>} */
const paths = new WeakMap();

const pathOf = (/** @type {File} */ file) => (paths.get(file) ?? file.webkitRelativePath ?? "").replace(/^\//, "");

const folderOf = (/** @type {File} */ file) => pathOf(file).split("/").slice(0, -1).join("/");

/**
 * Every file of what was dropped: the files themselves, those in folders, and how many entries
 * could not be read.
 * @param {DataTransfer} transfer
 */
export async function droppedFiles(transfer) {
  // Entries must be asked for before the first await: the list is emptied after the event.
  const entries = [];
  const files = [];
  for (const item of transfer.items ?? []) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) entries.push(entry);
    else files.push(item.getAsFile());
  }
  /** @type {File[]} */
  const nested = [];
  let skipped = 0;
  for (const entry of entries) await gather(entry);
  return { files: files.filter((file) => file !== null), nested, skipped };

  /**
   * One that cannot be read costs none of the others.
   * @param {FileSystemEntry} entry
   */
  async function gather(entry) {
    try {
      if (isFile(entry)) nested.push(await fileOf(entry));
      else if (isFolder(entry)) for await (const child of entriesOf(entry)) await gather(child);
    } catch {
      skipped += 1;
    }
  }
}

/**
 * @param {FileSystemEntry} entry
 * @returns {entry is FileSystemFileEntry}
 */
const isFile = (entry) => entry.isFile;

/**
 * @param {FileSystemEntry} entry
 * @returns {entry is FileSystemDirectoryEntry}
 */
const isFolder = (entry) => entry.isDirectory;

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
async function fileOf(entry) {
  /** @type {File} */
  const file = await new Promise((done, failed) => entry.file(done, failed));
  paths.set(file, entry.fullPath);
  return file;
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {AsyncGenerator<FileSystemEntry>}
 */
async function* entriesOf(folder) {
  const reader = folder.createReader();
  for (;;) {
    // A reader gives a hundred entries at a time, and none when it is through.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    yield* some;
  }
}

/**
 * Those of a folder's files that may be recordings, and how many were left out.
 * @param {File[]} files
 * @param {string[]} extensions
 */
export function recordingsAmong(files, extensions) {
  const allowed = new Set(extensions.map((extension) => extension.toLowerCase().replace(/^\.?/, ".")));
  const kept = files.filter((file) => {
    const dot = file.name.lastIndexOf(".");
    return dot > 0 && allowed.has(file.name.slice(dot).toLowerCase());
  });
  return { kept, leftOut: files.length - kept.length };
}
