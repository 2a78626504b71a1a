// Files on their way down: chunks over the line, put together and handed to the browser.

// So long (ms) without a chunk, and without the first word, mean that some are lost: all is asked
// for again, and with twice the patience, to a limit.
const STALLED_MS = 5_000;
const SLOW_MS = 20_000;
const MOST_PATIENCE_MS = 60_000;

// A download that is cut off so often is given up, after five minutes of silence at the most, and
// people are told.
const MOST_STALLS = 6;

/**
 * Fetches over the line, again where the line was away meanwhile; `fetchBlob` promises
 * `{name, blob}`, and fails with `{code, message}`. An AbortSignal ends it.
 */
export function createDownloads(line) {
  const coming = new Map();

  function begin(one) {
    const ref = line.ref();
    Object.assign(one, { ref, parts: [], got: 0, name: "", type: "", size: 0, begun: false, movedAt: performance.now() });
    coming.set(ref, one);
    line.send({ type: "fetch", ...one.what, ref });
  }

  function again(one) {
    one.stalls += 1;
    stop(one);
    if (one.stalls < MOST_STALLS) begin(one);
    else one.fail({ code: "panel.cut_off", message: "" });
  }

  /** The kernel may forget it, and so do we. */
  function stop(one) {
    coming.delete(one.ref);
    line.send({ type: "blob_cancel", ref: one.ref });
  }

  function onBegin({ ref, name, media_type, size_bytes }) {
    const one = coming.get(ref);
    if (one) Object.assign(one, { name, type: media_type, size: size_bytes, begun: true, movedAt: performance.now() });
  }

  function onChunk({ ref, offset, last }, buffers) {
    const one = coming.get(ref);
    if (!one) return;
    if (offset !== one.got) return again(one);
    for (const view of buffers) {
      one.parts.push(view);
      one.got += view.byteLength;
    }
    one.movedAt = performance.now();
    one.told?.(one.size ? one.got / one.size : null);
    line.send({ type: "blob_at", ref, offset: one.got });
    if (last) end(ref, (it) => it.done({ name: it.name, blob: new Blob(it.parts, { type: it.type }) }));
  }

  function end(ref, how) {
    const one = coming.get(ref);
    coming.delete(ref);
    if (one) how(one);
  }

  function giveUp() {
    for (const ref of [...coming.keys()]) end(ref, (it) => it.fail({ code: "panel.cut_off", message: "" }));
  }

  // Chunks may be lost while all else comes: then the line itself notices nothing.
  function lookForStalled() {
    if (line.state !== "up") return;
    for (const one of [...coming.values()]) {
      const patience = Math.min((one.begun ? STALLED_MS : SLOW_MS) * 2 ** one.stalls, MOST_PATIENCE_MS);
      if (performance.now() - one.movedAt >= patience) again(one);
    }
  }
  const watch = setInterval(lookForStalled, 1_000);

  line.on("blob_begin", onBegin);
  line.on("blob_chunk", onChunk);
  line.on("problem", ({ ref, error }) => end(ref, (it) => it.fail(error)));
  line.on("state", ({ state, ended }) => {
    if (ended) giveUp();
    // What was on its way when the line broke comes no more.
    if (state === "down") for (const one of coming.values()) one.cut = true;
  });
  line.on("welcome", () => {
    for (const one of [...coming.values()].filter((it) => it.cut)) {
      one.cut = false;
      again(one);
    }
  });

  return {
    owns: (ref) => coming.has(ref),
    fetchBlob(what, told = null, signal = null) {
      return new Promise((done, fail) => {
        const one = { what, done, fail, told, stalls: 0, cut: line.state === "down" };
        begin(one);
        signal?.addEventListener("abort", () => {
          if (coming.get(one.ref) !== one) return;
          stop(one);
          fail({ code: "canceled", message: "" });
        });
      });
    },
    close: () => clearInterval(watch),
  };
}

/** Hands a blob to the browser's own downloads. */
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
