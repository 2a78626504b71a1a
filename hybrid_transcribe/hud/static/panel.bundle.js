// Built by `make build` from frontend/: edit there. After a merge or rebase, build again.
// frontend/panel/dom.js sha256=d16da5e4def228c4ddffbde10f7c9422409be27c58e852176e97e0e75e6d0e40
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
    if (name.startsWith("on")) node.addEventListener(
      name.slice(2),
      /** @type {EventListener} */
      value
    );
    else attr(node, name, value);
  }
  return fill(node, ...children);
}
function fill(node, ...children) {
  const flat = (
    /** @type {any[]} */
    children.flat(Infinity)
  );
  for (const child of flat) {
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
  if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
}
function show(node, visible) {
  if (node.hidden === Boolean(visible)) node.hidden = !visible;
}
function swap(node, ...children) {
  node.replaceChildren();
  return fill(node, ...children);
}
function focusWithin(node, selector) {
  const match = node.querySelector(selector);
  if (match instanceof HTMLElement) match.focus();
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
function button(name, { sign, bare = false, kind = "", press, ...attributes } = {}) {
  return h(
    "button",
    {
      type: "button",
      class: `ht-button ${kind ? `ht-${kind}` : ""} ${bare ? "ht-bare" : ""}`.trim(),
      title: bare ? name : null,
      "aria-label": bare ? name : null,
      onclick: press ?? (() => {
      }),
      ...attributes
    },
    sign ? icon(sign) : null,
    bare ? null : h("span", {}, name)
  );
}
function rename(node, name) {
  if (node.lastChild) put(node.lastChild, name);
}
function progressBar(label) {
  const filling = h("i");
  const el = h("div", {
    class: "ht-bar",
    role: "progressbar",
    "aria-label": label,
    "aria-valuemin": "0",
    "aria-valuemax": "100"
  }, filling);
  return {
    el,
    /**
     * @param {number | null} percentage
     * @param {boolean} [busy]
     */
    draw(percentage, busy = false) {
      const isUnknown = percentage === null;
      el.classList.toggle("ht-guessing", isUnknown && busy);
      attr(el, "aria-valuenow", isUnknown ? null : Math.floor(percentage));
      filling.style.width = isUnknown && busy ? "" : `${percentage ?? 0}%`;
    }
  };
}
var nIds = 0;
function freshId() {
  nIds += 1;
  return `ht-${nIds}-${Math.floor(Math.random() * 1e9).toString(36)}`;
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
function checkbox(text, checked, change, hint = null) {
  const box = h("input", { type: "checkbox", onchange: () => change(box.checked) });
  box.checked = checked;
  return { el: h("label", { class: "ht-check", title: hint }, box, h("span", {}, text)), box };
}
function select(options, chosen, change, attributes = {}) {
  const control = h(
    "select",
    { ...attributes, onchange: () => change(control.value) },
    options.map(([value, label, more = {}]) => h("option", { value, ...more }, label))
  );
  control.value = chosen;
  return control;
}

// frontend/panel/options.js sha256=fc090c9371b81d1bbcb5d13fd5eb9b318e026bd9df7c8f91950c1cd0ccce1ec1
var COMMON = [
  { name: "initial_prompt", kind: "text", wide: true },
  { name: "hotwords", kind: "text", wide: true },
  { name: "vad_filter", kind: "maybe" },
  { name: "silence_guard", kind: "switch", usual: true },
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
function languagesOf(form, choice) {
  if (choice.languages.length) return choice.languages;
  return [.../* @__PURE__ */ new Set([...USUAL_LANGUAGES, form.language])].filter(Boolean);
}
var deviceFor = (form, choice) => choice.devices.includes(form.device) ? form.device : "auto";
function languageFor(form, choice) {
  const isOffered = choice.options.includes("language") && languagesOf(form, choice).includes(form.language);
  return isOffered ? form.language : "";
}
var taskFor = (form, choice) => choice.translates ? form.task : "transcribe";
function keywords(form, choice) {
  const [language, task] = [languageFor(form, choice), taskFor(form, choice)];
  const values = { engine: choice.name, device: deviceFor(form, choice) };
  if (form.model.trim()) values.model = form.model.trim();
  if (language) values.language = language;
  if (task !== "transcribe") values.task = task;
  if (form.word_timestamps && choice.word_timestamps) values.word_timestamps = true;
  for (const [name, value] of Object.entries(form.options)) {
    if (choice.options.includes(name) && value != null) values[name] = value;
  }
  return values;
}

// frontend/panel/speakers.js sha256=0e6a7b8007ffa103425ac6d0ce05a8694b0df77fc55e24dd7973f394852b0e67
var N_COLORS = 8;
var MOST_OFFERED = 10;
var COLOR = /^#[0-9a-f]{6}$/i;
var NUMBERS = ["speakers", "min_speakers", "max_speakers"];
var tellsSpeakers = (choice) => choice.options.includes("diarize");
function speakersField({ t }, choice, values, change) {
  const isOn = Boolean(values.options.diarize);
  const { el, box } = checkbox(t("option.diarize"), isOn, (on) => change(withSpeakers(values.options, on, "")));
  box.name = "diarize";
  const number = Number(values.options.speakers) || 0;
  const offered = [.../* @__PURE__ */ new Set([2, 3, 4, 5, 6, 7, 8, 9, MOST_OFFERED, number])].filter((n) => n > 0).sort((a, b) => a - b);
  const names = [["", t("speakers.automatic")], ...offered.map((n) => pair(n, t("speakers.count", { count: n })))];
  const list = select(
    names,
    number ? String(number) : "",
    (chosen) => change(withSpeakers(values.options, true, chosen)),
    { name: "speakers", "aria-label": t("option.speakers") }
  );
  const hasNumber = isOn && choice.options.includes("speakers");
  return h("div", { class: "ht-field ht-boxes ht-who" }, el, hasNumber ? list : null);
}
var pair = (n, label) => [String(n), label];
function speakersLacking(i18n, choices, look) {
  const stage = choices.postprocessors.find(({ name }) => name === "speakers");
  if (!stage || stage.available) return null;
  const why = i18n.whyNot(stage);
  return h(
    "details",
    { class: "ht-more ht-who-not" },
    h("summary", {}, i18n.t("speakers.lacking")),
    h("p", { class: "ht-small", lang: why.lang }, why.text),
    button(i18n.t("choices.look"), { sign: "retry", kind: "small", press: look })
  );
}
function withSpeakers(options, on, number) {
  const changed = { ...options, diarize: on || void 0 };
  for (const name of NUMBERS) changed[name] = void 0;
  if (on && number) changed.speakers = Number(number);
  return changed;
}
function cast(speakers, segments) {
  const people = new Map(speakers.map((speaker) => [speaker.id, speaker]));
  for (const { speaker } of segments) {
    if (speaker && !people.has(speaker)) people.set(speaker, { id: speaker, name: "", color: "" });
  }
  const order = [...people.keys()];
  return {
    /** @param {string} id */
    label: (id) => people.get(id)?.name || id,
    /**
     * Marks a node with the speaker's color.
     * @param {HTMLElement} node
     * @param {string} id
     */
    mark(node, id) {
      const own = people.get(id)?.color ?? "";
      if (COLOR.test(own)) node.style.setProperty("--ht-speaker", own);
      node.dataset.color = String(order.indexOf(id) % N_COLORS);
    }
  };
}
function speakerChip({ t }, label) {
  return h(
    "div",
    { class: "ht-speaker" },
    h("i", { "aria-hidden": "true" }),
    h("span", { class: "ht-hidden" }, `${t("speakers.who")} `),
    h("span", { class: "ht-speaker-name", dir: "auto" }, label)
  );
}

// frontend/panel/choices.js sha256=b653e09521c2561b0f5c51133f9bcbfb5e102710e314374460d2c3b6a0731a0e
var OTHER = "\0other";
function choicesView(hub, i18n, { form, change }) {
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
        wordsBox(choice, values),
        tellsSpeakers(choice) ? speakersField(i18n, choice, values, (options) => redraw({ options })) : null
      ),
      more(choice, values),
      tellsSpeakers(choice) ? null : speakersLacking(i18n, choices, hub.lookForEngines),
      unavailable(choices)
    );
  }
  function waiting(choices) {
    return choices ? h("div", {}, h("p", { class: "ht-quiet" }, t("choices.none")), unavailable(choices)) : h("div", { class: "ht-skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  }
  function engineField(choices, choice) {
    const names = choices.engines.map((engine) => {
      const label = engine.available ? engine.name : t("choices.unavailable", { name: engine.name });
      return [engine.name, label, { disabled: !engine.available, title: i18n.whyNot(engine).text || null }];
    });
    return field(t("choices.engine"), select(names, choice.name, (engine) => {
      otherModel = false;
      redraw({ engine, model: "" });
    }, { name: "engine" }));
  }
  function modelField(choice, values) {
    const isListed = values.model === "" || choice.models.includes(values.model);
    const typing = otherModel || !isListed;
    const usual = choice.default_model;
    const names = [
      ["", usual ? t("choices.model_default", { name: usual }) : t("choices.default")],
      ...choice.models.filter((name) => name !== usual).map((name) => (
        /** @type {[string, string]} */
        [name, name]
      )),
      [OTHER, t("choices.model_other")]
    ];
    const current = typing ? OTHER : values.model === usual ? "" : values.model;
    const list = select(names, current, (name) => {
      otherModel = name === OTHER;
      redraw({ model: otherModel ? "" : name });
      if (otherModel) focusWithin(el, "[name=other_model]");
    }, { name: "model" });
    const labelled = field(t("choices.model"), list);
    if (typing) {
      const input = h("input", {
        type: "text",
        name: "other_model",
        value: isListed ? "" : values.model,
        spellcheck: "false",
        placeholder: t("choices.model_placeholder"),
        "aria-label": t("choices.model_placeholder"),
        oninput: () => change({ model: input.value })
      });
      labelled.append(input);
    }
    return labelled;
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
    const named = languagesOf(values, choice).map((code) => [code, i18n.languageName(code)]);
    named.sort(([, name], [, other]) => collator.compare(name, other));
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
    const { el: labelled, box } = checkbox(
      t("choices.words"),
      values.word_timestamps && choice.word_timestamps,
      (word_timestamps) => change({ word_timestamps }),
      t("choices.words_hint")
    );
    box.name = "word_timestamps";
    box.disabled = !choice.word_timestamps;
    return h("div", { class: "ht-field ht-boxes" }, labelled);
  }
  function unavailable(choices) {
    const lacking = choices.engines.filter((engine) => !engine.available);
    if (lacking.length === 0) return null;
    return h(
      "details",
      { class: "ht-more" },
      h("summary", {}, t("choices.lacking", { count: lacking.length })),
      h("dl", { class: "ht-reasons" }, lacking.map((engine) => {
        const why = i18n.whyNot(engine);
        return [h("dt", {}, engine.name), h("dd", { lang: why.lang }, why.text)];
      })),
      button(t("choices.look"), { sign: "retry", kind: "small", press: hub.lookForEngines })
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
    const node = h(
      "details",
      { class: "ht-more", open: open2[which], ontoggle: () => open2[which] = node.open },
      h("summary", {}, label),
      children
    );
    return node;
  }
  function control(option, values) {
    const label = t(`option.${option.name}`);
    const value = values.options[option.name];
    const set = (next) => {
      const options = { ...values.options, [option.name]: next };
      values.options = options;
      change({ options });
    };
    if (option.kind === "switch") return switchFor(option, label, value, set);
    if (option.kind === "maybe") return field(label, maybe(option, value, set));
    const offers = option.offers ? h(
      "datalist",
      { id: freshId() },
      option.offers.map((offer) => h("option", { value: offer }))
    ) : null;
    const labelled = field(label, typed(option, value, set, offers?.id), {
      wide: option.wide,
      hint: option.wide ? t(`hint.${option.name}`) : null
    });
    if (offers) labelled.append(offers);
    return labelled;
  }
  function switchFor(option, label, value, set) {
    const { el: labelled, box } = checkbox(
      label,
      Boolean(value ?? option.usual),
      (on) => set(on === option.usual ? void 0 : on)
    );
    box.name = option.name;
    return h("div", { class: "ht-field ht-boxes" }, labelled);
  }
  function maybe(option, value, set) {
    const names = [["", t("choices.default")], ["yes", t("choices.yes")], ["no", t("choices.no")]];
    const current = value === void 0 ? "" : value ? "yes" : "no";
    return select(names, current, (chosen) => set(chosen === "" ? void 0 : chosen === "yes"), { name: option.name });
  }
  function typed(option, value, set, offersId) {
    const input = h("input", {
      type: "text",
      name: option.name,
      inputmode: ["integer", "number"].includes(option.kind) ? "decimal" : null,
      value: Array.isArray(value) ? value.join(", ") : value,
      placeholder: option.wide ? null : t("choices.default"),
      list: offersId,
      autocomplete: "off",
      oninput() {
        const next = parsed(option, input.value);
        attr(input, "aria-invalid", next === null);
        input.setCustomValidity(next === null ? t("choices.invalid") : "");
        set(next ?? void 0);
      }
    });
    return input;
  }
  function redraw(changes) {
    const name = document.activeElement?.getAttribute("name");
    const inside = el.contains(document.activeElement);
    change(changes);
    draw({ ...form(), ...changes });
    if (inside && name) focusWithin(el, `[name="${name}"]`);
  }
  const stop = hub.store.watch("choices", () => draw(form()));
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

// frontend/panel/dialogs.js sha256=148af70e39873aa6fb4d2137056a7369562489384967c01f3a33fc33e06dac0f
function open(root, label, build, closed = () => {
}) {
  const before = document.activeElement;
  const dialog = h("dialog", { class: "ht-dialog", "aria-label": label });
  const close = () => dialog.close();
  fill(dialog, h("h3", {}, label), ...build(close));
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
    if (before instanceof HTMLElement) before.focus();
  });
  root.append(dialog);
  dialog.showModal();
}
function confirm(root, { t }, { title, text, action, kind, sign, press }) {
  open(root, title, (close) => [
    h("p", {}, text),
    h(
      "div",
      { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(action, { kind, sign, press() {
        close();
        press();
      } })
    )
  ]);
}
function askDelete(root, hub, i18n, row) {
  const { t } = i18n;
  confirm(root, i18n, {
    title: t("delete.title"),
    text: t("delete.what", { count: row.of, name: row.name }),
    action: t("action.delete"),
    kind: "danger",
    sign: "delete",
    press: () => hub.remove(row)
  });
}
function askRetry(root, hub, i18n, row) {
  const { t } = i18n;
  if (row.state !== "completed") return void hub.retry(row);
  confirm(root, i18n, {
    title: t("retry.title"),
    text: t("retry.what", { name: row.name }),
    action: t("change.start"),
    kind: "primary",
    sign: "retry",
    press: () => hub.retry(row)
  });
}
function askDrop(root, hub, i18n, item) {
  const { t } = i18n;
  if (item.state === "failed" || item.offset === 0) return void hub.uploads.cancel(item.id);
  confirm(root, i18n, {
    title: t("drop.title"),
    text: t("drop.what", { name: item.name }),
    action: t("drop.yes"),
    kind: "danger",
    sign: "cancel",
    press: () => hub.uploads.cancel(item.id)
  });
}
function askChange(root, hub, i18n, row) {
  const { t } = i18n;
  let form = valuesOf(row, hub);
  const cloud = h("div", {});
  const drawCloud = () => {
    const receiver = hub.chosen(form)?.sends_audio_to;
    cloud.replaceChildren(...receiver ? [cloudMark(i18n, receiver)] : []);
  };
  const view = choicesView(hub, i18n, {
    form: () => form,
    change(changes) {
      form = { ...form, ...changes };
      drawCloud();
    }
  });
  drawCloud();
  open(root, t("change.title"), (close) => [
    h("p", { class: "ht-quiet ht-cut", title: row.name }, row.name),
    row.n_segments > 0 || row.state === "completed" ? h("p", { class: "ht-small" }, t("change.replaces")) : null,
    view.el,
    h(
      "div",
      { class: "ht-dialog-foot" },
      cloud,
      h(
        "div",
        { class: "ht-buttons ht-end" },
        button(t("dialog.back"), { press: close }),
        button(t("change.start"), { kind: "primary", sign: "retry", press() {
          const choice = hub.chosen(form);
          close();
          if (choice) hub.retry(row, keywords({ ...form, model: form.model || choice.default_model }, choice));
        } })
      )
    )
  ], view.close);
}
function valuesOf(row, hub) {
  const { language, task, word_timestamps, voices, ...options } = row.options;
  const form = {
    engine: row.engine,
    model: row.model,
    device: row.asked_device,
    language: String(language ?? ""),
    task: String(task ?? "transcribe"),
    word_timestamps: Boolean(word_timestamps),
    options: (
      /** @type {Record<string, OptionValue>} */
      options
    )
  };
  return hub.chosen(form)?.name === row.engine ? form : { ...form, model: "" };
}

// frontend/panel/store.js sha256=62a20d0bff5c88e1eeb52b3ad7866159f960261d6b742ca35fc2a570b6ce6567
function createStore(values) {
  const listeners = /* @__PURE__ */ new Map();
  return {
    get: (name) => values[name],
    set(changes) {
      Object.assign(values, changes);
      this.notify(.../** @type {(keyof Values)[]} */
      Object.keys(changes));
    },
    notify(...names) {
      for (const name of names) {
        for (const listener of [...listeners.get(name) ?? []]) listener(values[name]);
      }
    },
    watch(name, listener) {
      const ofName = listeners.get(name) ?? /* @__PURE__ */ new Set();
      listeners.set(name, ofName.add(listener));
      listener(values[name]);
      return () => void ofName.delete(listener);
    }
  };
}
function createEndings() {
  const endings = [];
  return {
    /** @param {(() => void)[]} more */
    add: (...more) => void endings.push(...more),
    end: () => endings.splice(0).forEach((ending) => ending())
  };
}

// frontend/panel/uploads.js sha256=8399c9ce28fbd43c0f36ecfb6a979c37c5d05c34c78dc0542df6954e482b69d7
var AT_ONCE = 3;
var STALLED_MS = 1e4;
var SLOW_TIMES = 4;
var LIVE = /* @__PURE__ */ new Set(["waiting", "sending", "complete"]);
function randomId() {
  const bytes2 = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes2, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function createUploads(channel, changed) {
  let items = [];
  let rules = null;
  let unanswered = 0;
  let slowestMs = 0;
  const find = (id) => items.find((item) => item.id === id);
  function add(files) {
    const isHere = (file) => items.some((item) => sameFile(item.file, file) && LIVE.has(item.state));
    let nRepeated = 0;
    for (const file of files) {
      if (isHere(file)) nRepeated += 1;
      else items.push(judged(newItem(file)));
    }
    pump();
    changed();
    return nRepeated;
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
      begun: false,
      turn: 0,
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
    if (!rules || channel.state === "down") return;
    const sending = items.filter((item) => item.state === "sending");
    const next = items.filter((item) => item.state === "waiting");
    for (const item of next.slice(0, AT_ONCE - sending.length)) begin(item);
    for (const item of sending) feed(item);
  }
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
      folder: folderOf(item.file)
    });
  }
  async function feed(item) {
    if (!rules || item.reading || !item.begun || item.rewind !== null) return;
    item.reading = true;
    try {
      while (item.state === "sending" && item.begun && item.rewind === null) {
        if (unanswered >= rules.window || item.sent >= item.size || channel.state === "down") break;
        await sendChunk(item, rules.chunk_bytes);
      }
    } catch {
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
  async function sendChunk(item, chunkBytes) {
    const offset = item.sent;
    const turn = item.turn;
    const end = Math.min(offset + chunkBytes, item.size);
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
    Object.assign(item, { state: "waiting", owed: 0, rewind: null, turn: item.turn + 1 });
  }
  function lookForStalled() {
    if (!rules || channel.state !== "up") return;
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
    }
  };
}
function sameFile(file, other) {
  return file.name === other.name && file.size === other.size && file.lastModified === other.lastModified && pathOf(file) === pathOf(other);
}
var paths = /* @__PURE__ */ new WeakMap();
var pathOf = (file) => (paths.get(file) ?? file.webkitRelativePath ?? "").replace(/^\//, "");
var folderOf = (file) => pathOf(file).split("/").slice(0, -1).join("/");
async function droppedFiles(transfer) {
  const entries = [];
  const files = [];
  for (const item of transfer.items ?? []) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) entries.push(entry);
    else files.push(item.getAsFile());
  }
  const nested = [];
  let skipped = 0;
  for (const entry of entries) await gather(entry);
  return { files: files.filter((file) => file !== null), nested, skipped };
  async function gather(entry) {
    try {
      if (isFile(entry)) nested.push(await fileOf(entry));
      else if (isFolder(entry)) for await (const child of entriesOf(entry)) await gather(child);
    } catch {
      skipped += 1;
    }
  }
}
var isFile = (entry) => entry.isFile;
var isFolder = (entry) => entry.isDirectory;
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
  const allowed = new Set(extensions.map((extension) => extension.toLowerCase().replace(/^\.?/, ".")));
  const kept = files.filter((file) => {
    const dot = file.name.lastIndexOf(".");
    return dot > 0 && allowed.has(file.name.slice(dot).toLowerCase());
  });
  return { kept, leftOut: files.length - kept.length };
}

// frontend/panel/files.js sha256=9b8d531666b495a4f904a61dfd234dcba149d19a84e66a5414f1f22b5700ae07
var HOPELESS = /* @__PURE__ */ new Set(["panel.too_large", "too_large", "empty_input"]);
function filesView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const fileLines = /* @__PURE__ */ new Map();
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
    const chosen = [...input.files ?? []];
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
        if (!event.dataTransfer) return;
        const dropped = await droppedFiles(event.dataTransfer);
        hub.addFiles(dropped.files, dropped.nested, dropped.skipped);
      } catch {
        hub.notify("error", { code: "panel.unreadable", message: "" });
      }
    }
  };
  for (const [name, listener] of Object.entries(drag)) zone.addEventListener(
    name,
    /** @type {EventListener} */
    listener
  );
  function update(item) {
    const line = fileLines.get(item.id) ?? newLine(item);
    const part = item.size ? 100 * item.offset / item.size : 0;
    attr(line.el, "data-state", item.state);
    const why = i18n.detailOf(item.error);
    put(line.wording, noteOf(item, part));
    put(line.detail, why.text ? ` ${why.text}` : "");
    attr(line.detail, "lang", why.lang);
    line.bar.draw(part);
    show(line.bar.el, item.state === "sending" || item.state === "waiting");
    show(line.again, item.error && !HOPELESS.has(item.error.code));
  }
  function newLine(item) {
    const line = fileLine(item, i18n, {
      retry: () => hub.uploads.retry(item.id),
      remove: () => askDrop(root, hub, i18n, item)
    });
    fileLines.set(item.id, line);
    list.append(line.el);
    return line;
  }
  function noteOf(item, part) {
    if (item.error) return worded(item.error);
    if (item.state === "complete") return i18n.bytes(item.size);
    return `${i18n.percent(part)} · ${i18n.bytes(item.size)}`;
  }
  function worded(error) {
    const limits = hub.store.get("welcome");
    if (limits && error.code === "panel.too_large") {
      return t("error.panel.too_large", { limit: i18n.bytes(limits.max_file_bytes) });
    }
    if (limits && error.code === "panel.too_many") return t("error.panel.too_many", { count: limits.max_files });
    return i18n.kindOf(error);
  }
  endings.add(
    hub.store.watch("uploads", (items) => {
      const there = new Set(items.map((item) => item.id));
      for (const [id, line] of fileLines) {
        if (there.has(id)) continue;
        line.el.remove();
        fileLines.delete(id);
      }
      items.forEach(update);
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
function fileLine(item, { t }, { retry, remove }) {
  const [wording, detail] = [h("span"), h("span")];
  const bar = progressBar(item.name);
  const again = button(t("files.again"), { sign: "retry", bare: true, kind: "ghost", press: retry });
  const el = h(
    "li",
    { class: "ht-file" },
    h(
      "div",
      { class: "ht-file-line" },
      h("span", { class: "ht-file-name", title: item.name }, item.name),
      h("span", { class: "ht-file-note" }, wording, detail),
      again,
      button(t("files.remove", { name: item.name }), { sign: "cancel", bare: true, kind: "ghost", press: remove })
    ),
    bar.el
  );
  return { el, wording, detail, bar, again };
}

// frontend/panel/compose.js sha256=227255d353dd265dab00d6c3b04389b267dcf3ba02c03e7c46a2e5fab56ed6fd
function composeView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const files = filesView(hub, i18n, root);
  const choices = choicesView(hub, i18n, { form: () => hub.store.get("form"), change: hub.setForm });
  const summary = h("span", { role: "status" });
  const part = h("span", {});
  const cloud = h("div", { class: "ht-cloud-place" });
  const atOnce = checkbox(t("compose.at_once"), hub.store.get("atOnce"), hub.setAtOnce);
  const start = button(t("compose.start"), { kind: "primary", press: () => hub.arm({ reveal: true }) });
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
      atOnce.el,
      stop,
      start
    ))
  );
  let wasComing = null;
  function announce(coming) {
    if (wasComing === false && coming) hub.announce(t("compose.begun"));
    if (wasComing && !coming) hub.announce(t("compose.arrived"));
    wasComing = coming;
  }
  function refresh() {
    const items = hub.store.get("uploads").filter((item) => item.state !== "failed");
    const armed = hub.store.get("armed");
    const coming = items.filter((item) => item.state !== "complete").length;
    put(summary, summed(items));
    put(part, sentSoFar(items, coming, armed));
    announce(coming > 0);
    const waits = Boolean(armed && !armed.sent && coming > 0);
    const focused = document.activeElement;
    start.disabled = items.length === 0 || Boolean(armed) || !hub.chosen();
    show(stop, waits);
    show(start, !waits);
    if (focused === start && waits) stop.focus();
    if (focused === stop && !waits) start.focus();
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
    const values = { part: i18n.percent(all ? 100 * sent / all : 0) };
    return ` · ${armed ? t("compose.starts_then", values) : t("compose.coming", values)}`;
  }
  let drawnFor = null;
  function drawCloud() {
    const receiver = hub.chosen()?.sends_audio_to ?? null;
    if (receiver === drawnFor) return;
    drawnFor = receiver;
    swap(cloud, receiver ? cloudMark(i18n, receiver) : null);
  }
  const names = (
    /** @type {const} */
    ["uploads", "armed", "choices", "form"]
  );
  endings.add(...names.map((name) => hub.store.watch(name, refresh)), files.close, choices.close);
  return { el, close: endings.end };
}

