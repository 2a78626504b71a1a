// Files on their way up: sliced, a window of unanswered chunks, taken up where they were cut off.

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
 * The files of the next job.
 *
 * An item is `{id, file, name, size, state, offset, error}`; state is waiting, sending, complete,
 * or failed with `error`. `changed` is called whenever anything about them did.
 */
export function createUploads(line, changed) {
  let items = [];
  let rules = null;
  let unanswered = 0;
  // The longest that an answer took, in milliseconds.
  let slowestMs = 0;

  const find = (id) => items.find((item) => item.id === id);

  function add(files) {
    const told = { refused: 0, known: 0 };
    for (const file of files) {
      if (items.some((item) => sameFile(item.file, file) && LIVE.has(item.state))) told.known += 1;
      else items.push(judged(newItem(file)));
    }
    pump();
    changed();
    return told;
  }

  function newItem(file) {
    return {
      id: randomId(), file, name: file.name, size: file.size,
      state: "waiting", offset: 0, error: null, sent: 0, owed: 0, rewind: null, reading: false,
      askedAt: 0, stalls: 0,
    };
  }

  // What cannot be taken is told at once, not after an hour of sending.
  function judged(item) {
    if (!rules) return item;
    const others = items.filter((other) => other !== item && LIVE.has(other.state)).length;
    if (item.size > rules.max_file_bytes) fail(item, { code: "panel.too_large", message: "" });
    else if (item.size === 0) fail(item, { code: "empty_input", message: "" });
    else if (others >= rules.max_files) fail(item, { code: "panel.too_many", message: "" });
    return item;
  }

  function fail(item, error) {
    item.state = "failed";
    item.error = error;
    unanswered -= item.owed;
    item.owed = 0;
  }

  function pump() {
    if (!rules || line.state === "down") return;
    const sending = items.filter((item) => item.state === "sending");
    const next = items.filter((item) => item.state === "waiting");
    for (const item of next.slice(0, AT_ONCE - sending.length)) begin(item);
    for (const item of sending) feed(item);
  }

  function begin(item) {
    item.state = "sending";
    item.begun = false;
    item.askedAt = performance.now();
    line.send({
      type: "upload_begin",
      upload_id: item.id,
      name: item.name,
      size_bytes: item.size,
      modified_ms: item.file.lastModified ?? 0,
      folder: folderOf(item.file),
    });
  }

  async function feed(item) {
    if (item.reading || !item.begun || item.rewind !== null) return;
    item.reading = true;
    try {
      while (item.state === "sending" && item.begun && item.rewind === null) {
        if (unanswered >= rules.window || item.sent >= item.size || line.state === "down") break;
        await sendChunk(item);
      }
    } catch {
      // The file was moved, changed or locked since it was chosen.
      if (item.state === "sending") {
        line.send({ type: "upload_cancel", upload_id: item.id });
        fail(item, { code: "panel.unreadable", message: "" });
        changed();
      }
    } finally {
      item.reading = false;
    }
    if (item.state === "failed") pump();
  }

  async function sendChunk(item) {
    const offset = item.sent;
    const turn = item.turn;
    const end = Math.min(offset + rules.chunk_bytes, item.size);
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
    line.send({ type: "upload_chunk", upload_id: item.id, offset }, buffer);
  }

  function onAt({ upload_id, offset, complete }) {
    const item = find(upload_id);
    if (!item || item.state !== "sending") return;
    slowestMs = Math.max(slowestMs, performance.now() - item.askedAt);
    item.askedAt = performance.now();
    if (offset > item.offset) item.stalls = 0;
    if (!item.begun) {
      Object.assign(item, { begun: true, sent: offset, turn: (item.turn ?? 0) + 1 });
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

  function takeBack(item) {
    Object.assign(item, { state: "waiting", owed: 0, rewind: null, turn: (item.turn ?? 0) + 1 });
  }

  // Chunks may be lost while all else comes: then the line itself notices nothing.
  function lookForStalled() {
    // A silent line is greeted, and all goes on from the welcome.
    if (!rules || line.state !== "up") return;
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
    setRules(next) {
      rules = next;
      items.filter((item) => item.state === "waiting").forEach(judged);
      resume();
    },
    cancel(id) {
      const item = find(id);
      if (!item) return;
      if (item.state === "sending" || item.state === "complete") {
        line.send({ type: "upload_cancel", upload_id: id });
      }
      fail(item, null);
      items = items.filter((other) => other !== item);
      pump();
      changed();
    },
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
    /** They belong to a job now. */
    release(ids) {
      items = items.filter((item) => !ids.includes(item.id));
      changed();
    },
  };
}

function sameFile(one, other) {
  return (
    one.name === other.name &&
    one.size === other.size &&
    one.lastModified === other.lastModified &&
    pathOf(one) === pathOf(other)
  );
}

// Where files of dropped folders lie; those that were chosen know it themselves.
const paths = new WeakMap();

const pathOf = (file) => (paths.get(file) ?? file.webkitRelativePath ?? "").replace(/^\//, "");

const folderOf = (file) => pathOf(file).split("/").slice(0, -1).join("/");

/** Every file of what was dropped, folders gone through, and how many entries could not be read. */
export async function droppedFiles(transfer) {
  // Entries must be asked for before the first await: the list is emptied after the event.
  const entries = [];
  const plain = [];
  for (const item of transfer.items ?? []) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) entries.push(entry);
    else plain.push(item.getAsFile());
  }
  const found = plain.filter(Boolean);
  const nested = [];
  let skipped = 0;
  for (const entry of entries) await gather(entry);
  return { files: found, nested, skipped };

  // One that cannot be read costs none of the others.
  async function gather(entry) {
    try {
      if (entry.isFile) nested.push(await fileOf(entry));
      else for await (const child of entriesOf(entry)) await gather(child);
    } catch {
      skipped += 1;
    }
  }
}

async function fileOf(entry) {
  const file = await new Promise((done, failed) => entry.file(done, failed));
  paths.set(file, entry.fullPath);
  return file;
}

async function* entriesOf(folder) {
  const reader = folder.createReader();
  for (;;) {
    // A reader gives a hundred entries at a time, and none when it is through.
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    yield* some;
  }
}

/** Those of a folder's files that may be recordings, and how many were left out. */
export function recordingsAmong(files, extensions) {
  const known = new Set(extensions.map((one) => one.toLowerCase().replace(/^\.?/, ".")));
  const kept = files.filter((file) => {
    const dot = file.name.lastIndexOf(".");
    return dot > 0 && known.has(file.name.slice(dot).toLowerCase());
  });
  return { kept, leftOut: files.length - kept.length };
}
