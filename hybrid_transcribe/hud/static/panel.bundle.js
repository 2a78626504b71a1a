// Built by `make build` from frontend/: edit there. After a merge or rebase, build again.
// frontend/panel/dom.js sha256=7f7c99a88c870ed7ace16e2262281d47aa9db08405567d108a7d9560f1790fde
var SVG = "http://www.w3.org/2000/svg";
var ICONS = {
  cancel: "M6 6l12 12M18 6L6 18",
  retry: "M4.6 14a7.8 7.8 0 1 0 1.6-7.4L4 9M4 4.5V9h4.5",
  change: "M4 8.5h14l-4-4M20 15.5H6l4 4",
  delete: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.4 10.5v5.5M13.6 10.5v5.5",
  keep: "M7 4.5h10v15l-5-3.8-5 3.8z",
  download: "M12 4.5v10.5M7.5 10.8L12 15.2l4.5-4.4M5 19.5h14",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  upload: "M12 15.5V4.8M7.5 9.2L12 4.8l4.5 4.4M5 15.5v4h14v-4",
  folder: "M3.5 6h6l2 2.5h9v10.5h-17z",
  file: "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.4 15.4L20 20",
  cloud: "M7 18.5a4.5 4.5 0 0 1-.4-9A6 6 0 0 1 18 10.5a4 4 0 0 1 0 8z",
  warning: "M12 4.2l8.8 15.3H3.2zM12 10v4.4M12 16.8v.4",
  info: "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17zM12 11v5M12 7.8v.4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  listen: "M8 5.5v13l10.5-6.5z",
  clock: "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17zM12 7.5V12l3 2",
  wave: "M4 10v4M8 6.5v11M12 3.5v17M16 7.5v9M20 10.5v3"
};
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else attr(node, name, value);
  }
  return fill(node, ...children);
}
function fill(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child == null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}
function attr(node, name, value) {
  if (value == null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}
function put(node, text) {
  const shown = text == null ? "" : String(text);
  if (node.textContent !== shown) node.textContent = shown;
}
function show(node, shown) {
  if (node.hidden === Boolean(shown)) node.hidden = !shown;
}
function swap(node, ...children) {
  node.replaceChildren();
  return fill(node, ...children);
}
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({
    class: "ht-icon",
    viewBox: "0 0 24 24",
    "aria-hidden": "true",
    focusable: "false"
  })) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
function button(name, { sign, bare = false, kind = "", press, ...more } = {}) {
  return h(
    "button",
    {
      type: "button",
      class: `ht-button ${kind ? `ht-${kind}` : ""} ${bare ? "ht-bare" : ""}`.trim(),
      title: bare ? name : null,
      "aria-label": bare ? name : null,
      onclick: press ?? (() => {
      }),
      ...more
    },
    sign ? icon(sign) : null,
    bare ? null : h("span", {}, name)
  );
}
var counted = 0;
function freshId() {
  counted += 1;
  return `ht-${counted}-${Math.floor(Math.random() * 1e9).toString(36)}`;
}
function field(label, control, { hint = null, wide = false } = {}) {
  control.id ||= freshId();
  const note = hint ? h("span", { class: "ht-hint", id: freshId() }, hint) : null;
  if (note) attr(control, "aria-describedby", note.id);
  return h(
    "div",
    { class: wide ? "ht-field ht-wide" : "ht-field" },
    h("label", { for: control.id }, label),
    control,
    note
  );
}
function checkbox(label, checked, change, hint = null) {
  const box = h("input", { type: "checkbox", onchange: () => change(box.checked) });
  box.checked = checked;
  const made = h("label", { class: "ht-check" }, box, h("span", {}, label));
  if (hint) attr(made, "title", hint);
  return made;
}
function select(options, chosen, change, attributes = {}) {
  const made = h(
    "select",
    { ...attributes, onchange: () => change(made.value) },
    options.map(([value, label, more = {}]) => h("option", { value, ...more }, label))
  );
  made.value = chosen;
  return made;
}

// frontend/panel/options.js sha256=efff835463f33171e9d9ef6e94eb88313c95f1bf94f95d86df67947bfb37099d
var COMMON = [
  { name: "initial_prompt", kind: "text", wide: true },
  { name: "hotwords", kind: "text", wide: true },
  { name: "vad_filter", kind: "maybe" },
  { name: "silence_guard", kind: "switch", usual: true },
  { name: "diarize", kind: "switch", usual: false },
  { name: "condition_on_previous_text", kind: "maybe" },
  { name: "beam_size", kind: "integer", min: 1, max: 100 },
  { name: "batch_size", kind: "integer", min: 1, max: 256 },
  { name: "temperature", kind: "numbers" },
  { name: "compute_type", kind: "name", offers: ["int8", "int8_float16", "float16", "bfloat16", "float32"] }
];
var EXPERT = [
  { name: "best_of", kind: "integer", min: 1 },
  { name: "patience", kind: "number", min: 0 },
  { name: "length_penalty", kind: "number" },
  { name: "repetition_penalty", kind: "number", min: 0 },
  { name: "no_repeat_ngram_size", kind: "integer", min: 0 },
  { name: "compression_ratio_threshold", kind: "number", min: 0 },
  { name: "log_prob_threshold", kind: "number" },
  { name: "no_speech_threshold", kind: "number", min: 0, max: 1 },
  { name: "hallucination_silence_threshold", kind: "number", min: 0 },
  { name: "max_new_tokens", kind: "integer", min: 1 },
  { name: "chunk_length", kind: "integer", min: 1 },
  { name: "clip_timestamps", kind: "numbers" },
  { name: "suppress_tokens", kind: "numbers" },
  { name: "prefix", kind: "text" },
  { name: "audio_track", kind: "text" },
  { name: "multilingual", kind: "maybe" },
  { name: "languages", kind: "text" },
  { name: "without_timestamps", kind: "maybe" },
  { name: "suppress_blank", kind: "maybe" }
];
function parsed(option, typed) {
  const text = typed.trim();
  if (!text) return void 0;
  if (option.kind === "text" || option.kind === "name") return text;
  if (option.kind === "numbers") {
    const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
    return numbers.every(Number.isFinite) ? numbers : null;
  }
  const number = Number(text.replace(",", "."));
  const fits = Number.isFinite(number) && (option.kind !== "integer" || Number.isInteger(number)) && number >= (option.min ?? -Infinity) && number <= (option.max ?? Infinity);
  return fits ? number : null;
}
var USUAL_LANGUAGES = ["en", "pt", "es", "fr", "de", "it"];
function languagesOf(how, choice) {
  if (choice.languages.length) return choice.languages;
  return [.../* @__PURE__ */ new Set([...USUAL_LANGUAGES, how.language])].filter(Boolean);
}
var deviceFor = (how, choice) => choice.devices.includes(how.device) ? how.device : "auto";
function languageFor(how, choice) {
  const known = choice.options.includes("language") && languagesOf(how, choice).includes(how.language);
  return known ? how.language : "";
}
var taskFor = (how, choice) => choice.translates ? how.task : "transcribe";
function keywords(how, choice) {
  const [language, task] = [languageFor(how, choice), taskFor(how, choice)];
  const made = { engine: choice.name, device: deviceFor(how, choice) };
  if (how.model.trim()) made.model = how.model.trim();
  if (language) made.language = language;
  if (task !== "transcribe") made.task = task;
  if (how.word_timestamps && choice.word_timestamps) made.word_timestamps = true;
  for (const [name, value] of Object.entries(how.options)) {
    if (choice.options.includes(name) && value != null) made[name] = value;
  }
  return made;
}

