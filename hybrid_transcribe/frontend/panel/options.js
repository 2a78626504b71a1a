// The options people can set, and how each is asked for. The names are those of the field.

/** @import { EngineInfo } from "../messages" */

/**
 * An option: `kind` says which control it gets, `usual` a switch's default, `offers` usual values.
 * @typedef {object} Option
 * @property {string} name
 * @property {"text" | "name" | "maybe" | "switch" | "integer" | "number" | "numbers"} kind
 * @property {boolean} [wide]
 * @property {boolean} [usual]
 * @property {number} [min]
 * @property {number} [max]
 * @property {string[]} [offers]
 */

/** @typedef {string | number | number[] | boolean | undefined} OptionValue */

/**
 * What a form holds: "" or "auto" where the engine is to choose.
 * @typedef {object} FormValues
 * @property {string} engine
 * @property {string} model
 * @property {string} device
 * @property {string} language
 * @property {string} task
 * @property {boolean} word_timestamps
 * @property {Record<string, OptionValue>} options  those that are not the defaults, by name
 */

/**
 * Options in sight once "more options" is open.
 * @type {Option[]}
 */
export const COMMON = [
  { name: "initial_prompt", kind: "text", wide: true },
  { name: "hotwords", kind: "text", wide: true },
  { name: "vad_filter", kind: "maybe" },
  { name: "silence_guard", kind: "switch", usual: true },
  { name: "condition_on_previous_text", kind: "maybe" },
  { name: "beam_size", kind: "integer", min: 1, max: 100 },
  { name: "batch_size", kind: "integer", min: 1, max: 256 },
  { name: "temperature", kind: "numbers" },
  { name: "compute_type", kind: "name", offers: ["int8", "int8_float16", "float16", "bfloat16", "float32"] },
];

/**
 * Options for those who know them.
 * @type {Option[]}
 */
export const EXPERT = [
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
  { name: "suppress_blank", kind: "maybe" },
];

/**
 * What was typed as the option's value: undefined where nothing was, null where it cannot be.
 * @param {Option} option
 * @param {string} typed
 */
export function parsed(option, typed) {
  const text = typed.trim();
  if (!text) return undefined;
  if (option.kind === "text" || option.kind === "name") return text;
  if (option.kind === "numbers") {
    const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
    return numbers.every(Number.isFinite) ? numbers : null;
  }
  const number = Number(text.replace(",", "."));
  const fits =
    Number.isFinite(number) &&
    (option.kind !== "integer" || Number.isInteger(number)) &&
    number >= (option.min ?? -Infinity) &&
    number <= (option.max ?? Infinity);
  return fits ? number : null;
}

// Offered where an engine does not say which languages it knows.
const USUAL_LANGUAGES = ["en", "pt", "es", "fr", "de", "it"];

/**
 * Codes of the languages to choose from.
 * @param {FormValues} form
 * @param {EngineInfo} choice
 */
export function languagesOf(form, choice) {
  if (choice.languages.length) return choice.languages;
  return [...new Set([...USUAL_LANGUAGES, form.language])].filter(Boolean);
}

// What was chosen for another engine is shown, and sent, only where this one knows it.

/**
 * The device of a form's values with that engine.
 * @param {FormValues} form
 * @param {EngineInfo} choice
 */
export const deviceFor = (form, choice) => (choice.devices.includes(form.device) ? form.device : "auto");

/**
 * The language's code, "" to detect it.
 * @param {FormValues} form
 * @param {EngineInfo} choice
 */
export function languageFor(form, choice) {
  const isOffered = choice.options.includes("language") && languagesOf(form, choice).includes(form.language);
  return isOffered ? form.language : "";
}

/**
 * The task.
 * @param {FormValues} form
 * @param {EngineInfo} choice
 */
export const taskFor = (form, choice) => (choice.translates ? form.task : "transcribe");

/**
 * The keyword arguments that a form's values stand for, of those the engine knows.
 * @param {FormValues} form
 * @param {EngineInfo} choice
 */
export function keywords(form, choice) {
  const [language, task] = [languageFor(form, choice), taskFor(form, choice)];
  /** @type {Record<string, unknown>} */
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