// frontend/panel/session.js sha256=b2294d4c95c968377bbbf630d86d7f54bf59842807943c801ba114b72c1631f1
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
  const sessionId = ownSession();
  if (sessionId) nameSession(sessionId);
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

// frontend/panel/messages.js sha256=0e919050d6365a181aa5c40a3d6933258ad965e64756b98c24fb932b0218e8fe
var BLANK = /\{(\w+)(!r)?(?::(\.\d+f|(?:\.\d+)?g))?\}/g;
var ENGLISH = "en";
function messagesIn(language) {
  const plural = new Intl.PluralRules(language);
  const texts = CATALOGUES[language] ?? {};
  function fill2(text, params) {
    const form = typeof text === "string" ? text : text[plural.select(Number(params.count))] ?? text.other;
    return form.replace(BLANK, (_, name, quoted, spec) => value(params[name], quoted, spec));
  }
  function value(param, quoted, spec) {
    if (Array.isArray(param)) return param.map((item) => value(item, quoted, spec)).join(", ");
    if (typeof param === "number") return figure(param, spec);
    if (param && typeof param === "object") return wording(
      /** @type {UserMessage} */
      param
    ).text;
    const text = String(param ?? "");
    return quoted ? inQuotes(text) : text;
  }
  function figure(number, spec = "") {
    const digits = Number(/\d+/.exec(spec)?.[0] ?? 6);
    const options = spec.endsWith("f") ? { minimumFractionDigits: digits, maximumFractionDigits: digits } : {};
    return new Intl.NumberFormat(language, options).format(spec.endsWith("g") ? Number(number.toPrecision(digits)) : number);
  }
  function wording({ code, params, text }) {
    const form = code && language !== ENGLISH ? texts[code] : void 0;
    if (form !== void 0) return { text: fill2(form, params ?? {}), lang: null };
    return { text, lang: text === "" || language === ENGLISH ? null : ENGLISH };
  }
  return {
    wording,
    /**
     * A text of the panel.
     * @param {string} key
     * @param {Record<string, unknown>} [params]
     */
    t: (key, params = {}) => fill2(texts[key] ?? CATALOGUES[ENGLISH][key] ?? key, params)
  };
}
function inQuotes(text) {
  const inside = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  if (!text.includes("'")) return `'${inside}'`;
  return text.includes('"') ? `'${inside.replaceAll("'", "\\'")}'` : `"${inside}"`;
}

