// Files on their way down: chunks over the line, put together and handed to the browser.

/**
 * Fetches over the line; `fetchBlob` promises `{name, blob}`, and fails with `{code, message}`. An
 * AbortSignal ends it.
 */
export function createDownloads(line) {
  const coming = new Map();

  function onBegin(message) {
    const one = coming.get(message.ref);
    if (one) Object.assign(one, { name: message.name, type: message.media_type, size: message.size_bytes });
  }

  function onChunk({ ref, offset, last }, buffers) {
    const one = coming.get(ref);
    if (!one) return;
    if (offset !== one.got) {
      line.send({ type: "blob_cancel", ref });
      return end(ref, (it) => it.fail({ code: "panel.cut_off", message: "" }));
    }
    for (const view of buffers) {
      one.parts.push(view);
      one.got += view.byteLength;
    }
    one.told?.(one.size ? one.got / one.size : null);
    line.send({ type: "blob_at", ref, offset: one.got });
    if (last) end(ref, (it) => it.done({ name: it.name, blob: new Blob(it.parts, { type: it.type }) }));
  }

  function end(ref, how) {
    const one = coming.get(ref);
    coming.delete(ref);
    if (one) how(one);
  }

  line.on("blob_begin", onBegin);
  line.on("blob_chunk", onChunk);
  line.on("problem", ({ ref, error }) => end(ref, (it) => it.fail(error)));
  // What was on its way when the line broke comes no more.
  line.on("connection", ({ up }) => {
    if (!up) for (const ref of [...coming.keys()]) end(ref, (it) => it.fail({ code: "panel.cut_off", message: "" }));
  });

  return {
    owns: (ref) => coming.has(ref),
    fetchBlob(what, told = null, signal = null) {
      const ref = line.ref();
      return new Promise((done, fail) => {
        coming.set(ref, { done, fail, told, parts: [], got: 0, name: "", type: "", size: 0 });
        line.send({ type: "fetch", ...what, ref });
        signal?.addEventListener("abort", () => {
          if (!coming.has(ref)) return;
          line.send({ type: "blob_cancel", ref });
          end(ref, (it) => it.fail({ code: "canceled", message: "" }));
        });
      });
    },
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
