// Where a transcript is doubtful, and where a search hits: pure, on texts and offsets.

/** Words less probable than this (0..1) are doubtful. */
const DOUBTFUL_WORD = 0.5;
/** Segments less sure than this (mean natural logarithm) are doubtful; Whisper tries again there. */
const DOUBTFUL_SEGMENT = -1.0;

/** Is the whole segment one the engine was unsure of? */
export function isDoubtful(segment) {
  return segment.avg_logprob != null && segment.avg_logprob < DOUBTFUL_SEGMENT;
}

/** Doubtful words as [start, end, probability] in the segment's trimmed text. */
export function doubts(segment) {
  const text = segment.text.trim();
  const found = [];
  let from = 0;
  for (const word of segment.words ?? []) {
    const shown = word.text.trim();
    const start = shown ? text.indexOf(shown, from) : -1;
    if (start < 0) continue;
    from = start + shown.length;
    if (word.probability != null && word.probability < DOUBTFUL_WORD) {
      found.push([start, from, word.probability]);
    }
  }
  return found;
}

/** Letters without case and accents, one for each of the text's own, so that offsets stay. */
export function folded(text) {
  return Array.from({ length: text.length }, (_, i) => {
    const plain = text[i].normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.length === 1 ? plain : text[i].toLowerCase().charAt(0) || text[i];
  }).join("");
}

/** Every place of what is searched as [start, end]. */
export function hits(text, searched) {
  const needle = folded(searched.trim());
  if (!needle) return [];
  const hay = folded(text);
  const found = [];
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
    found.push([at, at + needle.length]);
  }
  return found;
}

/** The text in pieces `{text, doubt, hit}`: where neither changes is one piece. */
export function pieces(text, doubtful, found) {
  const cuts = new Set([0, text.length]);
  for (const [start, end] of [...doubtful, ...found]) cuts.add(start).add(end);
  const edges = [...cuts].sort((a, b) => a - b);
  const inside = (ranges, at) => ranges.find(([start, end]) => start <= at && at < end);
  return edges.slice(0, -1).map((start, i) => ({
    text: text.slice(start, edges[i + 1]),
    doubt: inside(doubtful, start)?.[2] ?? null,
    hit: found.findIndex(([from, to]) => from <= start && start < to),
  }));
}
