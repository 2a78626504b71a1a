// Where a transcript is doubtful, and where a search hits: pure, on texts and offsets.

/** @import { Segment } from "../messages" */

/** @typedef {[start: number, end: number]} Range  offsets in a text; the end is not part of it */
/** @typedef {[start: number, end: number, probability: number]} Doubt  a range, 0..1 */

/** Words less probable than this (0..1) are doubtful. */
const DOUBTFUL_WORD = 0.5;
/** Segments less sure than this (mean natural logarithm) are doubtful; Whisper tries again there. */
const DOUBTFUL_SEGMENT = -1.0;

/**
 * Is the whole segment one the engine was unsure of?
 * @param {Segment} segment
 */
export function isDoubtful(segment) {
  return segment.avg_logprob != null && segment.avg_logprob < DOUBTFUL_SEGMENT;
}

/**
 * Doubtful words in the segment's trimmed text.
 * @param {Segment} segment
 */
export function doubts(segment) {
  const text = segment.text.trim();
  /** @type {Doubt[]} */
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

/**
 * Letters without case and accents, one for each of the text's own, so that offsets stay.
 * @param {string} text
 */
export function folded(text) {
  return Array.from({ length: text.length }, (_, index) => {
    const letter = text.charAt(index);
    const plain = letter.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.length === 1 ? plain : letter.toLowerCase().charAt(0) || letter;
  }).join("");
}

/**
 * Every place of what is searched.
 * @param {string} text
 * @param {string} searched
 */
export function hits(text, searched) {
  /** @type {Range[]} */
  const ranges = [];
  const needle = folded(searched.trim());
  if (!needle) return ranges;
  const hay = folded(text);
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
    ranges.push([at, at + needle.length]);
  }
  return ranges;
}

/**
 * The text in pieces: where neither doubt nor hit changes is one piece. `doubt` is a probability
 * or null, `hit` the index of a hit or -1.
 * @param {string} text
 * @param {Doubt[]} doubtful
 * @param {Range[]} matches
 */
export function pieces(text, doubtful, matches) {
  const edges = new Set([0, text.length]);
  for (const [start, end] of [...doubtful, ...matches]) edges.add(start).add(end);
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, index) => ({
    text: text.slice(start, sorted[index + 1]),
    doubt: doubtful.find(([from, to]) => from <= start && start < to)?.[2] ?? null,
    hit: matches.findIndex(([from, to]) => from <= start && start < to),
  }));
}
