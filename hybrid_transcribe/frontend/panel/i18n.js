// All that people read, in their language. CATALOGUES are the files in `hybrid_transcribe/messages`,
// which the package puts before the panel's code.

import { recall, remember } from "./session.js";
import { messagesIn } from "./messages.js";

const LANGUAGE = "hybrid-transcribe.language";

/**
 * Languages there are, each named in itself.
 * @type {[code: string, name: string][]}
 */
export const LANGUAGES = Object.entries(CATALOGUES).map(([code, texts]) => [code, String(texts["@name"] ?? code)]);

/** @import { EngineInfo, Row } from "../messages" */
/** @import { PanelError } from "./connection.js" */
/** @typedef {ReturnType<typeof speak>} I18n */

/** What the reader chose, else what the browser prefers, else English. */
export function preferredLanguage() {
  const preferred = [recall(LANGUAGE), ...(navigator.languages ?? [navigator.language])];
  const codes = LANGUAGES.map(([code]) => code);
  for (const tag of preferred) {
    const match = codes.find((code) => tag && code.slice(0, 2) === tag.slice(0, 2));
    if (match) return match;
  }
  return "en";
}

/**
 * Remembers what the reader chose.
 * @param {string} language
 */
export function chooseLanguage(language) {
  remember(LANGUAGE, language);
}

/**
 * Wording in one language: `t(key, {count: 3})`, and numbers, sizes and times as written there.
 * @param {string} language
 */
export function speak(language) {
  const { t, wording } = messagesIn(language);
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });

  /** @type {Intl.DisplayNames | null} */
  let names = null;
  try {
    names = new Intl.DisplayNames([language], { type: "language" });
  } catch {
    // Codes are shown where the browser knows no names.
  }

  return {
    language,
    t,
    has,
    percent: (/** @type {number} */ value) => `${whole.format(Math.floor(value))}%`,
    bytes: (/** @type {number} */ count) => bytes(count, language),
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
    warningsOf: (row) => row.warnings.map((text) => wording(row.messages?.find((message) => message.text === text) ?? { text })),
  };
}

/** @param {string} key */
const has = (key) => key in CATALOGUES.en;

/**
 * 75.2 -> 1:15, 3671 -> 1:01:11.
 * @param {number} seconds
 */
function clock(seconds) {
  const all = Math.max(Math.floor(seconds), 0);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * @param {number} count
 * @param {string} language
 */
function bytes(count, language) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.5 ? 0 : 1;
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
  return `${format.format(size)} ${units[unit]}`;
}