// frontend/panel/i18n.js sha256=1a117e10ffec91b78f52c4744ba7b4a34863cdf2d23f2c9be0ae34080bb764dd
var LANGUAGE = "hybrid-transcribe.language";
var LANGUAGES = Object.entries(CATALOGUES).map(([code, texts]) => [code, String(texts["@name"] ?? code)]);
function preferredLanguage() {
  const preferred = [recall(LANGUAGE), ...navigator.languages ?? [navigator.language]];
  const codes = LANGUAGES.map(([code]) => code);
  for (const tag of preferred) {
    const match = codes.find((code) => tag && code.slice(0, 2) === tag.slice(0, 2));
    if (match) return match;
  }
  return "en";
}
function chooseLanguage(language) {
  remember(LANGUAGE, language);
}
function speak(language) {
  const { t, wording } = messagesIn(language);
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  let names = null;
  try {
    names = new Intl.DisplayNames([language], { type: "language" });
  } catch {
  }
  return {
    language,
    t,
    has,
    percent: (value) => `${whole.format(Math.floor(value))}%`,
    bytes: (count) => bytes(count, language),
    clock,
    /**
     * About so long, for times that are still to come.
     * @param {number} seconds
     */
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
    /**
     * A language by name; its code where nobody knows one.
     * @param {string} code
     */
    languageName(code) {
      try {
        const name = names?.of(code) ?? code;
        return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
      } catch {
        return code;
      }
    },
    /** What kind of error it is. @param {{ code: string }} error */
    kindOf: (error) => t(has(`error.${error.code}`) ? `error.${error.code}` : "error.error"),
    /** What an error says. @param {PanelError | null | undefined} error */
    detailOf: (error) => wording({ code: error?.reason, params: error?.params, text: error?.message ?? "" }),
    /** Why an engine or a stage cannot run. @param {Pick<EngineInfo, "why_not" | "why_not_message">} engine */
    whyNot: (engine) => wording(engine.why_not_message ?? { text: engine.why_not ?? "" }),
    /** What is to be said of a recording. @param {Row} row */
    warningsOf: (row) => row.warnings.map((text) => wording(row.messages?.find((message) => message.text === text) ?? { text }))
  };
}
var has = (key) => key in CATALOGUES.en;
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