// frontend/panel/choices.js sha256=f22fa8fb08b6e870d351c5ff5c5ff76474fc2395a0dc43094ddf7a00de45094c
var OTHER = "\0other";
function choicesView(hub, i18n, { how, change }) {
  const { t } = i18n;
  const el = h("div", { class: "ht-choices" });
  const open2 = { more: false, expert: false };
  let otherModel = false;
  function draw(values) {
    const choices = hub.store.get("choices");
    const choice = hub.chosen(values);
    if (!choices || !choice) return void swap(el, waiting(choices));
    swap(
      el,
      h(
        "div",
        { class: "ht-grid" },
        engineField(choices, choice),
        modelField(choice, values),
        deviceField(choice, values),
        languageField(choice, values),
        taskField(choice, values),
        wordsBox(choice, values)
      ),
      more(choice, values),
      unavailable(choices)
    );
  }
  function waiting(choices) {
    return choices ? h("div", {}, h("p", { class: "ht-quiet" }, t("choices.none")), unavailable(choices)) : h("div", { class: "ht-skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  }
  function engineField(choices, choice) {
    const names = choices.engines.map((engine) => {
      const label = engine.available ? engine.name : t("choices.unavailable", { name: engine.name });
      return [engine.name, label, { disabled: !engine.available, title: i18n.tell(engine.why_not ?? "").text || null }];
    });
    return field(t("choices.engine"), select(names, choice.name, (engine) => {
      otherModel = false;
      redraw({ engine, model: "" });
    }, { name: "engine" }));
  }
  function modelField(choice, values) {
    const known = values.model === "" || choice.models.includes(values.model);
    const typing = otherModel || !known;
    const usual = choice.default_model;
    const names = [
      ["", usual ? t("choices.model_default", { name: usual }) : t("choices.default")],
      ...choice.models.filter((name) => name !== usual).map((name) => [name, name]),
      [OTHER, t("choices.model_other")]
    ];
    const shown = typing ? OTHER : values.model === usual ? "" : values.model;
    const list = select(names, shown, (name) => {
      otherModel = name === OTHER;
      redraw({ model: otherModel ? "" : name });
      if (otherModel) el.querySelector("[name=other_model]").focus();
    }, { name: "model" });
    const made = field(t("choices.model"), list);
    if (typing) {
      made.append(h("input", {
        type: "text",
        name: "other_model",
        value: known ? "" : values.model,
        spellcheck: "false",
        placeholder: t("choices.model_placeholder"),
        "aria-label": t("choices.model_placeholder"),
        oninput: (event) => change({ model: event.target.value })
      }));
    }
    return made;
  }
  function deviceField(choice, values) {
    const names = ["auto", ...choice.devices.filter((name) => name !== "auto")];
    const labels = names.map((name) => [name, deviceName(i18n, name)]);
    return field(t("choices.device"), select(labels, deviceFor(values, choice), (device) => change({ device }), {
      name: "device",
      disabled: names.length < 2
    }));
  }
  function languageField(choice, values) {
    const collator = new Intl.Collator(i18n.language);
    const named = languagesOf(values, choice).map((code) => [code, i18n.languageName(code)]).sort(([, one], [, other]) => collator.compare(one, other));
    return field(t("choices.language"), select(
      [["", t("choices.detect")], ...named],
      languageFor(values, choice),
      (language) => change({ language }),
      { name: "language", disabled: !choice.options.includes("language") }
    ));
  }
  function taskField(choice, values) {
    const tasks = [["transcribe", t("task.transcribe")]];
    if (choice.translates) tasks.push(["translate", t("task.translate")]);
    return field(t("choices.task"), select(tasks, taskFor(values, choice), (task) => change({ task }), {
      name: "task",
      disabled: tasks.length < 2
    }));
  }
  function wordsBox(choice, values) {
    const made = checkbox(
      t("choices.words"),
      values.word_timestamps && choice.word_timestamps,
      (word_timestamps) => change({ word_timestamps }),
      t("choices.words_hint")
    );
    const box = made.querySelector("input");
    box.name = "word_timestamps";
    box.disabled = !choice.word_timestamps;
    return h("div", { class: "ht-field ht-boxes" }, made);
  }
  function unavailable(choices) {
    const lacking = choices.engines.filter((engine) => !engine.available);
    if (lacking.length === 0) return null;
    return h(
      "details",
      { class: "ht-more" },
      h("summary", {}, t("choices.lacking", { count: lacking.length })),
      h("dl", { class: "ht-reasons" }, lacking.map((engine) => {
        const why = i18n.tell(engine.why_not ?? "");
        return [h("dt", {}, engine.name), h("dd", { lang: why.lang }, why.text)];
      })),
      button(t("choices.look"), { sign: "retry", kind: "small", press: hub.look })
    );
  }
  function more(choice, values) {
    const common = COMMON.filter((option) => choice.options.includes(option.name));
    const expert = EXPERT.filter((option) => choice.options.includes(option.name));
    if (common.length + expert.length === 0) return null;
    return details(
      t("choices.more"),
      "more",
      h("div", { class: "ht-grid" }, common.map((option) => control(option, values))),
      expert.length === 0 ? null : details(
        t("choices.expert"),
        "expert",
        h("div", { class: "ht-grid" }, expert.map((option) => control(option, values)))
      )
    );
  }
  function details(label, which, ...children) {
    return h("details", {
      class: "ht-more",
      open: open2[which],
      ontoggle: (event) => open2[which] = event.target.open
    }, h("summary", {}, label), children);
  }
  function control(option, values) {
    const label = t(`option.${option.name}`);
    const value = values.options[option.name];
    const set = (next) => {
      const options = { ...values.options, [option.name]: next };
      values.options = options;
      change({ options });
    };
    if (option.kind === "switch") {
      const made2 = checkbox(
        label,
        value ?? option.usual,
        (on) => set(on === option.usual ? void 0 : on)
      );
      made2.querySelector("input").name = option.name;
      return h("div", { class: "ht-field ht-boxes" }, made2);
    }
    if (option.kind === "maybe") return field(label, maybe(option, value, set));
    const offers = option.offers ? h(
      "datalist",
      { id: freshId() },
      option.offers.map((one) => h("option", { value: one }))
    ) : null;
    const made = field(label, typed(option, value, set, offers?.id), {
      wide: option.wide,
      hint: option.wide ? t(`hint.${option.name}`) : null
    });
    return offers ? (made.append(offers), made) : made;
  }
  function maybe(option, value, set) {
    const names = [["", t("choices.default")], ["yes", t("choices.yes")], ["no", t("choices.no")]];
    const shown = value === void 0 ? "" : value ? "yes" : "no";
    const read = { "": void 0, yes: true, no: false };
    return select(names, shown, (chosen) => set(read[chosen]), { name: option.name });
  }
  function typed(option, value, set, offers) {
    const input = h("input", {
      type: "text",
      name: option.name,
      inputmode: ["integer", "number"].includes(option.kind) ? "decimal" : null,
      value: Array.isArray(value) ? value.join(", ") : value,
      placeholder: option.wide ? null : t("choices.default"),
      list: offers,
      autocomplete: "off",
      oninput() {
        const read = parsed(option, input.value);
        attr(input, "aria-invalid", read === null);
        input.setCustomValidity(read === null ? t("choices.invalid") : "");
        set(read === null ? void 0 : read);
      }
    });
    return input;
  }
  function redraw(changes) {
    const name = document.activeElement?.getAttribute("name");
    const inside = el.contains(document.activeElement);
    change(changes);
    draw({ ...how(), ...changes });
    if (inside && name) el.querySelector(`[name="${name}"]`)?.focus();
  }
  const stop = hub.store.watch("choices", () => draw(how()));
  return { el, close: stop };
}
function cloudMark(i18n, receiver) {
  return h(
    "p",
    { class: "ht-cloud", role: "note" },
    icon("cloud"),
    h("span", {}, i18n.t("cloud.goes", { receiver }))
  );
}
function deviceName(i18n, device) {
  const key = `device.${device}`;
  return i18n.has(key) ? i18n.t(key) : device;
}

// frontend/panel/dialogs.js sha256=c789bf39cbf1309692f4b537d5b407064334db9b764e79b54130bd1be34bfa96
function open(root, label, build, gone = () => {
}) {
  const before = document.activeElement;
  const dialog = h("dialog", { class: "ht-dialog", "aria-label": label });
  const close = () => dialog.close();
  fill(dialog, h("h3", {}, label), ...build(close));
  dialog.addEventListener("close", () => {
    dialog.remove();
    gone();
    before?.focus?.();
  });
  root.append(dialog);
  dialog.showModal();
}
function askDelete(root, hub, i18n, row) {
  const { t } = i18n;
  open(root, t("delete.title"), (close) => [
    h("p", {}, t("delete.what", { count: row.of, name: row.name })),
    h(
      "div",
      { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("action.delete"), { kind: "danger", sign: "delete", press() {
        close();
        hub.remove(row);
      } })
    )
  ]);
}
function askRetry(root, hub, i18n, row) {
  const { t } = i18n;
  if (row.state !== "completed") return void hub.retry(row);
  open(root, t("retry.title"), (close) => [
    h("p", {}, t("retry.what", { name: row.name })),
    h(
      "div",
      { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("change.start"), { kind: "primary", sign: "retry", press() {
        close();
        hub.retry(row);
      } })
    )
  ]);
}
function askDrop(root, hub, i18n, item) {
  const { t } = i18n;
  if (item.state === "failed" || item.offset === 0) return void hub.uploads.cancel(item.id);
  open(root, t("drop.title"), (close) => [
    h("p", {}, t("drop.what", { name: item.name })),
    h(
      "div",
      { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("drop.yes"), { kind: "danger", sign: "cancel", press() {
        close();
        hub.uploads.cancel(item.id);
      } })
    )
  ]);
}
function askChange(root, hub, i18n, row) {
  const { t } = i18n;
  let how = valuesOf(row, hub);
  const cloud = h("div", {});
  const mark = () => {
    const receiver = hub.chosen(how)?.sends_audio_to;
    cloud.replaceChildren(...receiver ? [cloudMark(i18n, receiver)] : []);
  };
  const change = (changes) => {
    how = { ...how, ...changes };
    mark();
  };
  const form = choicesView(hub, i18n, { how: () => how, change });
  mark();
  open(root, t("change.title"), (close) => [
    h("p", { class: "ht-quiet ht-cut", title: row.name }, row.name),
    row.n_segments > 0 || row.state === "completed" ? h("p", { class: "ht-small" }, t("change.replaces")) : null,
    form.el,
    h(
      "div",
      { class: "ht-dialog-foot" },
      cloud,
      h(
        "div",
        { class: "ht-buttons ht-end" },
        button(t("dialog.back"), { press: close }),
        button(t("change.start"), { kind: "primary", sign: "retry", press() {
          const choice = hub.chosen(how);
          close();
          if (choice) hub.retry(row, keywords({ ...how, model: how.model || choice.default_model }, choice));
        } })
      )
    )
  ], form.close);
}
function valuesOf(row, hub) {
  const { language, task, word_timestamps, ...options } = row.options;
  const how = {
    engine: row.engine,
    model: row.model,
    device: row.asked_device,
    language: language ?? "",
    task: task ?? "transcribe",
    word_timestamps: word_timestamps ?? false,
    options
  };
  return hub.chosen(how)?.name === row.engine ? how : { ...how, model: "" };
}

// frontend/panel/store.js sha256=4a29089deab18741e760b1ac6d2d76bd3b98e2af25f059445160b57aaeea13d3
function createStore(values) {
  const listeners = /* @__PURE__ */ new Map();
  return {
    get: (name) => values[name],
    set(changes) {
      Object.assign(values, changes);
      this.tell(...Object.keys(changes));
    },
    tell(...names) {
      for (const name of names) {
        for (const listener of [...listeners.get(name) ?? []]) listener(values[name]);
      }
    },
    /** Calls back now and at every change; gives what ends that. */
    watch(name, listener) {
      if (!listeners.has(name)) listeners.set(name, /* @__PURE__ */ new Set());
      listeners.get(name).add(listener);
      listener(values[name]);
      return () => listeners.get(name).delete(listener);
    }
  };
}
function createEndings() {
  const endings = [];
  return {
    add: (...more) => endings.push(...more),
    end: () => endings.splice(0).forEach((ending) => ending())
  };
}

// frontend/panel/uploads.js sha256=0d98e510b6f024f3165d620b81eee04190472088f8a918fa42fbfb31a50ad369
var AT_ONCE = 3;
var STALLED_MS = 1e4;
var SLOW_TIMES = 4;
var LIVE = /* @__PURE__ */ new Set(["waiting", "sending", "complete"]);
function randomId() {
  const bytes2 = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes2, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function createUploads(line, changed) {
  let items = [];
  let rules = null;
  let unanswered = 0;
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
      id: randomId(),
      file,
      name: file.name,
      size: file.size,
      state: "waiting",
      offset: 0,
      error: null,
      sent: 0,
      owed: 0,
      rewind: null,
      reading: false,
      askedAt: 0,
      stalls: 0
    };
  }
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
      folder: folderOf(item.file)
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
  function lookForStalled() {
    if (!rules || line.state !== "up") return;
    for (const item of items) {
      if (item.state !== "sending" || item.begun && item.owed === 0) continue;
      const patience = Math.max(STALLED_MS, SLOW_TIMES * slowestMs) * 2 ** item.stalls;
      if (performance.now() - item.askedAt < patience) continue;
      item.stalls += 1;
      unanswered -= item.owed;
      takeBack(item);
      begin(item);
    }
  }
  const watch = setInterval(lookForStalled, 1e3);
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
    }
  };
}
function sameFile(one, other) {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified && pathOf(one) === pathOf(other);
}
var paths = /* @__PURE__ */ new WeakMap();
var pathOf = (file) => (paths.get(file) ?? file.webkitRelativePath ?? "").replace(/^\//, "");
var folderOf = (file) => pathOf(file).split("/").slice(0, -1).join("/");
async function droppedFiles(transfer) {
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
  for (; ; ) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    yield* some;
  }
}
function recordingsAmong(files, extensions) {
  const known = new Set(extensions.map((one) => one.toLowerCase().replace(/^\.?/, ".")));
  const kept = files.filter((file) => {
    const dot = file.name.lastIndexOf(".");
    return dot > 0 && known.has(file.name.slice(dot).toLowerCase());
  });
  return { kept, leftOut: files.length - kept.length };
}

