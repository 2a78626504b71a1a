// Texts in one language, from the package's catalogues: the panel's own by key, and what the service
// says by code and parameters. Formats of the blanks are described in `messages/catalogue.py`.

/**
 * What the service says; `text` is the English, for a code that has no text here.
 * @typedef {{ code?: string, params?: Record<string, unknown>, text: string }} UserMessage
 */

/** A text, and its language where that is not the reader's. @typedef {{ text: string, lang: string | null }} Wording */

const BLANK = /\{(\w+)(!r)?(?::(\.\d+f|(?:\.\d+)?g))?\}/g;
const ENGLISH = "en";

/** @param {string} language */
export function messagesIn(language) {
  const plural = new Intl.PluralRules(language);
  const texts = CATALOGUES[language] ?? {};

  /**
   * @param {string | Record<string, string>} text  itself or its plural forms, chosen by `count`
   * @param {Record<string, unknown>} params
   */
  function fill(text, params) {
    const form = typeof text === "string" ? text : text[plural.select(Number(params.count))] ?? text.other;
    return form.replace(BLANK, (_, name, quoted, spec) => value(params[name], quoted, spec));
  }

  /**
   * @param {unknown} param
   * @param {string | undefined} quoted
   * @param {string | undefined} spec
   * @returns {string}
   */
  function value(param, quoted, spec) {
    if (Array.isArray(param)) return param.map((item) => value(item, quoted, spec)).join(", ");
    if (typeof param === "number") return figure(param, spec);
    if (param && typeof param === "object") return wording(/** @type {UserMessage} */ (param)).text;
    const text = String(param ?? "");
    return quoted ? inQuotes(text) : text;
  }

  /**
   * @param {number} number
   * @param {string | undefined} spec
   */
  function figure(number, spec = "") {
    const digits = Number(/\d+/.exec(spec)?.[0] ?? 6);
    const options = spec.endsWith("f") ? { minimumFractionDigits: digits, maximumFractionDigits: digits } : {};
    return new Intl.NumberFormat(language, options).format(spec.endsWith("g") ? Number(number.toPrecision(digits)) : number);
  }

  /**
   * @param {UserMessage} message
   * @returns {Wording}
   */
  function wording({ code, params, text }) {
    const form = code && language !== ENGLISH ? texts[code] : undefined;
    if (form !== undefined) return { text: fill(form, params ?? {}), lang: null };
    return { text, lang: text === "" || language === ENGLISH ? null : ENGLISH };
  }

  return {
    wording,
    /**
     * A text of the panel.
     * @param {string} key
     * @param {Record<string, unknown>} [params]
     */
    t: (key, params = {}) => fill(texts[key] ?? CATALOGUES[ENGLISH][key] ?? key, params),
  };
}

/**
 * As Python quotes a text: in double quotes where it has single ones alone.
 * @param {string} text
 */
function inQuotes(text) {
  const inside = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  if (!text.includes("'")) return `'${inside}'`;
  return text.includes('"') ? `'${inside.replaceAll("'", "\\'")}'` : `"${inside}"`;
}