// frontend/panel/highlight.js sha256=d6cd47fab13bf857cd38f79f9873011f049164b0a85ab1076669a9c7ea87e667
var DOUBTFUL_WORD = 0.5;
var DOUBTFUL_SEGMENT = -1;
function isDoubtful(segment) {
  return segment.avg_logprob != null && segment.avg_logprob < DOUBTFUL_SEGMENT;
}
function doubts(segment) {
  const text = segment.text.trim();
  const ranges = [];
  let from = 0;
  for (const word of segment.words ?? []) {
    const letters = word.text.trim();
    const start = letters ? text.indexOf(letters, from) : -1;
    if (start < 0) continue;
    from = start + letters.length;
    if (word.probability != null && word.probability < DOUBTFUL_WORD) {
      ranges.push([start, from, word.probability]);
    }
  }
  return ranges;
}
function folded(text) {
  return Array.from({ length: text.length }, (_, index) => {
    const letter = text.charAt(index);
    const plain = letter.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.length === 1 ? plain : letter.toLowerCase().charAt(0) || letter;
  }).join("");
}
function hits(text, searched) {
  const ranges = [];
  const needle = folded(searched.trim());
  if (!needle) return ranges;
  const hay = folded(text);
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
    ranges.push([at, at + needle.length]);
  }
  return ranges;
}
function pieces(text, doubtful, matches2) {
  const edges = /* @__PURE__ */ new Set([0, text.length]);
  for (const [start, end] of [...doubtful, ...matches2]) edges.add(start).add(end);
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, index) => ({
    text: text.slice(start, sorted[index + 1]),
    doubt: doubtful.find(([from, to]) => from <= start && start < to)?.[2] ?? null,
    hit: matches2.findIndex(([from, to]) => from <= start && start < to)
  }));
}

// frontend/panel/connection.js sha256=09b56a63fd1987dfd5122247f37ac2e8f0049b4a1ef38ccdd4a7211874008cb3
var PATIENCE_MS = 8e3;
var FIRST_HELLO_AGAIN_MS = 1e4;
var QUIET_MS = 1e4;
function connect(model, hello, moves) {
  const handlers = /* @__PURE__ */ new Map();
  const requests = /* @__PURE__ */ new Map();
  let state = "connecting";
  let lastRef = Math.floor(Math.random() * 2 ** 40);
  let sentAt = null;
  let receivedAt = performance.now();
  let helloWait = FIRST_HELLO_AGAIN_MS;
  let helloTimer;
  let welcomed = false;
  let ended = false;
  function turn(next) {
    if (next === state) return;
    state = next;
    if (next === "down") giveUp(() => true);
    dispatch({ type: "state", state, ended });
  }
  function dispatch(message, buffers = []) {
    for (const handler of handlers.get(message.type) ?? []) handler(message, buffers);
  }
  function settle(message) {
    if (message.ref === null) return false;
    const request = requests.get(message.ref);
    if (!request) return false;
    requests.delete(message.ref);
    if (message.type === "problem") request.fail(message.error);
    else request.respond(message);
    return true;
  }
  function giveUp(isLost) {
    for (const [ref, request] of [...requests]) {
      if (!isLost(request)) continue;
      requests.delete(ref);
      request.fail({ code: "panel.no_answer", message: "" });
    }
  }
  function end() {
    ended = true;
    clearTimeout(helloTimer);
    if (state === "down") dispatch({ type: "state", state, ended });
    else turn("down");
  }
  function receive(message, buffers = []) {
    if (typeof message?.type !== "string") return;
    sentAt = null;
    receivedAt = performance.now();
    if (message.type === "welcome") {
      clearTimeout(helloTimer);
      helloTimer = void 0;
      helloWait = FIRST_HELLO_AGAIN_MS;
      welcomed = true;
      giveUp((request) => request.before);
    }
    if (message.type === "connection") turn(message.up ? "up" : "down");
    else if (state !== "down" && welcomed) turn("up");
    if (message.type === "submitted" || message.type === "done") settle(message);
    if (message.type === "problem" && settle(message)) return;
    dispatch(message, buffers);
  }
  function send(message, buffer = null) {
    if (ended) return;
    sentAt ??= performance.now();
    model.send(message, void 0, buffer ? [buffer] : []);
  }
  function greet() {
    clearTimeout(helloTimer);
    for (const request of requests.values()) request.before = true;
    send(hello());
    helloTimer = setTimeout(greet, helloWait);
    helloWait *= 2;
  }
  function feelPulse() {
    if (state === "down") return;
    const now = performance.now();
    if (sentAt === null) {
      if (now - receivedAt > QUIET_MS && moves()) greet();
    } else if (now - sentAt > PATIENCE_MS) {
      turn("waiting");
      if (helloTimer === void 0) greet();
    }
  }
  const pulse = setInterval(feelPulse, 1e3);
  const nextRef = () => lastRef += 1;
  model.on("msg:custom", receive);
  model.on("comm_live_update", end);
  return {
    get state() {
      return state;
    },
    greet,
    send,
    /** A number for a request of one's own. */
    nextRef,
    /**
     * Promises the response; fails with a PanelError, `panel.no_answer` if none came.
     * @param {Request} message
     * @returns {Promise<Submitted | Done>}
     */
    request(message) {
      const ref = nextRef();
      return new Promise((respond, fail) => {
        requests.set(ref, { respond, fail, before: false });
        send(
          /** @type {FromPanel} */
          { ...message, ref }
        );
        if (ended) giveUp(() => true);
      });
    },
    /**
     * Calls `handler` for messages of a type; returns what ends that.
     * @template {MessageType} T
     * @param {T} type
     * @param {Handler<T>} handler
     */
    on(type, handler) {
      const ofType = handlers.get(type) ?? /* @__PURE__ */ new Set();
      handlers.set(type, ofType.add(handler));
      return () => void ofType.delete(handler);
    },
    close() {
      clearInterval(pulse);
      clearTimeout(helloTimer);
      model.off("msg:custom", receive);
      model.off("comm_live_update", end);
    }
  };
}