// frontend/panel/files.js sha256=2b13e34846cd670d6f64548824fc272ec394745515d7ebbbb06c12d9445716d3
var HOPELESS = /* @__PURE__ */ new Set(["panel.too_large", "too_large", "empty_input"]);
function filesView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const lines = /* @__PURE__ */ new Map();
  const files = picker({ multiple: true });
  const folder = picker({ webkitdirectory: true, multiple: true });
  files.addEventListener("change", () => take(files, (list2) => hub.addFiles(list2)));
  folder.addEventListener("change", () => take(folder, (list2) => hub.addFiles([], list2)));
  const hint = h("p", { class: "ht-quiet ht-small" });
  const zone = h(
    "div",
    { class: "ht-drop", role: "group", "aria-label": t("files.drop") },
    h("div", { class: "ht-drop-sign" }, icon("upload")),
    h("p", { class: "ht-drop-title" }, t("files.drop")),
    h(
      "div",
      { class: "ht-buttons" },
      button(t("files.choose"), { sign: "file", press: () => files.click() }),
      button(t("files.folder"), { sign: "folder", press: () => folder.click() })
    ),
    hint,
    files,
    folder
  );
  const list = h("ul", { class: "ht-files", "aria-label": t("files.list") });
  const el = h("div", { class: "ht-files-side" }, zone, list);
  function picker(attributes) {
    return h("input", { type: "file", hidden: true, tabindex: "-1", "aria-hidden": "true", ...attributes });
  }
  function take(input, add) {
    const chosen = [...input.files];
    input.value = "";
    if (chosen.length) add(chosen);
  }
  let within = 0;
  const drag = {
    dragenter(event) {
      event.preventDefault();
      within += 1;
      zone.classList.add("ht-over");
    },
    dragover(event) {
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    },
    dragleave() {
      within -= 1;
      if (within <= 0) zone.classList.remove("ht-over");
    },
    async drop(event) {
      event.preventDefault();
      event.stopPropagation();
      within = 0;
      zone.classList.remove("ht-over");
      try {
        const dropped = await droppedFiles(event.dataTransfer);
        hub.addFiles(dropped.files, dropped.nested, dropped.skipped);
      } catch {
        hub.notify("error", { code: "panel.unreadable", message: "" });
      }
    }
  };
  for (const [name, listener] of Object.entries(drag)) zone.addEventListener(name, listener);
  function line(item) {
    const name = h("span", { class: "ht-file-name", title: item.name }, item.name);
    const note = h("span", { class: "ht-file-note" }, h("span"), h("span"));
    const bar = h("div", {
      class: "ht-bar",
      role: "progressbar",
      "aria-label": item.name,
      "aria-valuemin": "0",
      "aria-valuemax": "100"
    }, h("i"));
    const again = button(t("files.again"), {
      sign: "retry",
      bare: true,
      kind: "ghost",
      press: () => hub.uploads.retry(item.id)
    });
    const drop = button(t("files.remove", { name: item.name }), {
      sign: "cancel",
      bare: true,
      kind: "ghost",
      press: () => askDrop(root(), hub, i18n, item)
    });
    const node = h(
      "li",
      { class: "ht-file" },
      h("div", { class: "ht-file-line" }, name, note, again, drop),
      bar
    );
    return { node, note, bar, again };
  }
  function update(made, item) {
    const part = item.size ? 100 * item.offset / item.size : 0;
    attr(made.node, "data-state", item.state);
    const [wording, detail] = made.note.childNodes;
    const why = i18n.tell(item.error?.message ?? "");
    put(wording, noteOf(item, part));
    put(detail, why.text ? ` ${why.text}` : "");
    attr(detail, "lang", why.lang);
    attr(made.bar, "aria-valuenow", Math.floor(part));
    made.bar.firstChild.style.width = `${part}%`;
    show(made.bar, item.state === "sending" || item.state === "waiting");
    show(made.again, item.state === "failed" && !HOPELESS.has(item.error.code));
  }
  function noteOf(item, part) {
    if (item.state === "failed") return told(item.error);
    if (item.state === "complete") return i18n.bytes(item.size);
    return `${i18n.percent(part)} · ${i18n.bytes(item.size)}`;
  }
  function told(error) {
    const limits = hub.store.get("welcome");
    if (error.code === "panel.too_large") {
      return t("error.panel.too_large", { limit: i18n.bytes(limits.max_file_bytes) });
    }
    if (error.code === "panel.too_many") return t("error.panel.too_many", { count: limits.max_files });
    return i18n.wording(error);
  }
  endings.add(
    hub.store.watch("uploads", (items) => {
      const there = new Set(items.map((item) => item.id));
      for (const [id, made] of lines) {
        if (there.has(id)) continue;
        made.node.remove();
        lines.delete(id);
      }
      for (const item of items) {
        if (!lines.has(item.id)) {
          lines.set(item.id, line(item));
          list.append(lines.get(item.id).node);
        }
        update(lines.get(item.id), item);
      }
      show(list, items.length);
      el.classList.toggle("ht-some", items.length > 0);
    }),
    hub.store.watch("welcome", (welcome) => {
      put(hint, welcome ? t("files.hint", { limit: i18n.bytes(welcome.max_file_bytes) }) : "");
    }),
    hub.store.watch("choices", (choices) => {
      if (choices) attr(files, "accept", ["audio/*", "video/*", ...choices.extensions].join(","));
    })
  );
  return { el, close: endings.end };
}

// frontend/panel/compose.js sha256=39064194d0c8134cc4b574e4f65771d9199b69e597312066b736ba33fb692be7
function composeView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const files = filesView(hub, i18n, root);
  const choices = choicesView(hub, i18n, { how: () => hub.store.get("how"), change: hub.setHow });
  const summary = h("span", { role: "status" });
  const part = h("span", {});
  const cloud = h("div", { class: "ht-cloud-place" });
  const atOnce = checkbox(t("compose.at_once"), hub.store.get("atOnce"), hub.setAtOnce);
  const start = button(t("compose.start"), { kind: "primary", press: hub.arm });
  const stop = button(t("compose.stop"), { kind: "plain", press: hub.disarm });
  const el = h(
    "section",
    { class: "ht-card ht-compose", "aria-label": t("compose.title") },
    h(
      "div",
      { class: "ht-sides" },
      files.el,
      h("div", { class: "ht-choices-side" }, choices.el)
    ),
    h("div", { class: "ht-foot" }, cloud, h(
      "div",
      { class: "ht-foot-line" },
      h("span", { class: "ht-summary" }, summary, part),
      atOnce,
      stop,
      start
    ))
  );
  let wasComing = null;
  function announce(coming) {
    if (wasComing === false && coming) hub.say(t("compose.begun"));
    if (wasComing && !coming) hub.say(t("compose.arrived"));
    wasComing = coming;
  }
  function refresh() {
    const items = hub.store.get("uploads").filter((item) => item.state !== "failed");
    const armed = hub.store.get("armed");
    const coming = items.filter((item) => item.state !== "complete").length;
    put(summary, summed(items));
    put(part, sentSoFar(items, coming, armed));
    announce(coming > 0);
    start.disabled = items.length === 0 || Boolean(armed) || !hub.chosen();
    show(stop, armed && !armed.sent && coming > 0);
    show(start, !(armed && !armed.sent && coming > 0));
    drawCloud();
  }
  function summed(items) {
    if (items.length === 0) return t("compose.empty");
    const size = i18n.bytes(items.reduce((sum, item) => sum + item.size, 0));
    return t("compose.files", { count: items.length, size });
  }
  function sentSoFar(items, coming, armed) {
    if (coming === 0) return "";
    const sent = items.reduce((sum, item) => sum + item.offset, 0);
    const all = items.reduce((sum, item) => sum + item.size, 0);
    const told = { part: i18n.percent(all ? 100 * sent / all : 0) };
    return ` · ${armed ? t("compose.starts_then", told) : t("compose.coming", told)}`;
  }
  let shownFor = null;
  function drawCloud() {
    const receiver = hub.chosen()?.sends_audio_to ?? null;
    if (receiver === shownFor) return;
    shownFor = receiver;
    swap(cloud, receiver ? cloudMark(i18n, receiver) : null);
  }
  for (const name of ["uploads", "armed", "choices", "how"]) endings.add(hub.store.watch(name, refresh));
  endings.add(files.close, choices.close);
  return { el, close: endings.end };
}

// frontend/panel/session.js sha256=bf94f6e5b8b96df1adf88e64f5af1114db551a81efc6ca1653cf7b11da45448b
var SESSION = "hybrid-transcribe.session";
function recall(key) {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}
function remember(key, value) {
  try {
    if (value == null) window.localStorage.removeItem(key);
    else window.localStorage.setItem(key, value);
  } catch {
  }
}
function addressedSession() {
  const inFragment = new URLSearchParams(window.location.hash.slice(1)).get("session");
  const inQuery = new URLSearchParams(window.location.search).get("session");
  return inFragment || inQuery;
}
function recallSession() {
  return addressedSession() || recall(SESSION);
}
var ownSession = () => recall(SESSION);
function plainAddress() {
  const url = new URL(window.location.href);
  if (url.searchParams.has("token")) url.searchParams.delete("token");
  return url;
}
function rememberSession(sessionId) {
  if (!addressedSession() || !ownSession()) remember(SESSION, sessionId);
  nameSession(sessionId);
}
function openOwnSession() {
  nameSession(ownSession());
  window.location.reload();
}
function nameSession(sessionId) {
  const url = plainAddress();
  if (url.searchParams.has("session")) {
    url.searchParams.set("session", sessionId);
  } else {
    const fragment = new URLSearchParams(url.hash.slice(1));
    if (!url.hash || url.hash.includes("=")) {
      fragment.set("session", sessionId);
      url.hash = fragment.toString();
    }
  }
  if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
}

