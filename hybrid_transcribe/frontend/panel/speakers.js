// Who speaks: how a form asks for it, and how a text shows it.

import { button, checkbox, h, select } from "./dom.js";

/** @import { Choices, EngineInfo, Segment, Speaker } from "../messages" */
/** @import { I18n } from "./i18n.js" */
/** @import { FormValues, OptionValue } from "./options.js" */

/** How many colors the style sheet has for speakers. */
const N_COLORS = 8;

// More than that few recordings have, and nobody counts them.
const MOST_OFFERED = 10;

const COLOR = /^#[0-9a-f]{6}$/i;

/** Options that say how many speak; each stands for the others. */
const NUMBERS = ["speakers", "min_speakers", "max_speakers"];

/** Whether speakers can be told apart with that engine. @param {EngineInfo} choice */
export const tellsSpeakers = (choice) => choice.options.includes("diarize");

/**
 * A switch, and how many people speak where it is on.
 * @param {I18n} i18n
 * @param {EngineInfo} choice
 * @param {FormValues} values
 * @param {(options: FormValues["options"]) => void} change  gets all options
 */
export function speakersField({ t }, choice, values, change) {
  const isOn = Boolean(values.options.diarize);
  const { el, box } = checkbox(t("option.diarize"), isOn, (on) => change(withSpeakers(values.options, on, "")));
  box.name = "diarize";
  const number = Number(values.options.speakers) || 0;
  const offered = [...new Set([2, 3, 4, 5, 6, 7, 8, 9, MOST_OFFERED, number])].filter((n) => n > 0).sort((a, b) => a - b);
  /** @type {[value: string, label: string][]} */
  const names = [["", t("speakers.automatic")], ...offered.map((n) => pair(n, t("speakers.count", { count: n })))];
  const list = select(names, number ? String(number) : "",
    (chosen) => change(withSpeakers(values.options, true, chosen)),
    { name: "speakers", "aria-label": t("option.speakers") });
  const hasNumber = isOn && choice.options.includes("speakers");
  return h("div", { class: "ht-field ht-boxes ht-who" }, el, hasNumber ? list : null);
}

/** @param {number} n @param {string} label @returns {[value: string, label: string]} */
const pair = (n, label) => [String(n), label];

/**
 * Why speakers cannot be told apart, where something is lacking for it; else null.
 * @param {I18n} i18n
 * @param {Choices} choices
 * @param {() => void} look  looks again
 */
export function speakersLacking(i18n, choices, look) {
  const stage = choices.postprocessors.find(({ name }) => name === "speakers");
  if (!stage || stage.available) return null;
  const why = i18n.whyNot(stage);
  return h("details", { class: "ht-more ht-who-not" },
    h("summary", {}, i18n.t("speakers.lacking")), h("p", { class: "ht-small", lang: why.lang }, why.text),
    button(i18n.t("choices.look"), { sign: "retry", kind: "small", press: look }));
}

/**
 * The options with who speaks as it was chosen, and without what that stands for.
 * @param {FormValues["options"]} options
 * @param {boolean} on
 * @param {string} number  "" where nobody knows
 */
function withSpeakers(options, on, number) {
  /** @type {Record<string, OptionValue>} */
  const changed = { ...options, diarize: on || undefined };
  for (const name of NUMBERS) changed[name] = undefined;
  if (on && number) changed.speakers = Number(number);
  return changed;
}

/**
 * What speakers of a text are called, and their colors: a number of the style sheet's, or one of
 * the speaker's own.
 * @param {Speaker[]} speakers
 * @param {Segment[]} segments  who speaks there and is not among them goes by the id
 */
export function cast(speakers, segments) {
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
    },
  };
}

/** @typedef {ReturnType<typeof cast>} Cast */

/**
 * The line that says who begins to speak.
 * @param {I18n} i18n
 * @param {string} label
 */
export function speakerChip({ t }, label) {
  return h("div", { class: "ht-speaker" },
    h("i", { "aria-hidden": "true" }), h("span", { class: "ht-hidden" }, `${t("speakers.who")} `),
    h("span", { class: "ht-speaker-name", dir: "auto" }, label));
}