// frontend/panel/downloads.js sha256=4d4d249454469d5e7656ba09bf386ff4df9c8c11b3c88053c52e34a7e2b671a9
var STALLED_MS2 = 5e3;
var SLOW_MS = 2e4;
var MOST_PATIENCE_MS = 6e4;
var MOST_STALLS = 6;
function createDownloads(channel) {
  const downloads = /* @__PURE__ */ new Map();
  function begin(item) {
    const ref = channel.nextRef();
    Object.assign(item, { ...unbegun(), ref });
    downloads.set(ref, item);
    channel.send({ type: "fetch", ...item.request, ref });
  }
  function again(item) {
    item.stalls += 1;
    stop(item);
    if (item.stalls < MOST_STALLS) begin(item);
    else item.fail({ code: "panel.cut_off", message: "" });
  }
  function stop(item) {
    downloads.delete(item.ref);
    channel.send({ type: "blob_cancel", ref: item.ref });
  }
  function onBegin({ ref, name, media_type, size_bytes }) {
    const begun = { name, type: media_type, size: size_bytes, begun: true, movedAt: performance.now() };
    const item = downloads.get(ref);
    if (item) Object.assign(item, begun);
  }
  function onChunk({ ref, offset, last }, buffers) {
    const item = downloads.get(ref);
    if (!item) return;
    if (offset !== item.offset) return again(item);
    for (const view of buffers) {
      item.parts.push(
        /** @type {DataView<ArrayBuffer>} */
        view
      );
      item.offset += view.byteLength;
    }
    item.movedAt = performance.now();
    item.progress?.(item.size ? item.offset / item.size : null);
    channel.send({ type: "blob_at", ref, offset: item.offset });
    if (!last) return;
    downloads.delete(ref);
    item.done({ name: item.name, blob: new Blob(item.parts, { type: item.type }) });
  }
  function fail(ref, error) {
    const item = ref === null ? void 0 : downloads.get(ref);
    if (!item) return;
    downloads.delete(item.ref);
    item.fail(error);
  }
  function giveUp() {
    for (const ref of [...downloads.keys()]) fail(ref, { code: "panel.cut_off", message: "" });
  }
  function lookForStalled() {
    if (channel.state !== "up") return;
    for (const item of [...downloads.values()]) {
      const patience = Math.min((item.begun ? STALLED_MS2 : SLOW_MS) * 2 ** item.stalls, MOST_PATIENCE_MS);
      if (performance.now() - item.movedAt >= patience) again(item);
    }
  }
  const watch = setInterval(lookForStalled, 1e3);
  channel.on("blob_begin", onBegin);
  channel.on("blob_chunk", onChunk);
  channel.on("problem", ({ ref, error }) => fail(ref, error));
  channel.on("state", ({ state, ended }) => {
    if (ended) giveUp();
    if (state === "down") for (const item of downloads.values()) item.cut = true;
  });
  channel.on("welcome", () => {
    for (const item of [...downloads.values()].filter(({ cut }) => cut)) {
      item.cut = false;
      again(item);
    }
  });
  return {
    owns: (ref) => downloads.has(ref),
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
        const item = { request, done, fail: reject, progress, stalls: 0, cut, ref: 0, ...unbegun() };
        begin(item);
        signal?.addEventListener("abort", () => {
          if (downloads.get(item.ref) !== item) return;
          stop(item);
          reject({ code: "canceled", message: "" });
        });
      });
    },
    close: () => clearInterval(watch)
  };
}
function unbegun() {
  return { parts: [], offset: 0, name: "", type: "", size: 0, begun: false, movedAt: performance.now() };
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

// frontend/panel/listing.js sha256=728ac00c07fa54f3c5fcae7fb13c14b5fd0c9bbd6d005e36518eb0fa76829dab
var ACTIVE = /* @__PURE__ */ new Set(["queued", "preparing", "running", "canceling"]);
var GROUPS = {
  all: null,
  active: ACTIVE,
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
var isActive = (row) => ACTIVE.has(row.state);
function listed(rows, order, { text, group, sort }) {
  const states = GROUPS[group];
  const words = folded(text).split(/\s+/).filter(Boolean);
  const matching = order.map((id) => rows.get(id)).filter((row) => row !== void 0).filter((row) => (!states || states.has(row.state)) && matches(row, words));
  if (sort.key) matching.sort(comparer(KEYS[sort.key], sort.down));
  return matching.map((row) => row.id);
}
function matches(row, words) {
  if (words.length === 0) return true;
  const text = folded(`${row.name} ${row.session} ${row.engine} ${row.model} ${row.language ?? ""}`);
  return words.every((word) => text.includes(word));
}
function comparer(key, down) {
  const collator = new Intl.Collator(void 0, { numeric: true, sensitivity: "base" });
  const sign = down ? -1 : 1;
  return (row, other) => {
    const [a, b] = [key(row), key(other)];
    if (typeof a === "string" || typeof b === "string") return sign * collator.compare(String(a), String(b));
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  };
}
function overall(rows) {
  const allRows = [...rows];
  const busyJobs = new Set(allRows.filter(isActive).map((row) => row.job_id));
  let [active, done, all] = [0, 0, 0];
  let eta = null;
  let isSure = true;
  for (const row of allRows) {
    if (!busyJobs.has(row.job_id) || row.state === "rejected") continue;
    const weight = row.duration_s ?? 60;
    all += weight;
    if (!isActive(row)) {
      done += weight;
      continue;
    }
    active += 1;
    done += weight * (row.percentage ?? 0) / 100;
    const remaining = etaNow(row);
    if (remaining === null) isSure = false;
    else eta = Math.max(eta ?? 0, remaining);
  }
  return { active, percentage: all ? 100 * done / all : null, eta_s: isSure ? eta : null };
}
function etaNow(row) {
  if (row.eta_s == null) return null;
  return Math.max(row.eta_s - (performance.now() - row.receivedAt) / 1e3, 0);
}

// frontend/panel/hub.js sha256=b63a406a83972528538704fe447557afbd463b1eaa497a15bfa29f4b4dd0f53b
var FORM = "hybrid-transcribe.choices";
var AT_ONCE2 = "hybrid-transcribe.at-once";
var NOTHING_CHOSEN = {
  engine: "",
  model: "",
  device: "auto",
  language: "",
  task: "transcribe",
  word_timestamps: false,
  options: {}
};
function openHub(model) {
  const store = createStore(
    /** @type {PanelState} */
    {
      language: preferredLanguage(),
      channel: "connecting",
      ended: false,
      welcome: null,
      choices: null,
      rows: /* @__PURE__ */ new Map(),
      order: [],
      othersAhead: 0,
      uploads: [],
      armed: null,
      form: rememberedForm(),
      atOnce: recall(AT_ONCE2) === "yes",
      followed: null,
      newRow: null,
      notices: [],
      models: /* @__PURE__ */ new Map(),
      announcement: ""
    }
  );
  let clockSkewMs = 0;
  let lastNotice = 0;
  let newJob = null;
  const channel = connect(model, () => ({
    type: "hello",
    session_id: recallSession(),
    language: store.get("language")
  }), somethingMoves);
  const downloads = createDownloads(channel);
  const uploads = createUploads(channel, () => {
    store.set({ uploads: uploads.items });
    sendArmed();
  });
  channel.on("state", ({ state, ended }) => {
    const before = store.get("channel");
    store.set({ ended, channel: state });
    if (before === "down" && state === "up") channel.greet();
  });
  channel.on("welcome", (message) => {
    clockSkewMs = message.now * 1e3 - Date.now();
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
    const first = store.get("order").map((id) => rows.get(id)).find((row) => row?.job_id === newJob?.id && row?.recording_id);
    if (!first) return;
    if (!store.get("followed")) follow(first);
    if (newJob.reveal) store.set({ newRow: first.id });
    newJob = null;
  }
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
  function takeModel({ engine, model: name, stage, percentage, error }) {
    const models = store.get("models");
    const key = `${engine}/${name}`;
    if (stage) models.set(key, { engine, model: name, stage, percentage });
    else models.delete(key);
    store.notify("models");
    if (error) notify("error", error);
  }
  function notify(kind, error, family = "error") {
    const notices = store.get("notices");
    if (notices.some(({ error: { code, message } }) => code === error.code && message === error.message)) return;
    lastNotice += 1;
    store.set({ notices: [...notices.slice(-4), { id: lastNotice, kind, error, family }] });
  }
  async function attempt(message) {
    try {
      return await channel.request(message);
    } catch (error) {
      notify("error", asPanelError(error));
      return null;
    }
  }
  function chosen(form = store.get("form")) {
    const available = (store.get("choices")?.engines ?? []).filter((engine) => engine.available);
    const named = available.find((engine) => engine.name === form.engine);
    return named ?? available.find((engine) => engine.default) ?? available[0] ?? null;
  }
  const usable = () => uploads.items.filter((item) => item.state !== "failed");
  function sendArmed() {
    const armed = store.get("armed");
    if (!armed || armed.sent) return;
    const items = usable();
    if (items.length === 0) return void store.set({ armed: null });
    if (items.some((item) => item.state !== "complete")) return;
    armed.sent = true;
    submit(items.map((item) => item.id), armed);
  }
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
    if (store.get("atOnce")) arm();
  }
  async function submitted(message) {
    for (; ; ) {
      const next = nextWelcome();
      try {
        return (
          /** @type {Submitted} */
          await channel.request(message)
        );
      } catch (error) {
        if (asPanelError(error).code !== "panel.no_answer") throw error;
        await next.welcome;
      } finally {
        next.stop();
      }
    }
  }
  function nextWelcome() {
    let stop = () => {
    };
    const welcome = new Promise((done) => {
      stop = channel.on("welcome", done);
    });
    return { welcome, stop };
  }
  function guard(event) {
    if (usable().length) event.preventDefault();
  }
  window.addEventListener("beforeunload", guard);
  function arm({ reveal = false } = {}) {
    const choice = chosen();
    if (!choice || store.get("armed") || usable().length === 0) return;
    store.set({ armed: { values: keywords(store.get("form"), choice), reveal, sent: false } });
    sendArmed();
  }
  function follow(row, { show: show2 = false } = {}) {
    if (row.recording_id === null) return;
    const ids = { job_id: row.job_id, recording_id: row.recording_id };
    store.set({ followed: { rowId: row.id, ids, segments: [], speakers: [], complete: false, came: false, changedFrom: 0, show: show2 } });
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
    setLanguage: (language) => store.set({ language }),
    /** @param {Partial<FormValues>} changes */
    setForm(changes) {
      const form = { ...store.get("form"), ...changes };
      const { options: _, ...lasting } = form;
      remember(FORM, JSON.stringify(lasting));
      store.set({ form });
    },
    /** @param {boolean} atOnce */
    setAtOnce(atOnce) {
      remember(AT_ONCE2, atOnce ? "yes" : "no");
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
    cancel: ({ job_id, recording_id }) => attempt({ type: "cancel", job_id, recording_id }),
    /**
     * @param {Row} row
     * @param {Submit["how"]} [changes]
     */
    retry: ({ job_id, recording_id }, changes = {}) => attempt({ type: "retry", job_id, recording_id, changes }),
    /**
     * @param {Row} row
     * @param {boolean} keep
     */
    keep: ({ job_id }, keep) => attempt({ type: "keep", job_id, keep }),
    remove: ({ job_id }) => attempt({ type: "delete", job_id }),
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
    }
  };
  channel.greet();
  return hub;
}
var asPanelError = (error) => (
  /** @type {PanelError} */
  error
);
function withNew(order, rows) {
  const there = new Set(order);
  return [...order, ...rows.map((row) => row.id).filter((id) => !there.has(id))];
}
function rememberedForm() {
  try {
    const values = JSON.parse(recall(FORM) ?? "{}");
    const { options: _, ...usual } = NOTHING_CHOSEN;
    const valid = Object.entries(usual).map(([name, value]) => [name, typeof values[name] === typeof value ? values[name] : value]);
    return { ...Object.fromEntries(valid), options: {} };
  } catch {
    return { ...NOTHING_CHOSEN };
  }
}

// frontend/panel/row.js sha256=61b378d96a603c8df07d471b274ac0e551c427d9c4a905a409186bae5323a34a
var SOON_S = 24 * 3600;
var VERY_SOON_S = 15 * 60;
function actionButtons(row, { hub, i18n, root }, { bare, current = () => row }) {
  const { t } = i18n;
  const actions = {
    cancel: ["cancel", () => hub.cancel(current())],
    retry: ["retry", () => askRetry(root, hub, i18n, current())],
    change: ["change", () => askChange(root, hub, i18n, current())],
    keep: ["keep", () => hub.keep(current(), true)],
    unkeep: ["keep", () => hub.keep(current(), false)],
    delete: ["delete", () => askDelete(root, hub, i18n, current())]
  };
  const possible = Object.entries(actions).filter(([name]) => row.actions.includes(name === "change" ? "retry" : name));
  return possible.map(([name, [sign, press]]) => {
    const label = t(`action.${name}`);
    const isOfJob = row.of > 1 && ["keep", "unkeep", "delete"].includes(name);
    return button(isOfJob ? t("action.of_job", { action: label, count: row.of }) : label, {
      sign,
      bare,
      kind: bare ? "ghost" : "small",
      press,
      "data-action": name,
      "aria-pressed": name === "unkeep" ? "true" : null
    });
  });
}
function rowView(el, first, context) {
  const { hub, i18n } = context;
  const { t } = i18n;
  let row = first;
  let actionsKey = "";
  const name = h("button", { type: "button", class: "ht-name", onclick: () => context.open(row) });
  const sub = h("div", { class: "ht-sub" });
  const clock2 = icon("clock");
  const expiryText = h("span", {});
  const expiry = h("span", { class: "ht-expiry" }, clock2, expiryText);
  const session = h("span", { class: "ht-mono" });
  const engine = h("span", { class: "ht-cut" });
  const receiver = h("span", { class: "ht-hidden" });
  const cloud = h("span", { class: "ht-cloud-sign" }, icon("cloud"), receiver);
  const model = h("span", { class: "ht-cut" });
  const device = h("div", { class: "ht-sub" });
  const state = h("span", { class: "ht-state" });
  const stage = h("div", { class: "ht-sub" });
  const bar = progressBar("");
  const percent = h("span", { class: "ht-number" });
  const eta = h("span", { class: "ht-number" });
  const actions = cell("actions");
  const [errorText, errorDetail] = [h("strong"), h("span")];
  const error = h(
    "div",
    { class: "ht-cell ht-row-error", role: "cell" },
    icon("warning"),
    h("span", {}, errorText, errorDetail)
  );
  fill(
    el,
    cell("file", name, h("div", { class: "ht-sub-line" }, sub, expiry)),
    cell("session", session),
    cell("engine", h("div", { class: "ht-one" }, engine, cloud)),
    cell("model", model, device),
    cell("state", state, stage),
    cell("progress", bar.el, percent),
    cell("eta", eta),
    actions,
    error
  );
  update(row);
  return { update, tick };
  function update(next) {
    row = next;
    attr(el, "data-state", row.state);
    putTitled(name, row.name);
    name.disabled = !row.recording_id;
    attr(el, "data-opens", Boolean(row.recording_id));
    put(sub, about());
    attr(sub, "title", i18n.warningsOf(row).map((warning) => warning.text).join("\n") || null);
    putTitled(session, row.session);
    putTitled(engine, row.engine);
    drawCloud();
    putTitled(model, row.model);
    put(device, deviceOf());
    put(state, t(`state.${row.state}`));
    putTitled(stage, stageOf());
    drawBar();
    drawActions();
    drawError();
    tick();
  }
  function about() {
    const parts = [];
    if (row.duration_s != null) parts.push(i18n.clock(row.duration_s));
    if (row.language) parts.push(i18n.languageName(row.language));
    if (row.attempt > 1) parts.push(t("row.attempt", { count: row.attempt }));
    if (row.warnings.length) parts.push(t("row.warnings", { count: row.warnings.length }));
    return parts.join(" · ");
  }
  function drawCloud() {
    show(cloud, row.sends_audio_to);
    if (!row.sends_audio_to) return;
    const text = t("cloud.goes", { receiver: row.sends_audio_to });
    attr(cloud, "title", text);
    put(receiver, text);
  }
  function deviceOf() {
    const code = row.device ?? (row.asked_device === "auto" ? null : row.asked_device);
    return code ? deviceName(i18n, code) : "";
  }
  function stageOf() {
    if (row.state === "queued" && row.ahead > 0) return t("row.ahead", { count: row.ahead });
    if (!row.stage) return "";
    const part = row.stage_percentage == null ? "" : ` ${i18n.percent(row.stage_percentage)}`;
    return t(`stage.${row.stage}`) + part;
  }
  function drawBar() {
    const isRecording = row.state !== "rejected";
    show(bar.el, isRecording);
    attr(bar.el, "aria-label", t("row.progress", { name: row.name }));
    bar.draw(row.percentage, isActive(row));
    put(percent, isRecording && row.percentage !== null ? i18n.percent(row.percentage) : "");
  }
  function drawActions() {
    const key = `${row.actions} ${row.of}`;
    if (key === actionsKey) return;
    actionsKey = key;
    const focused = actions.contains(document.activeElement);
    actions.replaceChildren(...actionButtons(row, context, { bare: true, current: () => row }));
    if (focused) (actions.querySelector("button") ?? name).focus();
  }
  function drawError() {
    show(error, row.error);
    if (!row.error) return;
    const detail = i18n.detailOf(row.error);
    put(errorText, i18n.kindOf(row.error));
    put(errorDetail, detail.text ? ` ${detail.text}` : "");
    attr(errorDetail, "lang", detail.lang);
    attr(error, "title", detail.text || null);
  }
  function tick() {
    const remaining = isActive(row) ? etaNow(row) : null;
    put(eta, remaining === null ? "" : i18n.about(remaining));
    const expiresIn = row.expires_at == null || row.kept ? null : row.expires_at - hub.now() / 1e3;
    const isSoon = expiresIn !== null && expiresIn < SOON_S;
    show(expiry, isSoon || row.kept);
    attr(clock2, "hidden", row.kept);
    if (row.kept) put(expiryText, t("row.kept"));
    else if (isSoon) put(expiryText, t("row.goes", { time: i18n.about(Math.max(expiresIn, 0)) }));
    attr(expiry, "data-soon", isSoon && expiresIn < VERY_SOON_S);
    attr(el, "data-kept", row.kept);
  }
}
function cell(name, ...children) {
  return h("div", { class: `ht-cell ht-c-${name}`, role: "cell" }, children);
}
function putTitled(node, text) {
  put(node, text);
  attr(node, "title", text || null);
}

// frontend/panel/transcript.js sha256=13b4569484e728e44b466167833813e46e6a99e553db1190057ab917d0ca6c5c
function transcriptView(hub, i18n, root, before = null) {
  const { t } = i18n;
  const endings = createEndings();
  let followed = null;
  const lines = [];
  let allHits = [];
  let currentHit = -1;
  let audioUrl = null;
  let loading = null;
  let playFrom = null;
  let live = true;
  let headKey = "";
  let speakersKey = "";
  let speakers = cast([], []);
  const title = h("h2", { class: "ht-cut", tabindex: "-1" });
  const about = h("p", { class: "ht-quiet ht-small" });
  const actions = h("div", { class: "ht-buttons" });
  const warnings = h("ul", { class: "ht-warnings" });
  const saves = h("div", { class: "ht-saves" });
  const audio = h("audio", { controls: true, preload: "metadata", hidden: true });
  const listen = button(t("transcript.listen"), { sign: "listen", kind: "plain", press: () => play(null) });
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
  const hitCount = h("span", { class: "ht-number ht-counted", role: "status" });
  const previous = button(t("transcript.previous"), { sign: "up", bare: true, kind: "ghost", press: () => go(-1) });
  const next = button(t("transcript.next"), { sign: "down", bare: true, kind: "ghost", press: () => go(1) });
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
        const { target } = event;
        const hasValue = (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) && target.value;
        if (event.key === "Escape" && !hasValue) leave();
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
        follow.el,
        h("span", { class: "ht-search-box" }, icon("search"), search),
        hitCount,
        previous,
        next,
        copy
      )
    ),
    text,
    note,
    legend,
    saves
  );
  function take(latest) {
    if (!isSame(latest?.ids, followed?.ids)) reset();
    followed = latest;
    show(el, latest);
    if (!latest) return;
    cut(Math.min(keptOf(latest), lines.length));
    const from = lines.length;
    for (const segment of latest.segments.slice(from)) lines.push(newLine(segment, lines.at(-1)?.segment));
    text.append(...lines.slice(from).map((line) => line.node));
    text.classList.toggle("ht-long", lines.length > 300);
    if (search.value) find(true);
    drawHead();
    if (live && !latest.complete) toEnd();
    if (latest.show) bringIntoView(latest);
  }
  function keptOf(latest) {
    speakers = cast(latest.speakers, latest.segments);
    const key = JSON.stringify(latest.speakers);
    const same = key === speakersKey;
    speakersKey = key;
    return same ? latest.changedFrom : 0;
  }
  function bringIntoView(latest) {
    if (latest.came) latest.show = false;
    el.scrollIntoView({ block: "start" });
    title.focus({ preventScroll: true });
  }
  function leave() {
    const opened = followed?.rowId;
    hub.unfollow();
    if (opened) focusWithin(root, `[data-row="${CSS.escape(opened)}"] .ht-name`);
  }
  function reset() {
    cut(0);
    allHits = [];
    currentHit = -1;
    search.value = "";
    put(hitCount, "");
    live = true;
    follow.box.checked = true;
    headKey = "";
    audio.pause();
    audio.removeAttribute("src");
    show(audio, false);
    show(listen, true);
    loading?.abort();
    loading = null;
    setListen(null);
    if (audioUrl) URL.revokeObjectURL(audioUrl);
    audioUrl = null;
  }
  function cut(length) {
    for (const line of lines.splice(length)) line.node.remove();
  }
  function newLine(segment, before2) {
    const words = h("p", { onclick: () => isSelecting() || play(segment.start_s) });
    const time = h("button", {
      type: "button",
      class: "ht-time",
      title: t("transcript.play"),
      "aria-label": t("transcript.play_at", { time: i18n.clock(segment.start_s) }),
      onclick: () => play(segment.start_s)
    }, i18n.clock(segment.start_s));
    const node = h(
      "div",
      {
        class: "ht-segment",
        "data-doubtful": isDoubtful(segment),
        title: isDoubtful(segment) ? t("transcript.unsure") : null
      },
      time,
      said(segment, before2, words)
    );
    const line = { segment, text: segment.text.trim(), doubtful: doubts(segment), hits: [], node, words };
    write(line);
    return line;
  }
  function said({ speaker }, before2, words) {
    if (!speaker) return h("div", {}, words);
    const begins = speaker !== before2?.speaker;
    const node = h("div", { class: "ht-said" }, begins ? speakerChip(i18n, speakers.label(speaker)) : null, words);
    speakers.mark(node, speaker);
    return node;
  }
  function write(line) {
    const nodes = pieces(line.text, line.doubtful, line.hits).map((piece) => {
      let node = document.createTextNode(piece.text);
      if (piece.hit >= 0) node = h("mark", { class: "ht-hit", "data-hit": piece.hit }, node);
      if (piece.doubt === null) return node;
      const probability = t("transcript.probability", { part: i18n.percent(100 * piece.doubt) });
      return h("mark", { class: "ht-doubt", title: probability }, node);
    });
    line.words.replaceChildren(...nodes);
  }
  const isSelecting = () => String(window.getSelection()).trim() !== "";
  function toEnd() {
    text.scrollTop = text.scrollHeight;
  }
  function find(again = false) {
    const current = allHits[currentHit];
    allHits = [];
    for (const line of lines) {
      const ranges = hits(line.text, search.value);
      if (ranges.length || line.hits.length) {
        line.hits = ranges;
        write(line);
      }
      ranges.forEach((_, index) => allHits.push({ line, index }));
    }
    if (again) {
      const same = allHits.findIndex((hit) => hit.line === current?.line && hit.index === current.index);
      currentHit = same >= 0 ? same : Math.min(currentHit, allHits.length - 1);
      marksOf(currentHit).forEach((mark) => mark.classList.add("ht-current"));
    } else currentHit = -1;
    if (!again && allHits.length) go(1);
    else drawHitCount();
  }
  function go(step) {
    if (allHits.length === 0) return drawHitCount();
    marksOf(currentHit).forEach((mark) => mark.classList.remove("ht-current"));
    currentHit = (currentHit + step + allHits.length) % allHits.length;
    const marks = marksOf(currentHit);
    marks.forEach((mark) => mark.classList.add("ht-current"));
    if (marks[0]) within(marks[0]);
    drawHitCount();
  }
  function marksOf(index) {
    const hit = allHits[index];
    return hit ? [...hit.line.words.querySelectorAll(`[data-hit="${hit.index}"]`)] : [];
  }
  function within(node) {
    const [box, frame] = [node.getBoundingClientRect(), text.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) {
      text.scrollTop += box.top - frame.top - frame.height / 3;
    }
  }
  function drawHitCount() {
    const values = { at: currentHit + 1, count: allHits.length };
    put(hitCount, !search.value.trim() ? "" : allHits.length ? t("transcript.hit", values) : t("transcript.no_hit"));
    previous.disabled = next.disabled = allHits.length === 0;
  }
  function whyEmpty(row) {
    if (!isActive(row) && row.state !== "completed") return t(`none.${row.state}`);
    return followed?.complete && row.state === "completed" ? t("transcript.nothing") : t("transcript.waiting");
  }
  function drawHead() {
    const row = followed && hub.store.get("rows").get(followed.rowId);
    if (!followed || !row) return;
    const isEmpty = followed.segments.length === 0;
    show(note, isEmpty);
    put(note, isEmpty ? whyEmpty(row) : "");
    show(text, !isEmpty);
    show(follow.el, !followed.complete);
    attr(text, "aria-busy", !followed.complete);
    show(legend, lines.some((line) => line.doubtful.length || isDoubtful(line.segment)));
    copy.disabled = isEmpty;
    put(title, row.name);
    attr(title, "title", row.name);
    put(about, describe(row));
    const formats = hub.store.get("choices")?.formats ?? [];
    const key = [row.id, row.state, row.actions, row.of, row.warnings.length, isEmpty, formats].join();
    if (key === headKey) return;
    headKey = key;
    actions.replaceChildren(...actionButtons(row, { hub, i18n, root }, { bare: false }));
    swap(warnings, i18n.warningsOf(row).map((warning) => h("li", {}, icon("info"), h("span", { lang: warning.lang }, warning.text))));
    show(warnings, row.warnings.length);
    swap(saves, savesOfRecording(followed.ids, formats, isEmpty), row.of > 1 ? savesOfJob(row, formats) : null);
  }
  function describe(row) {
    const language = row.language && i18n.languageName(row.language);
    const sure = row.language_probability == null ? "" : ` (${i18n.percent(100 * row.language_probability)})`;
    return [
      t(`state.${row.state}`),
      `${row.engine} / ${row.model}`,
      row.device ? deviceName(i18n, row.device) : null,
      language && language + sure,
      row.duration_s == null ? null : i18n.clock(row.duration_s),
      row.sends_audio_to ? t("cloud.goes", { receiver: row.sends_audio_to }) : null
    ].filter(Boolean).join(" · ");
  }
  function savesOfRecording(ids, formats, disabled) {
    return h(
      "div",
      { class: "ht-buttons", role: "group", "aria-label": t("saves.one") },
      h("span", { class: "ht-saves-label" }, icon("download"), t("saves.one")),
      formats.map((format) => button(`.${format}`, {
        kind: "small",
        "data-format": format,
        disabled,
        press: () => hub.download({ what: "result", format, ...ids, partial: true })
      }))
    );
  }
  function savesOfJob(row, formats) {
    const inside = select(
      formats.map((format) => [format, `.${format}`]),
      formats[0] ?? "",
      () => {
      },
      { name: "inside", "aria-label": t("saves.inside") }
    );
    const fetch = (format) => hub.download({
      what: "results",
      job_id: row.job_id,
      recording_id: null,
      format,
      inside: inside.value,
      partial: true
    });
    return h(
      "div",
      { class: "ht-buttons", role: "group", "aria-label": t("saves.job", { count: row.of }) },
      h("span", { class: "ht-saves-label" }, t("saves.job", { count: row.of })),
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
    const done = await copyText(textOf(lines, speakers));
    const result = done ? t("transcript.copied") : t("transcript.not_copied");
    hub.announce(result);
    rename(copy, result);
    setTimeout(() => rename(copy, t("transcript.copy")), 2e3);
  }
  async function play(time) {
    if (!audioUrl) {
      playFrom = time;
      if (!followed || !await load(followed.ids)) return;
      time = playFrom;
    }
    if (time !== null) audio.currentTime = time;
    audio.play().catch(() => {
    });
  }
  async function load(ids) {
    if (loading) return false;
    const mine = new AbortController();
    loading = mine;
    setListen(0);
    try {
      const { blob } = await hub.downloads.fetchBlob({ what: "audio", ...ids }, setListen, mine.signal);
      if (loading !== mine) return false;
      useAudio(URL.createObjectURL(blob));
      return true;
    } catch (error) {
      if (loading === mine) hub.notify("error", asPanelError(error));
      return false;
    } finally {
      if (loading === mine) {
        loading = null;
        setListen(null);
      }
    }
  }
  function useAudio(url) {
    audioUrl = url;
    audio.src = url;
    show(audio, true);
    show(listen, false);
  }
  function setListen(part) {
    listen.disabled = part !== null;
    rename(listen, part === null ? t("transcript.listen") : t("transcript.loading", { part: i18n.percent(100 * part) }));
  }
  let speaking = null;
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime;
    const line = lines.find(({ segment }) => segment.start_s <= now && now < segment.end_s) ?? null;
    if (line === speaking) return;
    if (speaking) attr(speaking.node, "data-speaking", null);
    speaking = line;
    if (!line) return;
    attr(line.node, "data-speaking", "true");
    if (!audio.paused) within(line.node);
  });
  endings.add(
    hub.store.watch("followed", take),
    hub.store.watch("rows", drawHead),
    hub.store.watch("choices", drawHead),
    reset
  );
  restore();
  return { el, reading, close: endings.end };
  function reading() {
    if (!followed) return null;
    const taken = {
      ids: followed.ids,
      search: search.value,
      currentHit,
      audioUrl,
      isLoading: Boolean(loading),
      playFrom,
      time: audio.currentTime,
      isPlaying: !audio.paused
    };
    audioUrl = null;
    return taken;
  }
  function restore() {
    if (!before) return;
    if (!isSame(before.ids, followed?.ids)) {
      if (before.audioUrl) URL.revokeObjectURL(before.audioUrl);
      return;
    }
    search.value = before.search;
    currentHit = before.currentHit;
    if (search.value) find(true);
    if (before.isLoading) play(before.playFrom);
    if (!before.audioUrl) return;
    useAudio(before.audioUrl);
    audio.currentTime = before.time;
    if (before.isPlaying) audio.play().catch(() => {
    });
  }
}
function isSame(ids, other) {
  return ids?.job_id === other?.job_id && ids?.recording_id === other?.recording_id;
}
function textOf(lines, speakers) {
  const written = lines.filter((line) => line.text);
  return written.map(({ text, segment: { speaker } }, index) => speaker && speaker !== written[index - 1]?.segment.speaker ? `${speakers.label(speaker)}: ${text}` : text).join("\n");
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

// frontend/panel/header.js sha256=a8af6048002909359dc5afc28a363e72800012bc42519dbe6442db947072e1e2
function headerView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  const dot = h("span", { class: "ht-dot" });
  const state = h("span", {});
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
    h("span", { class: "ht-line-state", role: "status" }, dot, state),
    h("div", { class: "ht-header-end" }, own, link, languages)
  );
  function choose(code) {
    if (code === i18n.language) return;
    chooseLanguage(code);
    hub.setLanguage(code);
  }
  function address() {
    const welcome = hub.store.get("welcome");
    if (welcome?.link) return new URL(welcome.link, plainAddress()).href;
    if (!welcome?.session_id) return null;
    const url = plainAddress();
    url.hash = new URLSearchParams({ session: welcome.session_id }).toString();
    return url.href;
  }
  async function copyLink() {
    const done = await copyText(address() ?? "");
    const result = done ? t("header.link_copied") : t("transcript.not_copied");
    hub.announce(result);
    rename(link, result);
    setTimeout(() => rename(link, t("header.link")), 2e3);
  }
  endings.add(
    hub.store.watch("channel", (channel) => {
      attr(dot, "data-line", channel);
      put(state, t(`line.${channel}`));
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

// frontend/panel/notices.js sha256=0ff5cc9ff4a91186a69dd9f194998c6b4e2f16c60cb766b135e2b2f4aefe1dff
function noticesView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  const nodes = /* @__PURE__ */ new Map();
  const lostText = h("p");
  const lost = h(
    "div",
    { class: "ht-notice", "data-kind": "warning", role: "alert", hidden: true },
    icon("warning"),
    lostText
  );
  const list = h("div", { class: "ht-notices", "aria-live": "polite" });
  const models = h("div", { class: "ht-models", "aria-live": "off" });
  const announcement = h("div", { class: "ht-hidden", role: "status" });
  const el = h("div", { class: "ht-top" }, lost, list, models, announcement);
  function newNotice(notice) {
    const text = notice.family === "notice" ? wordedNotice(notice.error) : i18n.kindOf(notice.error);
    const detail = i18n.detailOf(notice.error);
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
    const there = new Set(notices.map((notice) => notice.id));
    for (const [id, node] of nodes) {
      if (there.has(id)) continue;
      node.remove();
      nodes.delete(id);
    }
    for (const notice of notices) {
      if (nodes.has(notice.id)) continue;
      const node = newNotice(notice);
      nodes.set(notice.id, node);
      list.append(node);
    }
  }
  function newModel({ engine, model, stage, percentage }) {
    const bar = progressBar(model);
    bar.draw(percentage, true);
    return h(
      "div",
      { class: "ht-model" },
      h("span", {}, `${t(`stage.${stage}`)}: ${engine} / ${model}`),
      bar.el,
      h("span", { class: "ht-number" }, percentage === null ? "" : i18n.percent(percentage))
    );
  }
  endings.add(
    hub.store.watch("notices", draw),
    hub.store.watch("models", (all) => models.replaceChildren(...[...all.values()].map(newModel))),
    hub.store.watch("announcement", (text) => put(announcement, text)),
    hub.store.watch("channel", (state) => {
      show(lost, state === "down" || state === "waiting");
      put(lostText, state === "down" ? down() : state === "waiting" ? waiting() : "");
    })
  );
  return { el, close: endings.end };
}

// frontend/panel/queue.js sha256=f8878b529916833dbde950f0cbe6b144712a420e4ad4fdf4185e58dba075f018
var COLUMNS = ["name", "session", "engine", "model", "state", "percentage", "eta"];
function queueView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const criteria = { text: "", group: "all", sort: { key: null, down: false } };
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
      criteria.text = filter.value;
      plan();
    }
  });
  const groups = select(
    Object.keys(GROUPS).map((group) => [group, t(`group.${group}`)]),
    "all",
    (group) => {
      criteria.group = /** @type {Group} */
      group;
      plan();
    },
    { name: "group", "aria-label": t("queue.group") }
  );
  const columns = COLUMNS.map((key) => [key, t(`column.${key}`)]);
  const sorts = select(
    [["", t("queue.sort_none")], ...columns],
    "",
    (key) => sortBy(
      /** @type {SortKey | ""} */
      key || null,
      key === "percentage"
    ),
    { name: "sort", class: "ht-narrow", "aria-label": t("queue.sort") }
  );
  const bar = progressBar(t("queue.overall"));
  const progress = h("span", { class: "ht-number" });
  const whole = h("div", { class: "ht-whole" }, bar.el, progress);
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
    for (const entry of entries) if (entry.isIntersecting) fillShell(
      /** @type {HTMLElement} */
      entry.target
    );
  }, { root: scroll, rootMargin: "600px" });
  function classOf(key) {
    return key === "name" ? "file" : key === "percentage" ? "progress" : key;
  }
  function turnSort(key) {
    if (criteria.sort.key !== key) sortBy(key, key === "percentage");
    else if (criteria.sort.down === (key === "percentage")) sortBy(key, !criteria.sort.down);
    else sortBy(null, false);
  }
  function sortBy(key, down) {
    criteria.sort = { key, down };
    sorts.value = key ?? "";
    for (const node of head.querySelectorAll("[data-key]")) {
      const isSorted = node.getAttribute("data-key") === key;
      attr(node, "aria-sort", isSorted ? down ? "descending" : "ascending" : "none");
    }
    plan();
  }
  function fillShell(shell) {
    near.unobserve(shell);
    const id = shell.dataset.row ?? "";
    const row = hub.store.get("rows").get(id);
    if (!row || filled.has(id)) return;
    filled.set(id, { view: rowView(shell, row, context), row });
  }
  function plan() {
    if (planned) return;
    planned = document.hidden ? setTimeout(draw, 200) : requestAnimationFrame(draw);
  }
  function draw() {
    planned = 0;
    const rows = hub.store.get("rows");
    const ids = listed(rows, hub.store.get("order"), criteria);
    arrange(ids);
    for (const [id, entry] of filled) {
      const row = rows.get(id);
      if (!row) filled.delete(id);
      else if (row !== entry.row) {
        entry.row = row;
        entry.view.update(row);
      }
    }
    drawCounts(rows, ids);
    drawWhole(rows);
    drawOpen(hub.store.get("followed"));
    reveal(hub.store.get("newRow"));
  }
  function reveal(id) {
    if (id === null) return;
    hub.store.set({ newRow: null });
    const [shell, focused] = [shells.get(id), document.activeElement];
    if (!shell || focused && focused !== document.body && !focused.closest(".ht-foot")) return;
    fillShell(shell);
    shell.scrollIntoView({ block: "nearest" });
    shell.querySelector("button")?.focus({ preventScroll: true });
  }
  function arrange(ids) {
    const current = new Set(ids);
    for (const [id, shell] of shells) {
      if (current.has(id)) continue;
      near.unobserve(shell);
      shell.remove();
      shells.delete(id);
      filled.delete(id);
    }
    const focused = document.activeElement;
    let at = body.firstChild;
    for (const id of ids) {
      const shell = shells.get(id) ?? newShell(id);
      if (shell === at) at = shell.nextSibling;
      else body.insertBefore(shell, at);
    }
    if (focused instanceof HTMLElement && body.contains(focused) && focused !== document.activeElement) {
      focused.focus({ preventScroll: true });
    }
  }
  function newShell(id) {
    const shell = h("div", { class: "ht-row", role: "row", "data-row": id, onclick: (event) => openFrom(event, id) });
    shells.set(id, shell);
    near.observe(shell);
    return shell;
  }
  function openFrom(event, id) {
    const row = hub.store.get("rows").get(id);
    const isControl = event.target instanceof Element && event.target.closest("button, a, input, select");
    if (!row?.recording_id || isControl) return;
    if (String(window.getSelection()).trim() === "") context.open(row);
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
    bar.draw(percentage);
    const parts = [percentage === null ? null : i18n.percent(percentage), eta_s === null ? null : i18n.about(eta_s)];
    put(progress, parts.filter(Boolean).join(" · "));
  }
  function drawOpen(followed) {
    for (const [id, shell] of shells) attr(shell, "aria-current", id === followed?.rowId ? "true" : null);
  }
  const ticking = setInterval(() => {
    for (const { view } of filled.values()) view.tick();
    drawWhole(hub.store.get("rows"));
  }, 1e3);
  endings.add(
    hub.store.watch("rows", plan),
    hub.store.watch("followed", drawOpen),
    hub.store.watch("newRow", (id) => id && plan()),
    hub.store.watch("othersAhead", (ahead) => {
      show(others, ahead > 0);
      put(others, t("queue.others", { count: ahead }));
    }),
    () => clearInterval(ticking),
    () => near.disconnect()
  );
  return { el, close: endings.end };
}

