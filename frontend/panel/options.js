// The options people can set, and how each is asked for. The names are those of the field.

/** Options in sight once "more options" is open; kind says which control they get. */
export const COMMON = [
  { name: "initial_prompt", kind: "text", wide: true },
  { name: "hotwords", kind: "text", wide: true },
  { name: "vad_filter", kind: "maybe" },
  { name: "silence_guard", kind: "switch", usual: true },
  { name: "diarize", kind: "switch", usual: false },
  { name: "condition_on_previous_text", kind: "maybe" },
  { name: "beam_size", kind: "integer", min: 1, max: 100 },
  { name: "batch_size", kind: "integer", min: 1, max: 256 },
  { name: "temperature", kind: "numbers" },
  { name: "compute_type", kind: "name", offers: ["int8", "int8_float16", "float16", "bfloat16", "float32"] },
];

/** Options for those who know them. */
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

/** What was typed as the option's value: undefined where nothing was, null where it cannot be. */
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

/** Codes of the languages to choose from. */
export function languagesOf(how, choice) {
  if (choice.languages.length) return choice.languages;
  return [...new Set([...USUAL_LANGUAGES, how.language])].filter(Boolean);
}

// What was chosen for another engine is shown, and sent, only where this one knows it.

/** The device of a form's values with that engine. */
export const deviceFor = (how, choice) => (choice.devices.includes(how.device) ? how.device : "auto");

/** The language's code, "" to detect it. */
export function languageFor(how, choice) {
  const known = choice.options.includes("language") && languagesOf(how, choice).includes(how.language);
  return known ? how.language : "";
}

/** The task. */
export const taskFor = (how, choice) => (choice.translates ? how.task : "transcribe");

/** The keyword arguments that a form's values stand for, of those the engine knows. */
export function keywords(how, choice) {
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