// frontend/panel/told.js sha256=1623d82e5dd7f26a7cf52d829f4b7262abf2b2ffb36a63fc86e15f3feb990658
var FIGURES = /* @__PURE__ */ new Set(["n", "count", "most", "least", "at", "seconds", "size"]);
var PARTS = /^(what|why|hints)$/;
var KNOWN = "told";
var LONGEST = 2e3;
var DEEPEST = 4;
var MOST_KEPT = 2e3;
var FIGURE = "-?\\d{1,15}(?:\\.\\d{1,15})?";
var readers = null;
function tellIn(language) {
  const plural = new Intl.PluralRules(language);
  const known = /* @__PURE__ */ new Map();
  function told(sentence) {
    if (language === "en" || sentence === "") return sentence;
    if (!known.has(sentence)) {
      if (known.size > MOST_KEPT) known.clear();
      known.set(sentence, sentence.length > LONGEST ? null : inAll(sentence, 0));
    }
    return known.get(sentence);
  }
  const inAll = (sentence, depth) => whole(sentence, depth) ?? inTurn(sentence, depth);
  function whole(sentence, depth) {
    if (depth > DEEPEST) return null;
    readers ??= Object.values(SENTENCES).map((entry) => ({ entry, pattern: patternOf(entry.en) }));
    for (const { entry, pattern } of readers) {
      const found = pattern.exec(sentence);
      const text = found && filled(entry[language], found.groups ?? {}, depth + 1);
      if (text != null) return text;
    }
    return null;
  }
  function inTurn(sentence, depth) {
    return each(sentence.replace(/([.!?]) (?=[A-Z])/g, "$1\n").split("\n"), " ", depth);
  }
  const listed2 = (value, depth) => each(value.split(", "), ", ", depth);
  function each(parts, between, depth) {
    if (parts.length === 1) return null;
    const all = parts.map((part) => whole(part, depth));
    return all.includes(null) ? null : all.join(between);
  }
  function filled(form, values, depth) {
    const text = typeof form === "string" ? form : form[plural.select(Number(values.count))] ?? form.other;
    let lacking = false;
    const made = text.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      if (FIGURES.has(name)) return figure(value);
      if (name !== KNOWN && !PARTS.test(name)) return value;
      const part = inAll(value, depth) ?? listed2(value, depth);
      lacking ||= part === null && name === KNOWN;
      return part ?? value;
    });
    return lacking ? null : made;
  }
  function figure(text) {
    const digits = Math.min((text.split(".")[1] ?? "").length, 3);
    return new Intl.NumberFormat(language, { minimumFractionDigits: digits }).format(Number(text));
  }
  return (sentence) => {
    const text = told(sentence);
    return text === null ? { text: sentence, lang: "en" } : { text, lang: null };
  };
}
function patternOf(english) {
  const pieces2 = english.split(/\{(\w+)\}/);
  const made = pieces2.map((piece, i) => i % 2 ? blank(piece) : piece.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return new RegExp(`^${made.join("")}$`, "s");
}
function blank(name) {
  if (FIGURES.has(name)) return `(?<${name}>${FIGURE})`;
  return `(?<${name}>.${PARTS.test(name) ? "*" : "+"}?)`;
}

// frontend/panel/i18n.js sha256=16cbd73adcd1cd7a844d51f0548d56774c68307aafbefef89f4d483140483555
var LANGUAGE = "hybrid-transcribe.language";
var LANGUAGES = [["en", "English"], ["pt-BR", "Português"]];
function preferredLanguage() {
  const asked = [recall(LANGUAGE), ...navigator.languages ?? [navigator.language]];
  for (const one of asked) {
    const found = LANGUAGES.find(([code]) => one && code.slice(0, 2) === one.slice(0, 2));
    if (found) return found[0];
  }
  return "en";
}
function chooseLanguage(language) {
  remember(LANGUAGE, language);
}
function speak(language) {
  const plural = new Intl.PluralRules(language);
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  function t(key, values = {}) {
    let text = STRINGS[key]?.[language] ?? STRINGS[key]?.en ?? key;
    if (typeof text === "object") text = text[plural.select(values.count)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? whole.format(value) : String(value ?? "");
    });
  }
  let names = null;
  try {
    names = new Intl.DisplayNames([language], { type: "language" });
  } catch {
  }
  return {
    language,
    t,
    has: (key) => key in STRINGS,
    percent: (value) => `${whole.format(Math.floor(value))}%`,
    bytes: (count) => bytes(count, language),
    clock,
    /** About so long, for times that are still to come. */
    about(seconds) {
      if (seconds < 10) return t("time.moment");
      if (seconds < 55) return t("time.seconds", { count: Math.round(seconds / 5) * 5 });
      const minutes = Math.round(seconds / 60);
      if (minutes < 60) return t("time.minutes", { count: Math.max(minutes, 1) });
      if (minutes < 60 * 24) {
        const hours = { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
        return hours.minutes ? t("time.hours", hours) : t("time.whole_hours", hours);
      }
      return t("time.days", { count: Math.round(minutes / 60 / 24) });
    },
    /** A language by name; its code where nobody knows one. */
    languageName(code) {
      try {
        const name = names?.of(code) ?? code;
        return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
      } catch {
        return code;
      }
    },
    /** `{text, lang}` of a sentence of the engine room; `lang` where it is in another language than all else. */
    tell: tellIn(language),
    /** An error in words: what its code means, then what was told of it. */
    wording: (error) => `error.${error.code}` in STRINGS ? t(`error.${error.code}`) : t("error.error")
  };
}
function clock(seconds) {
  const all = Math.max(Math.floor(seconds), 0);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
function bytes(count, language) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1e3;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.5 ? 0 : 1;
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
  return `${format.format(size)} ${units[unit]}`;
}

// frontend/panel/marks.js sha256=9f5675f0faa88784c50763aab56d99823535ece04e0323a4d2fd95849f6fe7d5
var DOUBTFUL_WORD = 0.5;
var DOUBTFUL_SEGMENT = -1;
function isDoubtful(segment) {
  return segment.avg_logprob != null && segment.avg_logprob < DOUBTFUL_SEGMENT;
}
function doubts(segment) {
  const text = segment.text.trim();
  const found = [];
  let from = 0;
  for (const word of segment.words ?? []) {
    const shown = word.text.trim();
    const start = shown ? text.indexOf(shown, from) : -1;
    if (start < 0) continue;
    from = start + shown.length;
    if (word.probability != null && word.probability < DOUBTFUL_WORD) {
      found.push([start, from, word.probability]);
    }
  }
  return found;
}
function folded(text) {
  return Array.from({ length: text.length }, (_, i) => {
    const plain = text[i].normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.length === 1 ? plain : text[i].toLowerCase().charAt(0) || text[i];
  }).join("");
}
function hits(text, searched) {
  const needle = folded(searched.trim());
  if (!needle) return [];
  const hay = folded(text);
  const found = [];
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
    found.push([at, at + needle.length]);
  }
  return found;
}
function pieces(text, doubtful, found) {
  const cuts = /* @__PURE__ */ new Set([0, text.length]);
  for (const [start, end] of [...doubtful, ...found]) cuts.add(start).add(end);
  const edges = [...cuts].sort((a, b) => a - b);
  const inside = (ranges, at) => ranges.find(([start, end]) => start <= at && at < end);
  return edges.slice(0, -1).map((start, i) => ({
    text: text.slice(start, edges[i + 1]),
    doubt: inside(doubtful, start)?.[2] ?? null,
    hit: found.findIndex(([from, to]) => from <= start && start < to)
  }));
}

// frontend/panel/listing.js sha256=46ce422f87ed9c3d094133245eb4deae16c82795bbcdcf2b23f6990a0fe2e757
var GROUPS = {
  all: null,
  active: /* @__PURE__ */ new Set(["queued", "preparing", "running", "canceling"]),
  done: /* @__PURE__ */ new Set(["completed"]),
  failed: /* @__PURE__ */ new Set(["failed", "rejected", "canceled"])
};
var STATES = ["running", "canceling", "preparing", "queued", "completed", "canceled", "failed", "rejected"];
var KEYS = {
  name: (row) => row.name,
  session: (row) => row.session,
  engine: (row) => row.engine,
  model: (row) => row.model,
  state: (row) => STATES.indexOf(row.state),
  percentage: (row) => row.percentage ?? -1,
  eta: (row) => row.eta_s ?? Number.POSITIVE_INFINITY
};
function listed(rows, order, { text, group, sort }) {
  const wanted = GROUPS[group];
  const words = folded(text).split(/\s+/).filter(Boolean);
  const shown = order.map((id) => rows.get(id)).filter((row) => row && (!wanted || wanted.has(row.state)) && matches(row, words));
  if (sort.key) shown.sort(comparer(KEYS[sort.key], sort.down));
  return shown.map((row) => row.id);
}
function matches(row, words) {
  if (words.length === 0) return true;
  const text = folded(`${row.name} ${row.session} ${row.engine} ${row.model} ${row.language ?? ""}`);
  return words.every((word) => text.includes(word));
}
function comparer(key, down) {
  const collator = new Intl.Collator(void 0, { numeric: true, sensitivity: "base" });
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [key(one), key(other)];
    if (typeof a === "string") return sign * collator.compare(a, b);
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  };
}
function overall(rows) {
  const allRows = [...rows];
  const busy = /* @__PURE__ */ new Set();
  for (const row of allRows) if (GROUPS.active.has(row.state)) busy.add(row.job_id);
  let [active, done, all, eta, sure] = [0, 0, 0, null, true];
  for (const row of allRows) {
    if (!busy.has(row.job_id) || row.state === "rejected") continue;
    const weight = row.duration_s ?? 60;
    all += weight;
    if (!GROUPS.active.has(row.state)) {
      done += weight;
      continue;
    }
    active += 1;
    done += weight * (row.percentage ?? 0) / 100;
    const left = etaNow(row);
    if (left === null) sure = false;
    else eta = Math.max(eta ?? 0, left);
  }
  return { active, percentage: all ? 100 * done / all : null, eta_s: sure ? eta : null };
}
function etaNow(row) {
  if (row.eta_s == null) return null;
  return Math.max(row.eta_s - (performance.now() - row.heardAt) / 1e3, 0);
}