// frontend/panel/theme.js sha256=5ca6e5d67b379a3ddb73b82acb64b3a0400a515072866d983ff0553e336e5110
function followTheme(root) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  function update() {
    const { body, documentElement: page } = document;
    const lab = body.dataset.jpThemeLight;
    const dark = lab !== void 0 ? lab === "false" : hostIsDark(page, body) ?? system.matches;
    root.dataset.theme = dark ? "dark" : "light";
    if (lab === void 0) delete root.dataset.host;
    else root.dataset.host = "jupyter";
  }
  const observer = new MutationObserver(update);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "theme", "class"] });
  }
  system.addEventListener("change", update);
  update();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", update);
  };
}
function hostIsDark(page, body) {
  const colab = page.getAttribute("theme");
  if (colab) return colab === "dark";
  const code = body.dataset.vscodeThemeKind;
  return code ? !code.includes("light") : null;
}

// frontend/panel/title.js sha256=957464e48b021ec706c6effbef53e8ff972d834062903bf2647f8d5f86feea8c
function followTitle(hub, i18n) {
  const own = document.title.replace(/^\(\d+%[^)]*\) /, "");
  let timer;
  function write() {
    timer = void 0;
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

// frontend/panel/main.js sha256=34ec96655d47a01aec924d6a2f575c9b53ac6db11a3fa7eb95b79640281f6da2
function mount(hub, el) {
  const root = h("div", { class: "ht-hud" });
  const drawn = createEndings();
  let transcript = null;
  function draw(language) {
    const focused = document.activeElement;
    const isLanguage = focused instanceof HTMLElement && root.contains(focused) && focused.dataset.language;
    const reading = transcript?.reading();
    drawn.end();
    const i18n = speak(language);
    root.lang = language;
    transcript = transcriptView(hub, i18n, root, reading);
    const views = [
      headerView(hub, i18n),
      noticesView(hub, i18n),
      composeView(hub, i18n, root),
      queueView(hub, i18n, root),
      transcript
    ];
    root.replaceChildren(h("div", { class: "ht-page" }, views.map((view) => view.el)));
    drawn.add(...views.map((view) => view.close), followTitle(hub, i18n));
    if (isLanguage) focusWithin(root, `[data-language="${language}"]`);
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
  let hub;
  return {
    /** @param {{ model: WidgetModel }} widget */
    initialize({ model }) {
      hub = openHub(model);
      return () => hub.close();
    },
    /** @param {{ el: HTMLElement }} widget */
    render({ el }) {
      return mount(hub, el);
    }
  };
};
export {
  main_default as default
};
