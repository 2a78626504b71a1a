// The form: engine, model, device, language, task and options, each as the engine offers them.

import { attr, button, checkbox, field, freshId, h, icon, select, swap } from "./dom.js";
import { COMMON, deviceFor, EXPERT, languageFor, languagesOf, parsed, taskFor } from "./options.js";

const OTHER = "\u0000other";

/** The form over the values `how`; `change` gets what was changed. */
export function choicesView(hub, i18n, { how, change }) {
  const { t } = i18n;
  const el = h("div", { class: "ht-choices" });
  // Kept while the form is drawn anew, or it would fold at every change of engine.
  const open = { more: false, expert: false };
  let otherModel = false;

  function draw(values) {
    const choices = hub.store.get("choices");
    const choice = hub.chosen(values);
    if (!choices || !choice) return void swap(el, waiting(choices));
    swap(
      el,
      h("div", { class: "ht-grid" },
        engineField(choices, choice),
        modelField(choice, values),
        deviceField(choice, values),
        languageField(choice, values),
        taskField(choice, values),
        wordsBox(choice, values),
      ),
      more(choice, values),
      unavailable(choices),
    );
  }

  function waiting(choices) {
    return choices
      ? h("div", {}, h("p", { class: "ht-quiet" }, t("choices.none")), unavailable(choices))
      : h("div", { class: "ht-skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
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
      [OTHER, t("choices.model_other")],
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
        type: "text", name: "other_model", value: known ? "" : values.model, spellcheck: "false",
        placeholder: t("choices.model_placeholder"), "aria-label": t("choices.model_placeholder"),
        oninput: (event) => change({ model: event.target.value }),
      }));
    }
    return made;
  }

  function deviceField(choice, values) {
    const names = ["auto", ...choice.devices.filter((name) => name !== "auto")];
    const labels = names.map((name) => [name, deviceName(i18n, name)]);
    return field(t("choices.device"), select(labels, deviceFor(values, choice), (device) => change({ device }), {
      name: "device", disabled: names.length < 2,
    }));
  }

  function languageField(choice, values) {
    const collator = new Intl.Collator(i18n.language);
    const named = languagesOf(values, choice)
      .map((code) => [code, i18n.languageName(code)])
      .sort(([, one], [, other]) => collator.compare(one, other));
    return field(t("choices.language"), select(
      [["", t("choices.detect")], ...named], languageFor(values, choice), (language) => change({ language }),
      { name: "language", disabled: !choice.options.includes("language") },
    ));
  }

  function taskField(choice, values) {
    const tasks = [["transcribe", t("task.transcribe")]];
    if (choice.translates) tasks.push(["translate", t("task.translate")]);
    return field(t("choices.task"), select(tasks, taskFor(values, choice), (task) => change({ task }), {
      name: "task", disabled: tasks.length < 2,
    }));
  }

  function wordsBox(choice, values) {
    const made = checkbox(t("choices.words"), values.word_timestamps && choice.word_timestamps,
      (word_timestamps) => change({ word_timestamps }), t("choices.words_hint"));
    const box = made.querySelector("input");
    box.name = "word_timestamps";
    box.disabled = !choice.word_timestamps;
    return h("div", { class: "ht-field ht-boxes" }, made);
  }

  function unavailable(choices) {
    const lacking = choices.engines.filter((engine) => !engine.available);
    if (lacking.length === 0) return null;
    return h("details", { class: "ht-more" },
      h("summary", {}, t("choices.lacking", { count: lacking.length })),
      h("dl", { class: "ht-reasons" }, lacking.map((engine) => {
        const why = i18n.tell(engine.why_not ?? "");
        return [h("dt", {}, engine.name), h("dd", { lang: why.lang }, why.text)];
      })),
      button(t("choices.look"), { sign: "retry", kind: "small", press: hub.look }),
    );
  }

  function more(choice, values) {
    const common = COMMON.filter((option) => choice.options.includes(option.name));
    const expert = EXPERT.filter((option) => choice.options.includes(option.name));
    if (common.length + expert.length === 0) return null;
    return details(t("choices.more"), "more",
      h("div", { class: "ht-grid" }, common.map((option) => control(option, values))),
      expert.length === 0 ? null : details(t("choices.expert"), "expert",
        h("div", { class: "ht-grid" }, expert.map((option) => control(option, values)))),
    );
  }

  function details(label, which, ...children) {
    return h("details", {
      class: "ht-more", open: open[which],
      ontoggle: (event) => (open[which] = event.target.open),
    }, h("summary", {}, label), children);
  }

  function control(option, values) {
    const label = t(`option.${option.name}`);
    const value = values.options[option.name];
    const set = (next) => {
      const options = { ...values.options, [option.name]: next };
      // Later changes build on this one; the form itself stays as it is.
      values.options = options;
      change({ options });
    };
    if (option.kind === "switch") {
      const made = checkbox(label, value ?? option.usual,
        (on) => set(on === option.usual ? undefined : on));
      made.querySelector("input").name = option.name;
      return h("div", { class: "ht-field ht-boxes" }, made);
    }
    if (option.kind === "maybe") return field(label, maybe(option, value, set));
    const offers = option.offers ? h("datalist", { id: freshId() },
      option.offers.map((one) => h("option", { value: one }))) : null;
    const made = field(label, typed(option, value, set, offers?.id), {
      wide: option.wide, hint: option.wide ? t(`hint.${option.name}`) : null,
    });
    return offers ? (made.append(offers), made) : made;
  }

  function maybe(option, value, set) {
    const names = [["", t("choices.default")], ["yes", t("choices.yes")], ["no", t("choices.no")]];
    const shown = value === undefined ? "" : value ? "yes" : "no";
    const read = { "": undefined, yes: true, no: false };
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
        set(read === null ? undefined : read);
      },
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

/** Says that the audio leaves the machine, and to whom. */
export function cloudMark(i18n, receiver) {
  return h("p", { class: "ht-cloud", role: "note" }, icon("cloud"),
    h("span", {}, i18n.t("cloud.goes", { receiver })));
}

/** A device as people call it. */
export function deviceName(i18n, device) {
  const key = `device.${device}`;
  return i18n.has(key) ? i18n.t(key) : device;
}
