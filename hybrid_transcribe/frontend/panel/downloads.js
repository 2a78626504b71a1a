// Files on their way down: chunks over the channel, put together and handed to the browser.

/** @import { Fetch } from "../messages" */
/** @import { Channel, Handler, PanelError } from "./connection.js" */

/** What to fetch: "audio", or a result. @typedef {Omit<Fetch, "type" | "ref">} FetchRequest */
/** @typedef {{ name: string, blob: Blob }} FetchedFile */
/** Part of it that has come, 0..1, null unknown. @typedef {(part: number | null) => void} Progress */

/**
 * A file on its way down: `size` in bytes and 0 while unknown, `movedAt` when a part came last
 * (performance.now()), `cut` once the channel broke.
 * @typedef {object} Download
 * @property {FetchRequest} request
 * @property {(file: FetchedFile) => void} done
 * @property {(error: PanelError) => void} fail
 * @property {Progress | null} progress
 * @property {number} stalls
 * @property {boolean} cut
 * @property {number} ref
 * @property {DataView<ArrayBuffer>[]} parts
 * @property {number} offset
 * @property {string} name
 * @property {string} type
 * @property {number} size
 * @property {boolean} begun
 * @property {number} movedAt
 */

/** @typedef {ReturnType<typeof createDownloads>} Downloads */

// So long (ms) without a chunk, and without the first message, mean that some are lost: all is
// asked for again, and with twice the patience, to a limit.
const STALLED_MS = 5_000;
const SLOW_MS = 20_000;
const MOST_PATIENCE_MS = 60_000;

// A download that is cut off so often is given up, after five minutes of silence at the most, and
// people are told.
const MOST_STALLS = 6;

/**
 * Fetches over the channel, again where the channel was away meanwhile.
 * @param {Channel} channel
 */
export function createDownloads(channel) {
  /** @type {Map<number, Download>} */
  const downloads = new Map();

  /** @param {Download} item */
  function begin(item) {
    const ref = channel.nextRef();
    Object.assign(item, { ...unbegun(), ref });
    downloads.set(ref, item);
    channel.send({ type: "fetch", ...item.request, ref });
  }

  /** @param {Download} item */
  function again(item) {
    item.stalls += 1;
    stop(item);
    if (item.stalls < MOST_STALLS) begin(item);
    else item.fail({ code: "panel.cut_off", message: "" });
  }

  /**
   * The kernel may forget it, and so do we.
   * @param {Download} item
   */
  function stop(item) {
    downloads.delete(item.ref);
    channel.send({ type: "blob_cancel", ref: item.ref });
  }

  /** @type {Handler<"blob_begin">} */
  function onBegin({ ref, name, media_type, size_bytes }) {
    const begun = { name, type: media_type, size: size_bytes, begun: true, movedAt: performance.now() };
    const item = downloads.get(ref);
    if (item) Object.assign(item, begun);
  }

  /** @type {Handler<"blob_chunk">} */
  function onChunk({ ref, offset, last }, buffers) {
    const item = downloads.get(ref);
    if (!item) return;
    if (offset !== item.offset) return again(item);
    for (const view of buffers) {
      item.parts.push(/** @type {DataView<ArrayBuffer>} */ (view));
      item.offset += view.byteLength;
    }
    item.movedAt = performance.now();
    item.progress?.(item.size ? item.offset / item.size : null);
    channel.send({ type: "blob_at", ref, offset: item.offset });
    if (!last) return;
    downloads.delete(ref);
    item.done({ name: item.name, blob: new Blob(item.parts, { type: item.type }) });
  }

  /**
   * @param {number | null} ref
   * @param {PanelError} error
   */
  function fail(ref, error) {
    const item = ref === null ? undefined : downloads.get(ref);
    if (!item) return;
    downloads.delete(item.ref);
    item.fail(error);
  }

  function giveUp() {
    for (const ref of [...downloads.keys()]) fail(ref, { code: "panel.cut_off", message: "" });
  }

  // Chunks may be lost while all else comes: then the channel itself notices nothing.
  function lookForStalled() {
    if (channel.state !== "up") return;
    for (const item of [...downloads.values()]) {
      const patience = Math.min((item.begun ? STALLED_MS : SLOW_MS) * 2 ** item.stalls, MOST_PATIENCE_MS);
      if (performance.now() - item.movedAt >= patience) again(item);
    }
  }
  const watch = setInterval(lookForStalled, 1_000);

  channel.on("blob_begin", onBegin);
  channel.on("blob_chunk", onChunk);
  channel.on("problem", ({ ref, error }) => fail(ref, error));
  channel.on("state", ({ state, ended }) => {
    if (ended) giveUp();
    // What was on its way when the channel broke comes no more.
    if (state === "down") for (const item of downloads.values()) item.cut = true;
  });
  channel.on("welcome", () => {
    for (const item of [...downloads.values()].filter(({ cut }) => cut)) {
      item.cut = false;
      again(item);
    }
  });

  return {
    owns: (/** @type {number} */ ref) => downloads.has(ref),
    /**
     * Fails with a PanelError. An AbortSignal ends it.
     * @param {FetchRequest} request
     * @param {Progress | null} [progress]
     * @param {AbortSignal | null} [signal]
     * @returns {Promise<FetchedFile>}
     */
    fetchBlob(request, progress = null, signal = null) {
      return new Promise((done, reject) => {
        const cut = channel.state === "down";
        /** @type {Download} */
        const item = { request, done, fail: reject, progress, stalls: 0, cut, ref: 0, ...unbegun() };
        begin(item);
        signal?.addEventListener("abort", () => {
          if (downloads.get(item.ref) !== item) return;
          stop(item);
          reject({ code: "canceled", message: "" });
        });
      });
    },
    close: () => clearInterval(watch),
  };
}

/** What a download is before anything of it came. */
function unbegun() {
  return { parts: [], offset: 0, name: "", type: "", size: 0, begun: false, movedAt: performance.now() };
}

/**
 * Hands a file to the browser's own downloads.
 * @param {FetchedFile} file
 */
export function saveBlob({ name, blob }) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers read it only after the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
