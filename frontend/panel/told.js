// @ts-nocheck: its types come with messages by code.
// What the engine room tells people, which speaks English, in the reader's language. The catalogue
// is `strings/told.json`: the English is what is looked for, in its order, with blanks for names
// and figures. The package puts it before the panel's code as SENTENCES.

// Blanks that hold a figure: written as the reader's language writes it.
const FIGURES = new Set(["n", "count", "most", "least", "at", "seconds", "size"]);
// Blanks that hold more of the same: told in turn where it is known, and left as it is elsewhere.
const PARTS = /^(what|why|hints)$/;
// A blank that holds a sentence without which the whole is not known.
const KNOWN = "told";

// Names are short and hostile, libraries' messages long and of no use in parts.
const LONGEST = 2_000;
const DEEPEST = 4;
const MOST_KEPT = 2_000;
const FIGURE = "-?\\d{1,15}(?:\\.\\d{1,15})?";

let readers = null;

/** `{text, lang}` of a sentence; `lang` names its language where that is not the reader's. */
export function tellIn(language) {
  const plural = new Intl.PluralRules(language);
  const known = new Map();

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

  // Several sentences, all of which have to be known.
  function inTurn(sentence, depth) {
    return each(sentence.replace(/([.!?]) (?=[A-Z])/g, "$1\n").split("\n"), " ", depth);
  }

  // "data, video": one by one.
  const listed = (value, depth) => each(value.split(", "), ", ", depth);

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
      const part = inAll(value, depth) ?? listed(value, depth);
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
  const pieces = english.split(/\{(\w+)\}/);
  const made = pieces.map((piece, i) => (i % 2 ? blank(piece) : piece.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")));
  return new RegExp(`^${made.join("")}$`, "s");
}

function blank(name) {
  if (FIGURES.has(name)) return `(?<${name}>${FIGURE})`;
  return `(?<${name}>.${PARTS.test(name) ? "*" : "+"}?)`;
}