// frontend/panel/row.js sha256=d4d8b16e57165a0cd7a274890a661326ea97d662a41802b7219ebffa383d76ec
var SOON_S = 24 * 3600;
var VERY_SOON_S = 15 * 60;
function actionButtons(row, { hub, i18n, root }, bare) {
  const { t } = i18n;
  const many = row.of > 1;
  const all = {
    cancel: [t("action.cancel"), "cancel", () => hub.cancel(row)],
    retry: [t("action.retry"), "retry", () => askRetry(root(), hub, i18n, row)],
    change: [t("action.change"), "change", () => askChange(root(), hub, i18n, row)],
    keep: [t("action.keep"), "keep", () => hub.keep(row, true)],
    unkeep: [t("action.unkeep"), "keep", () => hub.keep(row, false)],
    delete: [t("action.delete"), "delete", () => askDelete(root(), hub, i18n, row)]
  };
  const wanted = Object.keys(all).filter((name) => row.actions.includes(name === "change" ? "retry" : name));
  return wanted.map((name) => {
    const [label, sign, press] = all[name];
    const whole = many && ["keep", "unkeep", "delete"].includes(name);
    const made = button(whole ? t("action.of_job", { action: label, count: row.of }) : label, {
      sign,
      bare,
      kind: bare ? "ghost" : "small",
      press,
      "data-action": name
    });
    attr(made, "aria-pressed", name === "unkeep" ? "true" : null);
    return made;
  });
}
function rowView(context) {
  const { hub, i18n } = context;
  const { t } = i18n;
  let row = null;
  let actionsKey = "";
  const cell = (name2, ...children) => h("div", { class: `ht-cell ht-c-${name2}`, role: "cell" }, children);
  const name = h("button", { type: "button", class: "ht-name", onclick: () => context.open(row) });
  const sub = h("div", { class: "ht-sub" });
  const expiry = h("span", { class: "ht-expiry" }, icon("clock"), h("span", {}));
  const session = h("span", { class: "ht-mono" });
  const engine = h("span", { class: "ht-cut" });
  const cloud = h("span", { class: "ht-cloud-sign" }, icon("cloud"), h("span", { class: "ht-hidden" }));
  const model = h("span", { class: "ht-cut" });
  const device = h("div", { class: "ht-sub" });
  const state = h("span", { class: "ht-state" });
  const stage = h("div", { class: "ht-sub" });
  const bar = h("div", { class: "ht-bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, h("i"));
  const percent = h("span", { class: "ht-number" });
  const eta = h("span", { class: "ht-number" });
  const actions = cell("actions");
  const error = h(
    "div",
    { class: "ht-cell ht-row-error", role: "cell" },
    icon("warning"),
    h("span", {}, h("strong"), h("span"))
  );
  function make(el) {
    fill(
      el,
      cell("file", name, h("div", { class: "ht-sub-line" }, sub, expiry)),
      cell("session", session),
      cell("engine", h("div", { class: "ht-one" }, engine, cloud)),
      cell("model", model, device),
      cell("state", state, stage),
      cell("progress", bar, percent),
      cell("eta", eta),
      actions,
      error
    );
  }
  function update(el, next) {
    row = next;
    attr(el, "data-state", row.state);
    put(name, row.name);
    attr(name, "title", row.name);
    name.disabled = !row.recording_id;
    attr(el, "data-opens", Boolean(row.recording_id));
    put(sub, about());
    attr(sub, "title", row.warnings.map((one) => i18n.tell(one).text).join("\n") || null);
    put(session, row.session);
    attr(session, "title", row.session);
    put(engine, row.engine);
    attr(engine, "title", row.engine);
    show(cloud, row.sends_audio_to);
    if (row.sends_audio_to) {
      const told = t("cloud.goes", { receiver: row.sends_audio_to });
      attr(cloud, "title", told);
      put(cloud.lastChild, told);
    }
    put(model, row.model);
    attr(model, "title", row.model);
    put(device, deviceOf());
    put(state, t(`state.${row.state}`));
    put(stage, stageOf());
    attr(stage, "title", stage.textContent || null);
    drawBar();
    drawActions();
    drawError();
    tick(el);
  }
  function about() {
    const parts = [];
    if (row.duration_s != null) parts.push(i18n.clock(row.duration_s));
    if (row.language) parts.push(i18n.languageName(row.language));
    if (row.attempt > 1) parts.push(t("row.attempt", { count: row.attempt }));
    if (row.warnings.length) parts.push(t("row.warnings", { count: row.warnings.length }));
    return parts.join(" · ");
  }
  function deviceOf() {
    const shown = row.device ?? (row.asked_device === "auto" ? null : row.asked_device);
    if (!shown) return "";
    return i18n.has(`device.${shown}`) ? t(`device.${shown}`) : shown;
  }
  function stageOf() {
    if (row.state === "queued" && row.ahead > 0) return t("row.ahead", { count: row.ahead });
    if (!row.stage) return "";
    const part = row.stage_percentage == null ? "" : ` ${i18n.percent(row.stage_percentage)}`;
    return t(`stage.${row.stage}`) + part;
  }
  function drawBar() {
    const shown = row.state !== "rejected";
    show(bar, shown);
    const known = row.percentage != null;
    const guessing = !known && GROUPS.active.has(row.state);
    bar.classList.toggle("ht-guessing", guessing);
    attr(bar, "aria-valuenow", known ? Math.floor(row.percentage) : null);
    attr(bar, "aria-label", t("row.progress", { name: row.name }));
    bar.firstChild.style.width = guessing ? "" : `${row.percentage ?? 0}%`;
    put(percent, shown && known ? i18n.percent(row.percentage) : "");
  }
  function drawActions() {
    const key = `${row.actions} ${row.of}`;
    if (key === actionsKey) return;
    actionsKey = key;
    const focused = actions.contains(document.activeElement);
    const now = new Proxy({}, { get: (_, what) => row[what] });
    actions.replaceChildren(...actionButtons(now, context, true));
    if (focused) (actions.querySelector("button") ?? name).focus();
  }
  function drawError() {
    show(error, row.error);
    if (!row.error) return;
    const [wording, message] = error.lastChild.childNodes;
    put(wording, i18n.wording(row.error));
    const detail = i18n.tell(row.error.message);
    put(message, detail.text ? ` ${detail.text}` : "");
    attr(message, "lang", detail.lang);
    attr(error, "title", detail.text || null);
  }
  function tick(el) {
    const left = GROUPS.active.has(row.state) ? etaNow(row) : null;
    put(eta, left === null ? "" : i18n.about(left));
    const goes = row.expires_at == null || row.kept ? null : row.expires_at - hub.now() / 1e3;
    const soon = goes !== null && goes < SOON_S;
    show(expiry, soon || row.kept);
    attr(expiry.firstChild, "hidden", row.kept);
    if (row.kept) put(expiry.lastChild, t("row.kept"));
    else if (soon) put(expiry.lastChild, t("row.goes", { time: i18n.about(Math.max(goes, 0)) }));
    attr(expiry, "data-soon", !row.kept && soon && goes < VERY_SOON_S);
    attr(el, "data-kept", row.kept);
  }
  return { make, update, tick };
}

// frontend/panel/transcript.js sha256=0e2619b4393973452f8cc6c632dd412db91227012d3ea449998de81b8ce736e6
function transcriptView(hub, i18n, root, kept = null) {
  const { t } = i18n;
  const endings = createEndings();
  let followed = null;
  let lines = [];
  let found = [];
  let current = -1;
  let audioUrl = null;
  let coming = null;
  let wanted = null;
  let live = true;
  let headKey = "";
  const title = h("h2", { class: "ht-cut", tabindex: "-1" });
  const about = h("p", { class: "ht-quiet ht-small" });
  const actions = h("div", { class: "ht-buttons" });
  const warnings = h("ul", { class: "ht-warnings" });
  const saves = h("div", { class: "ht-saves" });
  const audio = h("audio", { controls: true, preload: "metadata", hidden: true });
  const listen = button(t("transcript.listen"), { sign: "listen", kind: "plain", press: () => hear(null) });
  const copy = button(t("transcript.copy"), { sign: "copy", kind: "plain", press: copyAll });
  const search = h("input", {
    type: "search",
    name: "search",
    placeholder: t("transcript.search"),
    "aria-label": t("transcript.search"),
    oninput: () => find(),
    onkeydown(event) {
      if (event.key !== "Enter") return;
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    }
  });
  const counted2 = h("span", { class: "ht-number ht-counted", role: "status" });
  const before = button(t("transcript.previous"), { sign: "up", bare: true, kind: "ghost", press: () => go(-1) });
  const after = button(t("transcript.next"), { sign: "down", bare: true, kind: "ghost", press: () => go(1) });
  const follow = checkbox(t("transcript.live"), true, (on) => {
    live = on;
    if (on) toEnd();
  });
  const text = h("div", { class: "ht-text", tabindex: "0", role: "region", "aria-label": t("transcript.text") });
  const note = h("p", { class: "ht-empty" });
  const legend = h(
    "p",
    { class: "ht-quiet ht-small ht-legend" },
    h("mark", { class: "ht-doubt" }, t("transcript.word")),
    " ",
    t("transcript.legend")
  );
  const el = h(
    "section",
    {
      class: "ht-card ht-transcript",
      "aria-label": t("transcript.title"),
      hidden: true,
      onkeydown(event) {
        if (event.key === "Escape" && !event.target.value) leave();
      }
    },
    h(
      "header",
      { class: "ht-card-head" },
      h("div", { class: "ht-titles" }, title, about),
      actions,
      button(t("transcript.close"), { sign: "cancel", bare: true, kind: "ghost", press: leave })
    ),
    warnings,
    h(
      "div",
      { class: "ht-line" },
      h("div", { class: "ht-player" }, listen, audio),
      h(
        "div",
        { class: "ht-tools" },
        follow,
        h("span", { class: "ht-search-box" }, icon("search"), search),
        counted2,
        before,
        after,
        copy
      )
    ),
    text,
    note,
    legend,
    saves
  );
  function take(next) {
    if (next?.ids.recording_id !== followed?.ids.recording_id || next?.ids.job_id !== followed?.ids.job_id) reset();
    followed = next;
    show(el, next);
    if (!next) return;
    cut(Math.min(next.changedFrom, lines.length));
    const stay = live && !next.complete;
    const fragment = document.createDocumentFragment();
    for (const segment of next.segments.slice(lines.length)) {
      const line = newLine(segment);
      lines.push(line);
      fragment.append(line.node);
    }
    text.append(fragment);
    text.classList.toggle("ht-long", lines.length > 300);
    if (search.value) find(true);
    drawHead();
    if (stay) toEnd();
    if (next.show) bringIntoView(next);
  }
  function bringIntoView(next) {
    if (next.came) next.show = false;
    el.scrollIntoView({ block: "start" });
    title.focus({ preventScroll: true });
  }
  function leave() {
    const opened = followed?.rowId;
    hub.unfollow();
    if (opened) root().querySelector(`[data-row="${CSS.escape(opened)}"] .ht-name`)?.focus();
  }
  function reset() {
    cut(0);
    found = [];
    current = -1;
    search.value = "";
    put(counted2, "");
    live = true;
    follow.querySelector("input").checked = true;
    headKey = "";
    audio.pause();
    audio.removeAttribute("src");
    show(audio, false);
    show(listen, true);
    coming?.abort();
    coming = null;
    setListen(null);
    if (audioUrl) URL.revokeObjectURL(audioUrl);
    audioUrl = null;
  }
  function cut(length) {
    for (const line of lines.splice(length)) line.node.remove();
  }
  function newLine(segment) {
    const line = { segment, text: segment.text.trim(), doubtful: doubts(segment), hits: [] };
    line.time = h("button", {
      type: "button",
      class: "ht-time",
      title: t("transcript.play"),
      "aria-label": t("transcript.play_at", { time: i18n.clock(segment.start_s) }),
      onclick: () => hear(segment.start_s)
    }, i18n.clock(segment.start_s));
    line.words = h("p", { onclick: () => selected() || hear(segment.start_s) });
    line.node = h(
      "div",
      {
        class: "ht-segment",
        "data-doubtful": isDoubtful(segment),
        title: isDoubtful(segment) ? t("transcript.unsure") : null
      },
      line.time,
      h("div", {}, segment.speaker ? h("span", { class: "ht-speaker" }, segment.speaker) : null, line.words)
    );
    write(line);
    return line;
  }
  function write(line) {
    const nodes = pieces(line.text, line.doubtful, line.hits).map((piece) => {
      let node = document.createTextNode(piece.text);
      if (piece.hit >= 0) node = h("mark", { class: "ht-hit", "data-hit": piece.hit }, node);
      if (piece.doubt === null) return node;
      const told = t("transcript.probability", { part: i18n.percent(100 * piece.doubt) });
      return h("mark", { class: "ht-doubt", title: told }, node);
    });
    line.words.replaceChildren(...nodes);
  }
  const selected = () => String(window.getSelection()).trim() !== "";
  function toEnd() {
    text.scrollTop = text.scrollHeight;
  }
  function find(again = false) {
    const was = found[current];
    found = [];
    for (const line of lines) {
      const next = hits(line.text, search.value);
      if (next.length || line.hits.length) {
        line.hits = next;
        write(line);
      }
      next.forEach((_, n) => found.push({ line, n }));
    }
    if (again) {
      const same = found.findIndex((hit) => hit.line === was?.line && hit.n === was.n);
      current = same >= 0 ? same : Math.min(current, found.length - 1);
      marksOf(current).forEach((mark) => mark.classList.add("ht-current"));
    } else current = -1;
    if (!again && found.length) go(1);
    else drawCounted();
  }
  function go(step) {
    if (found.length === 0) return drawCounted();
    marksOf(current).forEach((mark) => mark.classList.remove("ht-current"));
    current = (current + step + found.length) % found.length;
    const marks = marksOf(current);
    marks.forEach((mark) => mark.classList.add("ht-current"));
    if (marks[0]) within(marks[0]);
    drawCounted();
  }
  function marksOf(at) {
    const hit = found[at];
    return hit ? [...hit.line.words.querySelectorAll(`[data-hit="${hit.n}"]`)] : [];
  }
  function within(node) {
    const [box, frame] = [node.getBoundingClientRect(), text.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) {
      text.scrollTop += box.top - frame.top - frame.height / 3;
    }
  }
  function drawCounted() {
    const at = { at: current + 1, count: found.length };
    put(counted2, !search.value.trim() ? "" : found.length ? t("transcript.hit", at) : t("transcript.no_hit"));
    before.disabled = after.disabled = found.length === 0;
  }
  function whyEmpty(it) {
    if (!GROUPS.active.has(it.state) && it.state !== "completed") return t(`none.${it.state}`);
    return followed.complete && it.state === "completed" ? t("transcript.nothing") : t("transcript.waiting");
  }
  const row = () => followed && hub.store.get("rows").get(followed.rowId);
  function drawHead() {
    const it = row();
    if (!it) return;
    const empty = followed.segments.length === 0;
    show(note, empty);
    put(note, empty ? whyEmpty(it) : "");
    show(text, !empty);
    show(follow, !followed.complete);
    attr(text, "aria-busy", !followed.complete);
    show(legend, lines.some((line) => line.doubtful.length || isDoubtful(line.segment)));
    copy.disabled = empty;
    put(title, it.name);
    attr(title, "title", it.name);
    put(about, describe(it));
    const key = [it.id, it.state, it.actions, it.of, it.warnings.length, empty, hub.store.get("choices")?.formats].join();
    if (key === headKey) return;
    headKey = key;
    actions.replaceChildren(...actionButtons(it, { hub, i18n, root }, false));
    swap(warnings, it.warnings.map(i18n.tell).map(({ text: told, lang }) => h("li", {}, icon("info"), h("span", { lang }, told))));
    show(warnings, it.warnings.length);
    drawSaves(it, empty);
  }
  function describe(it) {
    const language = it.language && i18n.languageName(it.language);
    const sure = it.language_probability == null ? "" : ` (${i18n.percent(100 * it.language_probability)})`;
    return [
      t(`state.${it.state}`),
      `${it.engine} / ${it.model}`,
      it.device ? deviceName(i18n, it.device) : null,
      language && language + sure,
      it.duration_s == null ? null : i18n.clock(it.duration_s),
      it.sends_audio_to ? t("cloud.goes", { receiver: it.sends_audio_to }) : null
    ].filter(Boolean).join(" · ");
  }
  function drawSaves(it, empty) {
    const formats = hub.store.get("choices")?.formats ?? [];
    const part = { job_id: it.job_id, recording_id: it.recording_id, partial: true };
    const one = h(
      "div",
      { class: "ht-buttons", role: "group", "aria-label": t("saves.one") },
      h("span", { class: "ht-saves-label" }, icon("download"), t("saves.one")),
      formats.map((format) => button(`.${format}`, {
        kind: "small",
        "data-format": format,
        disabled: empty,
        press: () => hub.download({ what: "result", format, ...part })
      }))
    );
    swap(saves, one, it.of > 1 ? wholeJob(it, formats) : null);
  }
  function wholeJob(it, formats) {
    const inside = select(
      formats.map((format) => [format, `.${format}`]),
      formats[0],
      () => {
      },
      { name: "inside", "aria-label": t("saves.inside") }
    );
    const fetch = (format) => hub.download({
      what: "results",
      job_id: it.job_id,
      recording_id: null,
      format,
      inside: inside.value,
      partial: true
    });
    return h(
      "div",
      { class: "ht-buttons", role: "group", "aria-label": t("saves.job", { count: it.of }) },
      h("span", { class: "ht-saves-label" }, t("saves.job", { count: it.of })),
      button(t("saves.merged"), { kind: "small", "data-format": "merged", press: () => fetch("txt") }),
      h(
        "span",
        { class: "ht-joined" },
        button(t("saves.zip"), { kind: "small", "data-format": "zip", press: () => fetch("zip") }),
        inside
      )
    );
  }
  async function copyAll() {
    const all = lines.map((line) => line.text).filter(Boolean).join("\n");
    const done = await copyText(all);
    hub.say(done ? t("transcript.copied") : t("transcript.not_copied"));
    put(copy.lastChild, done ? t("transcript.copied") : t("transcript.not_copied"));
    setTimeout(() => put(copy.lastChild, t("transcript.copy")), 2e3);
  }
  async function hear(at) {
    if (!audioUrl) {
      wanted = at;
      if (!await load()) return;
      at = wanted;
    }
    if (at !== null) audio.currentTime = at;
    audio.play().catch(() => {
    });
  }
  async function load() {
    if (coming) return false;
    const mine = new AbortController();
    coming = mine;
    setListen(0);
    try {
      const got = await hub.downloads.fetchBlob({ what: "audio", ...followed.ids }, setListen, mine.signal);
      if (coming !== mine) return false;
      audioUrl = URL.createObjectURL(got.blob);
      audio.src = audioUrl;
      show(audio, true);
      show(listen, false);
      return true;
    } catch (error) {
      if (coming === mine) hub.notify("error", error);
      return false;
    } finally {
      if (coming === mine) {
        coming = null;
        setListen(null);
      }
    }
  }
  function setListen(part) {
    listen.disabled = part !== null;
    put(listen.lastChild, part === null ? t("transcript.listen") : t("transcript.loading", { part: i18n.percent(100 * part) }));
  }
  let speaking = null;
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime;
    const line = lines.find(({ segment }) => segment.start_s <= now && now < segment.end_s) ?? null;
    if (line === speaking) return;
    attr(speaking?.node ?? el, "data-speaking", null);
    speaking = line;
    if (!line) return;
    attr(line.node, "data-speaking", "true");
    if (!audio.paused) within(line.node);
  });
  endings.add(
    hub.store.watch("followed", take),
    hub.store.watch("rows", () => followed && drawHead()),
    hub.store.watch("choices", () => followed && drawHead()),
    reset
  );
  restore(kept);
  return { el, keep, close: endings.end };
  function keep() {
    if (!followed) return null;
    const taken = {
      ids: followed.ids,
      search: search.value,
      current,
      audioUrl,
      loading: Boolean(coming),
      wanted,
      at: audio.currentTime,
      playing: !audio.paused
    };
    audioUrl = null;
    return taken;
  }
  function restore(taken) {
    if (!taken) return;
    if (taken.ids.recording_id !== followed?.ids.recording_id || taken.ids.job_id !== followed.ids.job_id) {
      if (taken.audioUrl) URL.revokeObjectURL(taken.audioUrl);
      return;
    }
    search.value = taken.search;
    current = taken.current;
    if (search.value) find(true);
    if (taken.loading) hear(taken.wanted);
    if (!taken.audioUrl) return;
    audioUrl = taken.audioUrl;
    audio.src = audioUrl;
    audio.currentTime = taken.at;
    show(audio, true);
    show(listen, false);
    if (taken.playing) audio.play().catch(() => {
    });
  }
}
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { style: "position:fixed;opacity:0", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// frontend/panel/header.js sha256=2502fd3a9fddb8223c863f63ba8a631b25da5f583a4e9b69d9515f072a8219dc
function headerView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  const dot = h("span", { class: "ht-dot" });
  const state = h("span", { class: "ht-line-state", role: "status" }, dot, h("span", {}));
  const link = button(t("header.link"), { sign: "link", kind: "plain", title: t("header.link_hint"), press: copyLink });
  const own = button(t("header.own"), { kind: "plain", press: openOwnSession });
  const languages = h(
    "div",
    { class: "ht-languages", role: "group", "aria-label": t("header.language") },
    LANGUAGES.map(([code, name]) => h("button", {
      type: "button",
      lang: code,
      title: name,
      "data-language": code,
      // What is said begins with what is seen: who speaks to the page says that.
      "aria-label": `${code.slice(0, 2).toUpperCase()}, ${name}`,
      "aria-pressed": String(code === i18n.language),
      onclick: () => choose(code)
    }, code.slice(0, 2).toUpperCase()))
  );
  const el = h(
    "header",
    { class: "ht-header" },
    h("span", { class: "ht-logo" }, icon("wave")),
    h("h1", {}, t("header.title")),
    state,
    h("div", { class: "ht-header-end" }, own, link, languages)
  );
  function choose(code) {
    if (code === i18n.language) return;
    chooseLanguage(code);
    hub.setLanguage(code);
  }
  function address() {
    const { link: given, session_id: session } = hub.store.get("welcome") ?? {};
    if (given) return new URL(given, plainAddress()).href;
    if (!session) return null;
    const url = plainAddress();
    url.hash = new URLSearchParams({ session }).toString();
    return url.href;
  }
  async function copyLink() {
    const done = await copyText(address());
    const told = done ? t("header.link_copied") : t("transcript.not_copied");
    hub.say(told);
    put(link.lastChild, told);
    setTimeout(() => put(link.lastChild, t("header.link")), 2e3);
  }
  endings.add(
    hub.store.watch("line", (line) => {
      attr(dot, "data-line", line);
      put(state.lastChild, t(`line.${line}`));
    }),
    hub.store.watch("welcome", (welcome) => {
      show(link, address());
      const mine = ownSession();
      show(own, welcome?.session_id && mine && mine !== welcome.session_id);
      attr(el, "data-version", welcome?.version);
    })
  );
  return { el, close: endings.end };
}

