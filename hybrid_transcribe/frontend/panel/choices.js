// The form: engine, model, device, language, task and options, each as the engine offers them.

import { attr, button, checkbox, field, focusWithin, freshId, h, icon, select, swap } from "./dom.js";
import { COMMON, deviceFor, EXPERT, languageFor, languagesOf, parsed, taskFor } from "./options.js";

import { speakersField, speakersLacking, tellsSpeakers } from "./speakers.js";

const OTHER = "\u0000other";

/** @import { Choices, EngineInfo } from "../messages" */
/** @import { Child } from "./dom.js" */
/** @import { Hub } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { FormValues, Option, OptionValue } from "./options.js" */

/**
 * The form over the values that `form` returns; `change` gets what was changed.
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {{ form: () => FormValues, change: (changes: Partial<FormValues>) => void }} values
 */
export function choicesView(hub, i18n, { form, change }) {
  const { t } = i18n;
  const el = h("div", { class: "ht-choices" });
  // Kept while the form is drawn anew, or it would fold at every change of engine.
  const open = { more: false, expert: false };
  let otherModel = false;

  /** @param {FormValues} values */
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
        tellsSpeakers(choice) ? speakersField(i18n, choice, values, (options) => redraw({ options })) : null,
      ),
      more(choice, values),
      tellsSpeakers(choice) ? null : speakersLacking(i18n, choices, hub.lookForEngines),
      unavailable(choices),
    );
  }

  /** @param {Choices | null} choices */
  function waiting(choices) {
    return choices
      ? h("div", {}, h("p", { class: "ht-quiet" }, t("choices.none")), unavailable(choices))
      : h("div", { class: "ht-skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  }

  /**
   * @param {Choices} choices
   * @param {EngineInfo} choice
   */
  function engineField(choices, choice) {
    /** @type {Parameters<typeof select>[0]} */
    const names = choices.engines.map((engine) => {
      const label = engine.available ? engine.name : t("choices.unavailable", { name: engine.name });
      return [engine.name, label, { disabled: !engine.available, title: i18n.whyNot(engine).text || null }];
    });
    return field(t("choices.engine"), select(names, choice.name, (engine) => {
      otherModel = false;
      redraw({ engine, model: "" });
    }, { name: "engine" }));
  }

  /**
   * @param {EngineInfo} choice
   * @param {FormValues} values
   */
  function modelField(choice, values) {
    const isListed = values.model === "" || choice.models.includes(values.model);
    const typing = otherModel || !isListed;
    const usual = choice.default_model;
    /** @type {[value: string, label: string][]} */
    const names = [
      ["", usual ? t("choices.model_default", { name: usual }) : t("choices.default")],
      ...choice.models.filter((name) => name !== usual)
        .map((name) => /** @type {[string, string]} */ ([name, name])),
      [OTHER, t("choices.model_other")],
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
        type: "text", name: "other_model", value: isListed ? "" : values.model, spellcheck: "false",
        placeholder: t("choices.model_placeholder"), "aria-label": t("choices.model_placeholder"),
        oninput: () => change({ model: input.value }),
      });
      labelled.append(input);
    }
    return labelled;
  }

  /**
   * @param {EngineInfo} choice
   * @param {FormValues} values
   */
  function deviceField(choice, values) {
    const names = ["auto", ...choice.devices.filter((name) => name !== "auto")];
    /** @type {[value: string, label: string][]} */
    const labels = names.map((name) => [name, deviceName(i18n, name)]);
    return field(t("choices.device"), select(labels, deviceFor(values, choice), (device) => change({ device }), {
      name: "device", disabled: names.length < 2,
    }));
  }

  /**
   * @param {EngineInfo} choice
   * @param {FormValues} values
   */
  function languageField(choice, values) {
    const collator = new Intl.Collator(i18n.language);
    /** @type {[code: string, name: string][]} */
    const named = languagesOf(values, choice).map((code) => [code, i18n.languageName(code)]);
    named.sort(([, name], [, other]) => collator.compare(name, other));
    return field(t("choices.language"), select(
      [["", t("choices.detect")], ...named], languageFor(values, choice), (language) => change({ language }),
      { name: "language", disabled: !choice.options.includes("language") },
    ));
  }

  /**
   * @param {EngineInfo} choice
   * @param {FormValues} values
   */
  function taskField(choice, values) {
    /** @type {[value: string, label: string][]} */
    const tasks = [["transcribe", t("task.transcribe")]];
    if (choice.translates) tasks.push(["translate", t("task.translate")]);
    return field(t("choices.task"), select(tasks, taskFor(values, choice), (task) => change({ task }), {
      name: "task", disabled: tasks.length < 2,
    }));
  }

  /**
   * @param {EngineInfo} choice
   * @param {FormValues} values
   */
  function wordsBox(choice, values) {
    const { el: labelled, box } = checkbox(t("choices.words"), values.word_timestamps && choice.word_timestamps,
      (word_timestamps) => change({ word_timestamps }), t("choices.words_hint"));
    box.name = "word_timestamps";
    box.disabled = !choice.word_timestamps;
    return h("div", { class: "ht-field ht-boxes" }, labelled);
  }

  /** @param {Choices} choices */
  function unavailable(choices) {
    const lacking = choices.engines.filter((engine) => !engine.available);
    if (lacking.length === 0) return null;
    return h("details", { class: "ht-more" },
      h("summary", {}, t("choices.lacking", { count: lacking.length })),
      h("dl", { class: "ht-reasons" }, lacking.map((engine) => {
        const why = i18n.whyNot(engine);
        return [h("dt", {}, engine.name), h("dd", { lang: why.lang }, why.text)];
      })),
      button(t("choices.look"), { sign: "retry", kind: "small", press: hub.lookForEngines }),
    );
  }

  /**
   * @param {EngineInfo} choice
   * @param {FormValues} values
   */
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

  /**
   * @param {string} label
   * @param {keyof typeof open} which
   * @param {Child[]} children
   */
  function details(label, which, ...children) {
    const node = h("details", { class: "ht-more", open: open[which], ontoggle: () => (open[which] = node.open) },
      h("summary", {}, label), children);
    return node;
  }

  /**
   * @param {Option} option
   * @param {FormValues} values
   */
  function control(option, values) {
    const label = t(`option.${option.name}`);
    const value = values.options[option.name];
    const set = (/** @type {OptionValue} */ next) => {
      const options = { ...values.options, [option.name]: next };
      // Later changes build on this one; the form itself stays as it is.
      values.options = options;
      change({ options });
    };
    if (option.kind === "switch") return switchFor(option, label, value, set);
    if (option.kind === "maybe") return field(label, maybe(option, value, set));
    const offers = option.offers ? h("datalist", { id: freshId() },
      option.offers.map((offer) => h("option", { value: offer }))) : null;
    const labelled = field(label, typed(option, value, set, offers?.id), {
      wide: option.wide, hint: option.wide ? t(`hint.${option.name}`) : null,
    });
    if (offers) labelled.append(offers);
    return labelled;
  }

  /**
   * @param {Option} option
   * @param {string} label
   * @param {OptionValue} value
   * @param {(next: OptionValue) => void} set
   */
  function switchFor(option, label, value, set) {
    const { el: labelled, box } = checkbox(label, Boolean(value ?? option.usual),
      (on) => set(on === option.usual ? undefined : on));
    box.name = option.name;
    return h("div", { class: "ht-field ht-boxes" }, labelled);
  }

  /**
   * @param {Option} option
   * @param {OptionValue} value
   * @param {(next: OptionValue) => void} set
   */
  function maybe(option, value, set) {
    /** @type {[value: string, label: string][]} */
    const names = [["", t("choices.default")], ["yes", t("choices.yes")], ["no", t("choices.no")]];
    const current = value === undefined ? "" : value ? "yes" : "no";
    return select(names, current, (chosen) => set(chosen === "" ? undefined : chosen === "yes"), { name: option.name });
  }

  /**
   * @param {Option} option
   * @param {OptionValue} value
   * @param {(next: OptionValue) => void} set
   * @param {string} [offersId]  of a datalist
   */
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
        set(next ?? undefined);
      },
    });
    return input;
  }

  /** @param {Partial<FormValues>} changes */
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

/**
 * Says that the audio leaves the machine, and to whom.
 * @param {I18n} i18n
 * @param {string} receiver
 */
export function cloudMark(i18n, receiver) {
  return h("p", { class: "ht-cloud", role: "note" }, icon("cloud"),
    h("span", {}, i18n.t("cloud.goes", { receiver })));
}

/**
 * A device as people call it.
 * @param {I18n} i18n
 * @param {string} device
 */
export function deviceName(i18n, device) {
  const key = `device.${device}`;
  return i18n.has(key) ? i18n.t(key) : device;
}
