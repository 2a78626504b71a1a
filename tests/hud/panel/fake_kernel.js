// A kernel for the panel's tests: speaks as messages.py says, and does what the test tells it.
// `fake.heard` is all the panel said, `fake.told` all it was told.

globalThis.createFake = (given = {}) => {
  const listeners = new Set();
  const ends = new Set();
  const uploads = new Map();
  const saved = JSON.parse(sessionStorage.getItem("fake") ?? "{}");
  let jobs = 0;
  const submitted = new Map();

  const engine = (name, more = {}) => ({
    name, available: true, why_not: null, default: false, default_model: "base",
    models: ["tiny", "base", "small", "large-v3", "large-v3-turbo"],
    devices: ["auto", "gpu", "cpu"], languages: ["de", "en", "es", "fr", "pt"],
    translates: true, word_timestamps: true, sends_audio_to: null,
    options: ["language", "task", "word_timestamps", "beam_size", "temperature", "initial_prompt",
      "hotwords", "vad_filter", "silence_guard", "batch_size", "compute_type", "best_of"],
    ...more,
  });

  const fake = {
    heard: [],
    told: [],
    bytes: {},
    rows: [],
    texts: {},
    blobs: {},
    partial: saved.partial ?? {},
    // Answers to chunks wait here while `holding`.
    holding: false,
    held: [],
    // Chunks are lost while `dropping`, and nobody answers them.
    dropping: false,
    mute: false,
    failNext: null,
    welcome: {
      type: "welcome", version: "0.0", session_id: "s".repeat(32), link: null, chunk_bytes: 1000,
      window: 4, max_file_bytes: 2_000_000, max_files: 50, retention_s: 86_400, now: Date.now() / 1000,
    },
    choices: {
      type: "choices",
      engines: [
        engine("faster-whisper", { default: true }),
        engine("openai-whisper"),
        engine("assemblyai", {
          default_model: "universal-2", models: ["universal-2"], devices: ["auto"], translates: false,
          sends_audio_to: "AssemblyAI", options: ["diarize", "hotwords", "language", "max_speakers", "min_speakers", "speakers"],
        }),
        engine("transformers", { available: false, why_not: "torch is not installed: pip install 'hybrid-transcribe[transformers]'" }),
      ],
      postprocessors: [],
      formats: ["txt", "srt", "vtt", "tsv", "json"],
      extensions: [".wav", ".mp3", ".m4a", ".ogg", ".mp4", ".zip"],
    },
    ...given,

    row(more = {}) {
      const id = more.id ?? `r${fake.rows.length}`;
      const state = more.state ?? "queued";
      const done = ["completed", "failed", "canceled", "rejected"].includes(state);
      return {
        id, job_id: `j-${id}`, recording_id: id, index: 0, of: 1, name: `${id}.wav`, session: "a1b2c3",
        engine: "faster-whisper", model: "base", device: null, asked_device: "auto", language: null,
        language_probability: null, state, stage: null, stage_percentage: null,
        percentage: state === "completed" ? 100 : 0, eta_s: null, done_s: 0, duration_s: 60, n_segments: 0,
        attempt: 1, ahead: 0, error: null, warnings: [], messages: [], size_bytes: 1_000, started_at: null, finished_at: null,
        expires_at: null, kept: false, sends_audio_to: null, options: {},
        actions: done ? ["retry", "keep", "delete", "open"] : ["cancel", "delete", "open"],
        ...more,
      };
    },
    setRows(rows) {
      fake.rows = rows;
      fake.tell({ type: "rows", rows, gone: [], order: rows.map((row) => row.id), reset: true, others_ahead: 0 });
    },
    change(id, changes) {
      fake.rows = fake.rows.map((row) => (row.id === id ? { ...row, ...changes } : row));
      fake.tell({ type: "rows", rows: fake.rows.filter((row) => row.id === id), gone: [], order: null, reset: false, others_ahead: 0 });
    },
    drop(ids) {
      fake.rows = fake.rows.filter((row) => !ids.includes(row.id));
      fake.tell({ type: "rows", rows: [], gone: ids, order: fake.rows.map((row) => row.id), reset: false, others_ahead: 0 });
    },
    segment: (start_s, text, more = {}) => ({
      start_s, end_s: start_s + 4, text, words: [], avg_logprob: -0.2, no_speech_prob: 0.01,
      compression_ratio: 1.2, temperature: 0, speaker: null, ...more,
    }),
    text(row, start, segments, complete = false) {
      fake.tell({ type: "text", job_id: row.job_id, recording_id: row.recording_id, start, segments, complete, speakers: row.speakers ?? [] });
    },
    tell(message, buffers = []) {
      fake.told.push(message);
      // As it is over a real line: copies, and later.
      const copy = structuredClone(message);
      queueMicrotask(() => listeners.forEach((listener) => listener(copy, buffers)));
    },
    // As a notebook does whose kernel is started again.
    end() {
      fake.mute = true;
      ends.forEach((listener) => listener());
    },
    release() {
      fake.holding = false;
      fake.held.splice(0).forEach((answer) => answer());
    },
    model: {
      get() {},
      set() {},
      save_changes() {},
      on(event, listener) {
        if (event === "msg:custom") listeners.add(listener);
        if (event === "comm_live_update") ends.add(listener);
      },
      off(event, listener) {
        listeners.delete(listener);
        ends.delete(listener);
      },
      send(message, callbacks, buffers = []) {
        fake.heard.push(structuredClone(message));
        if (!fake.mute) setTimeout(() => answers[message.type]?.(message, buffers), 0);
      },
    },
  };

  function later(answer) {
    if (fake.holding) fake.held.push(answer);
    else answer();
  }

  function at(upload, complete) {
    fake.tell({ type: "upload_at", upload_id: upload.id, offset: upload.got, complete });
  }

  function done(message) {
    if (fake.failNext) {
      const error = fake.failNext;
      fake.failNext = null;
      fake.tell({ type: "problem", ref: message.ref, error });
      return false;
    }
    fake.tell({ type: "done", ref: message.ref });
    return true;
  }

  const answers = {
    hello(message) {
      fake.tell({ ...fake.welcome, session_id: fake.welcome.session_id && (message.session_id ?? fake.welcome.session_id) });
      fake.tell(fake.choices);
      fake.setRows(fake.rows);
    },
    engines: () => fake.tell(fake.choices),
    upload_begin({ upload_id, name, size_bytes }) {
      const got = fake.partial[`${name}:${size_bytes}`] ?? 0;
      const upload = { id: upload_id, name, size: size_bytes, got };
      uploads.set(upload_id, upload);
      fake.bytes[name] ??= [];
      fake.bytes[name].length = got;
      if (fake.failUpload === name) {
        fake.tell({ type: "upload_failed", upload_id, error: { code: "disk_full", message: `${name}: no room left on this disk; what had come is kept` } });
      } else at(upload, got === size_bytes);
    },
    upload_chunk({ upload_id, offset }, buffers) {
      const upload = uploads.get(upload_id);
      if (!upload || fake.dropping) return;
      if (fake.loseNext) {
        fake.loseNext = false;
      } else if (offset === upload.got) {
        fake.bytes[upload.name].push(...new Uint8Array(buffers[0]));
        upload.got += buffers[0].byteLength;
        fake.partial[`${upload.name}:${upload.size}`] = upload.got;
      }
      later(() => at(upload, upload.got === upload.size));
    },
    upload_cancel: ({ upload_id }) => uploads.delete(upload_id),
    submit(message) {
      if (fake.failNext) return void done(message);
      if (submitted.has(message.key)) {
        return void fake.tell({ type: "submitted", ref: message.ref, job_id: submitted.get(message.key), rejected: [] });
      }
      jobs += 1;
      const job_id = `job${jobs}`;
      submitted.set(message.key, job_id);
      const rows = message.upload_ids.map((id, index) => fake.row({
        id: `${job_id}-${index}`, job_id, index, of: message.upload_ids.length, name: uploads.get(id).name,
        engine: message.how.engine, model: message.how.model ?? "base",
      }));
      fake.tell({ type: "submitted", ref: message.ref, job_id, rejected: [] });
      fake.setRows([...fake.rows, ...rows]);
    },
    cancel(message) {
      if (done(message)) fake.change(message.recording_id, { state: "canceled", actions: ["retry", "delete", "open"] });
    },
    retry(message) {
      if (done(message)) fake.change(message.recording_id, { state: "queued", attempt: 2, error: null, percentage: 0, actions: ["cancel", "open"], ...(message.changes.engine && { engine: message.changes.engine }) });
    },
    keep(message) {
      if (!done(message)) return;
      const actions = ["retry", message.keep ? "unkeep" : "keep", "delete", "open"];
      fake.rows.filter((row) => row.job_id === message.job_id).forEach((row) => fake.change(row.id, { kept: message.keep, actions }));
    },
    delete(message) {
      if (done(message)) fake.drop(fake.rows.filter((row) => row.job_id === message.job_id).map((row) => row.id));
    },
    follow(message) {
      const text = fake.texts[message.recording_id];
      if (text) fake.tell({ type: "text", job_id: message.job_id, recording_id: message.recording_id, start: 0, speakers: [], ...text });
    },
    fetch(message) {
      const key = message.what === "result" ? message.format : message.what === "results" ? `${message.format}/${message.inside}` : "audio";
      const blob = fake.blobs[key];
      if (!blob) return void fake.tell({ type: "problem", ref: message.ref, error: { code: "unknown_recording", message: `no ${key}` } });
      const bytes = new Uint8Array(blob.bytes);
      fake.tell({ type: "blob_begin", ref: message.ref, name: blob.name, media_type: blob.media_type ?? "application/octet-stream", size_bytes: bytes.length });
      const step = Math.ceil(bytes.length / 3);
      for (let offset = 0; offset < bytes.length; offset += step) {
        const part = bytes.slice(offset, offset + step);
        fake.tell({ type: "blob_chunk", ref: message.ref, offset, last: offset + step >= bytes.length }, [new DataView(part.buffer)]);
      }
    },
  };
  return fake;
};