// frontend/panel/connection.js sha256=8aed0596cedc6bbef09f04c4f0dc02f3ab91090c79341a8eca3014f4ec8c8976
var PATIENCE_MS = 8e3;
var FIRST_HELLO_AGAIN_MS = 1e4;
var QUIET_MS = 1e4;
function connect(model, hello, moves) {
  const handlers = /* @__PURE__ */ new Map();
  const questions = /* @__PURE__ */ new Map();
  let state = "connecting";
  let lastRef = Math.floor(Math.random() * 2 ** 40);
  let askedAt = null;
  let heardAt = performance.now();
  let helloWait = FIRST_HELLO_AGAIN_MS;
  let helloTimer = null;
  let welcomed = false;
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
  function giveUp(lost) {
    for (const [ref, question] of [...questions]) {
      if (!lost(question)) continue;
      questions.delete(ref);
      question.fail({ code: "panel.no_answer", message: "" });
    }
  }
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
    model.send(message, void 0, buffer ? [buffer] : []);
  }
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
      if (now - heardAt > QUIET_MS && moves()) greet();
    } else if (now - askedAt > PATIENCE_MS) {
      turn("waiting");
      if (helloTimer === null) greet();
    }
  }
  const pulse = setInterval(feelPulse, 1e3);
  model.on("msg:custom", hear);
  model.on("comm_live_update", end);
  return {
    get state() {
      return state;
    },
    greet,
    send,
    /** A number for a question of one's own. */
    ref: () => lastRef += 1,
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
      if (!handlers.has(type)) handlers.set(type, /* @__PURE__ */ new Set());
      handlers.get(type).add(handler);
      return () => handlers.get(type).delete(handler);
    },
    close() {
      clearInterval(pulse);
      clearTimeout(helloTimer);
      model.off("msg:custom", hear);
      model.off("comm_live_update", end);
    }
  };
}

// frontend/panel/downloads.js sha256=3ac6007c76df7946a60140d02a406028832f26d74f2e532d0721478cdfbc2989
var STALLED_MS2 = 5e3;
var SLOW_MS = 2e4;
var MOST_PATIENCE_MS = 6e4;
var MOST_STALLS = 6;
function createDownloads(line) {
  const coming = /* @__PURE__ */ new Map();
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
  function lookForStalled() {
    if (line.state !== "up") return;
    for (const one of [...coming.values()]) {
      const patience = Math.min((one.begun ? STALLED_MS2 : SLOW_MS) * 2 ** one.stalls, MOST_PATIENCE_MS);
      if (performance.now() - one.movedAt >= patience) again(one);
    }
  }
  const watch = setInterval(lookForStalled, 1e3);
  line.on("blob_begin", onBegin);
  line.on("blob_chunk", onChunk);
  line.on("problem", ({ ref, error }) => end(ref, (it) => it.fail(error)));
  line.on("state", ({ state, ended }) => {
    if (ended) giveUp();
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
    close: () => clearInterval(watch)
  };
}
function saveBlob({ name, blob }) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 6e4);
}

// frontend/panel/hub.js sha256=0b788195e750657c398a1b16c82e855d96b6b67f927602da3f48ce852caff0c0
var HOW = "hybrid-transcribe.choices";
var AT_ONCE2 = "hybrid-transcribe.at-once";
var NOTHING_CHOSEN = {
  engine: "",
  model: "",
  device: "auto",
  language: "",
  task: "transcribe",
  word_timestamps: false
};
function openHub(model) {
  const store = createStore({
    language: preferredLanguage(),
    line: "connecting",
    // The line ended for good: only running the cell again makes another.
    ended: false,
    welcome: null,
    choices: null,
    rows: /* @__PURE__ */ new Map(),
    order: [],
    othersAhead: 0,
    uploads: [],
    // The job that is made as soon as its files are here: what was chosen when it was asked for.
    armed: null,
    how: { ...NOTHING_CHOSEN, ...remembered(), options: {} },
    atOnce: recall(AT_ONCE2) === "yes",
    followed: null,
    notices: [],
    models: /* @__PURE__ */ new Map(),
    said: ""
  });
  let clockSkewMs = 0;
  let lastNotice = 0;
  let newJob = null;
  const line = connect(model, () => ({
    type: "hello",
    session_id: recallSession(),
    language: store.get("language")
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
      if (was === "down" && state === "up") line.greet();
    },
    welcome(message) {
      clockSkewMs = message.now * 1e3 - Date.now();
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
    }
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
    if (store.get("atOnce")) hub.arm();
  }
  async function submitted(question) {
    for (; ; ) {
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
      remember(AT_ONCE2, atOnce ? "yes" : "no");
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
    retry: (row, changes = {}) => attempt({ type: "retry", job_id: row.job_id, recording_id: row.recording_id, changes }),
    keep: (row, keep) => attempt({ type: "keep", job_id: row.job_id, keep }),
    remove: (row) => attempt({ type: "delete", job_id: row.job_id }),
    look: () => line.send({ type: "engines" }),
    /** Opens a transcript; with `show` the page goes to it, and the focus too. */
    follow(row, { show: show2 = false } = {}) {
      const ids = { job_id: row.job_id, recording_id: row.recording_id };
      store.set({ followed: { rowId: row.id, ids, segments: [], complete: false, came: false, changedFrom: 0, show: show2 } });
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
    }
  };
  line.greet();
  return hub;
}
function remembered() {
  try {
    const kept = JSON.parse(recall(HOW) ?? "{}");
    return Object.fromEntries(
      Object.entries(kept).filter(([name, value]) => typeof value === typeof NOTHING_CHOSEN[name])
    );
  } catch {
    return {};
  }
}

// frontend/panel/notices.js sha256=83313a60664467d182749b1075c222e3ada69cb4b67832d77e9832a6ddd6267c
function noticesView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  const shown = /* @__PURE__ */ new Map();
  const lost = h(
    "div",
    { class: "ht-notice", "data-kind": "warning", role: "alert", hidden: true },
    icon("warning"),
    h("p")
  );
  const list = h("div", { class: "ht-notices", "aria-live": "polite" });
  const models = h("div", { class: "ht-models", "aria-live": "off" });
  const said = h("div", { class: "ht-hidden", role: "status" });
  const el = h("div", { class: "ht-top" }, lost, list, models, said);
  function made(notice) {
    const text = notice.family === "notice" ? wordedNotice(notice.error) : i18n.wording(notice.error);
    const detail = i18n.tell(notice.error.message);
    return h(
      "div",
      { class: "ht-notice", "data-kind": notice.kind, role: notice.kind === "error" ? "alert" : null },
      icon(notice.kind === "info" ? "info" : "warning"),
      h("p", {}, h("strong", {}, text), notice.error.message ? [" ", h("span", { lang: detail.lang }, detail.text)] : null),
      button(t("notice.dismiss"), { sign: "cancel", bare: true, kind: "ghost", press: () => hub.dismiss(notice.id) })
    );
  }
  function wordedNotice(error) {
    const key = `notice.${error.code}`;
    return i18n.has(key) ? t(key, { count: error.count ?? 0 }) : t("notice.other");
  }
  const down = () => hub.store.get("ended") ? t("line.ended") : t("line.lost");
  const waiting = () => hub.store.get("welcome")?.session_id ? t("line.slow") : t("line.silent");
  function draw(notices) {
    const there = new Set(notices.map((one) => one.id));
    for (const [id, node] of shown) {
      if (there.has(id)) continue;
      node.remove();
      shown.delete(id);
    }
    for (const notice of notices) {
      if (shown.has(notice.id)) continue;
      shown.set(notice.id, made(notice));
      list.append(shown.get(notice.id));
    }
  }
  function drawModels(all) {
    models.replaceChildren(...[...all.values()].map((one) => {
      const bar = h("div", {
        class: "ht-bar",
        role: "progressbar",
        "aria-label": one.model,
        "aria-valuemin": "0",
        "aria-valuemax": "100"
      }, h("i"));
      const known = one.percentage != null;
      bar.classList.toggle("ht-guessing", !known);
      attr(bar, "aria-valuenow", known ? Math.floor(one.percentage) : null);
      if (known) bar.firstChild.style.width = `${one.percentage}%`;
      return h(
        "div",
        { class: "ht-model" },
        h("span", {}, `${t(`stage.${one.stage}`)}: ${one.engine} / ${one.model}`),
        bar,
        h("span", { class: "ht-number" }, known ? i18n.percent(one.percentage) : "")
      );
    }));
  }
  endings.add(
    hub.store.watch("notices", draw),
    hub.store.watch("models", drawModels),
    hub.store.watch("said", (text) => put(said, text)),
    hub.store.watch("line", (line) => {
      show(lost, line === "down" || line === "waiting");
      put(lost.lastChild, line === "down" ? down() : line === "waiting" ? waiting() : "");
    })
  );
  return { el, close: endings.end };
}

// frontend/panel/queue.js sha256=c556b985441dc48bf0490e08a73cc4e11b7fe87840739e6358f4cd00dd971773
var COLUMNS = ["name", "session", "engine", "model", "state", "percentage", "eta"];
function queueView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const look = { text: "", group: "all", sort: { key: null, down: false } };
  const shells = /* @__PURE__ */ new Map();
  const filled = /* @__PURE__ */ new Map();
  let planned = 0;
  const context = {
    hub,
    i18n,
    root,
    open: (row) => hub.follow(row, { show: true })
  };
  const count = h("span", { class: "ht-count" });
  const filter = h("input", {
    type: "search",
    class: "ht-filter",
    name: "filter",
    placeholder: t("queue.filter"),
    "aria-label": t("queue.filter"),
    oninput: () => {
      look.text = filter.value;
      plan();
    }
  });
  const groups = select(
    Object.keys(GROUPS).map((group) => [group, t(`group.${group}`)]),
    "all",
    (group) => {
      look.group = group;
      plan();
    },
    { name: "group", "aria-label": t("queue.group") }
  );
  const sorts = select(
    [["", t("queue.sort_none")], ...COLUMNS.map((key) => [key, t(`column.${key}`)])],
    "",
    (key) => sortBy(key || null, key === "percentage"),
    { name: "sort", class: "ht-narrow", "aria-label": t("queue.sort") }
  );
  const whole = h(
    "div",
    { class: "ht-whole" },
    h("div", {
      class: "ht-bar",
      role: "progressbar",
      "aria-label": t("queue.overall"),
      "aria-valuemin": "0",
      "aria-valuemax": "100"
    }, h("i")),
    h("span", { class: "ht-number" })
  );
  const others = h("p", { class: "ht-quiet ht-small ht-others" });
  const head = h(
    "div",
    { class: "ht-row ht-head", role: "row" },
    COLUMNS.map((key) => h(
      "div",
      { class: `ht-cell ht-c-${classOf(key)}`, role: "columnheader", "aria-sort": "none", "data-key": key },
      h(
        "button",
        { type: "button", class: "ht-sort", onclick: () => turnSort(key) },
        t(`column.${key}`),
        icon("down")
      )
    )),
    h(
      "div",
      { class: "ht-cell ht-c-actions", role: "columnheader" },
      h("span", { class: "ht-hidden" }, t("column.actions"))
    )
  );
  const body = h("div", { class: "ht-body", role: "rowgroup" });
  const table = h(
    "div",
    { class: "ht-table", role: "table", "aria-label": t("queue.title"), "aria-colcount": "8" },
    h("div", { class: "ht-head-group", role: "rowgroup" }, head),
    body
  );
  const scroll = h("div", { class: "ht-scroll", tabindex: "0", role: "group", "aria-label": t("queue.title") }, table);
  const empty = h("div", { class: "ht-empty" });
  const el = h(
    "section",
    { class: "ht-card ht-queue", "aria-label": t("queue.title") },
    h(
      "header",
      { class: "ht-card-head" },
      h("h2", {}, t("queue.title")),
      count,
      whole,
      h("div", { class: "ht-tools" }, h("span", { class: "ht-search-box" }, icon("search"), filter), groups, sorts)
    ),
    others,
    scroll,
    empty
  );
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) fillShell(entry.target);
  }, { root: scroll, rootMargin: "600px" });
  function classOf(key) {
    return { name: "file", percentage: "progress" }[key] ?? key;
  }
  function turnSort(key) {
    if (look.sort.key !== key) sortBy(key, key === "percentage");
    else if (look.sort.down === (key === "percentage")) sortBy(key, !look.sort.down);
    else sortBy(null, false);
  }
  function sortBy(key, down) {
    look.sort = { key, down };
    sorts.value = key ?? "";
    for (const node of head.children) {
      const own = key !== null && node.dataset.key === key;
      if (node.dataset.key) attr(node, "aria-sort", own ? down ? "descending" : "ascending" : "none");
    }
    plan();
  }
  function fillShell(shell) {
    near.unobserve(shell);
    const id = shell.htId;
    const row = hub.store.get("rows").get(id);
    if (!row || filled.has(id)) return;
    const view = rowView(context);
    view.make(shell);
    view.update(shell, row);
    filled.set(id, { view, row });
  }
  function plan() {
    if (planned) return;
    const later = document.hidden ? (run) => setTimeout(run, 200) : requestAnimationFrame;
    planned = later(() => {
      planned = 0;
      draw();
    }) || 1;
  }
  function draw() {
    const rows = hub.store.get("rows");
    const ids = listed(rows, hub.store.get("order"), look);
    arrange(ids);
    for (const [id, made] of filled) {
      const row = rows.get(id);
      if (!row) filled.delete(id);
      else if (row !== made.row) {
        made.row = row;
        made.view.update(shells.get(id), row);
      }
    }
    drawCounts(rows, ids);
    drawWhole(rows);
    drawOpen(hub.store.get("followed"));
  }
  function arrange(ids) {
    const wanted = new Set(ids);
    for (const [id, shell] of shells) {
      if (wanted.has(id)) continue;
      near.unobserve(shell);
      shell.remove();
      shells.delete(id);
      filled.delete(id);
    }
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    let at = body.firstChild;
    for (const id of ids) {
      const shell = shells.get(id) ?? newShell(id);
      if (shell === at) at = at.nextSibling;
      else body.insertBefore(shell, at);
    }
    if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }
  function newShell(id) {
    const shell = h("div", { class: "ht-row", role: "row" });
    shell.htId = id;
    attr(shell, "data-row", id);
    shell.addEventListener("click", (event) => {
      const row = hub.store.get("rows").get(id);
      if (!row?.recording_id || event.target.closest("button, a, input, select")) return;
      if (String(window.getSelection()).trim() === "") context.open(row);
    });
    shells.set(id, shell);
    near.observe(shell);
    return shell;
  }
  function drawCounts(rows, ids) {
    put(count, rows.size === ids.length ? t("queue.count", { count: rows.size }) : t("queue.some", { shown: ids.length, count: rows.size }));
    attr(table, "aria-rowcount", ids.length + 1);
    show(count, rows.size);
    show(scroll, ids.length);
    show(empty, !ids.length);
    put(empty, rows.size ? t("queue.no_match") : t("queue.empty"));
    el.classList.toggle("ht-none", rows.size === 0);
  }
  function drawWhole(rows) {
    const { active, percentage, eta_s } = overall(rows.values());
    show(whole, active > 0 && rows.size > 1);
    if (active === 0) return;
    attr(whole.firstChild, "aria-valuenow", percentage === null ? null : Math.floor(percentage));
    whole.firstChild.firstChild.style.width = `${percentage ?? 0}%`;
    const parts = [percentage === null ? null : i18n.percent(percentage), eta_s === null ? null : i18n.about(eta_s)];
    put(whole.lastChild, parts.filter(Boolean).join(" · "));
  }
  function drawOpen(followed) {
    for (const [id, shell] of shells) attr(shell, "aria-current", id === followed?.rowId ? "true" : null);
  }
  const ticking = setInterval(() => {
    for (const [id, made] of filled) made.view.tick(shells.get(id));
    drawWhole(hub.store.get("rows"));
  }, 1e3);
  endings.add(
    hub.store.watch("rows", plan),
    hub.store.watch("followed", drawOpen),
    hub.store.watch("othersAhead", (ahead) => {
      show(others, ahead > 0);
      put(others, t("queue.others", { count: ahead }));
    }),
    () => clearInterval(ticking),
    () => near.disconnect()
  );
  return { el, close: endings.end };
}

// frontend/panel/theme.js sha256=898c49df31c8a767593a2f18840c99baf84d101de55d76567e3dc256b0f5784d
function followTheme(root) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  function look() {
    const { body, documentElement: page } = document;
    const lab = body.dataset.jpThemeLight;
    const dark = lab !== void 0 ? lab === "false" : hostIsDark(page, body) ?? system.matches;
    root.dataset.theme = dark ? "dark" : "light";
    if (lab === void 0) delete root.dataset.host;
    else root.dataset.host = "jupyter";
  }
  const observer = new MutationObserver(look);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "theme", "class"] });
  }
  system.addEventListener("change", look);
  look();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", look);
  };
}
function hostIsDark(page, body) {
  const colab = page.getAttribute("theme");
  if (colab) return colab === "dark";
  const code = body.dataset.vscodeThemeKind;
  return code ? !code.includes("light") : null;
}

// frontend/panel/title.js sha256=c3cea6b1450ea4269dab0a438c7d16fd3d6a6afecb5d98ddb8267aff1c4e9e94
function followTitle(hub, i18n) {
  const own = document.title.replace(/^\(\d+%[^)]*\) /, "");
  let timer = null;
  function write() {
    timer = null;
    if (!hub.store.get("welcome")?.session_id) return;
    document.documentElement.lang = i18n.language;
    const { active, percentage, eta_s } = overall(hub.store.get("rows").values());
    const parts = [i18n.percent(percentage ?? 0), eta_s === null ? null : i18n.about(eta_s)];
    const title = active ? `(${parts.filter(Boolean).join(", ")}) ${own}` : own;
    if (document.title !== title) document.title = title;
  }
  const stop = hub.store.watch("rows", () => timer ??= setTimeout(write, 500));
  return () => {
    stop();
    clearTimeout(timer);
    document.title = own;
  };
}

// frontend/panel/main.js sha256=b068c7f9c4e2a5f3577253d2c1c6ee0ffa7522a740710266e5845d54dde1be58
function mount(hub, el) {
  const root = h("div", { class: "ht-hud" });
  const drawn = createEndings();
  let views = [];
  function draw(language) {
    const focused = root.contains(document.activeElement) && document.activeElement.dataset.language;
    const kept = views.map((view) => view.keep?.());
    drawn.end();
    const i18n = speak(language);
    root.lang = language;
    views = [headerView, noticesView, composeView, queueView, transcriptView].map((view, n) => view(hub, i18n, () => root, kept[n]));
    root.replaceChildren(h("div", { class: "ht-page" }, views.map((view) => view.el)));
    drawn.add(...views.map((view) => view.close), followTitle(hub, i18n));
    if (focused) root.querySelector(`[data-language="${language}"]`)?.focus();
  }
  el.append(root);
  const stops = [followTheme(root), hub.store.watch("language", draw)];
  return () => {
    stops.forEach((stop) => stop());
    drawn.end();
    root.remove();
  };
}
var main_default = () => {
  let hub = null;
  return {
    initialize({ model }) {
      hub = openHub(model);
      return () => hub.close();
    },
    render({ el }) {
      return mount(hub, el);
    }
  };
};
export {
  main_default as default
};
