// One transcript: live text, times to click and hear, doubtful words, search, copy, downloads.

import { attr, button, checkbox, focusWithin, h, icon, put, rename, select, show, swap } from "./dom.js";
import { deviceName } from "./choices.js";
import { doubts, hits, isDoubtful, pieces } from "./highlight.js";
import { asPanelError } from "./hub.js";
import { isActive } from "./listing.js";
import { actionButtons } from "./row.js";
import { cast, speakerChip } from "./speakers.js";
import { createEndings } from "./store.js";

/** @import { Row, Segment } from "../messages" */
/** @import { Doubt, Range } from "./highlight.js" */
/** @import { Followed, Hub, RecordingIds } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { Cast } from "./speakers.js" */

/** A segment as it is drawn. @typedef {{ segment: Segment, text: string, doubtful: Doubt[],
 *   hits: Range[], node: HTMLElement, words: HTMLElement }} Line */

/** A place of what is searched: the `index`th of a line. @typedef {{ line: Line, index: number }} Hit */

/**
 * Where the reader is in a transcript, and the recording: times in seconds.
 * @typedef {object} Reading
 * @property {RecordingIds} ids
 * @property {string} search
 * @property {number} currentHit
 * @property {string | null} audioUrl
 * @property {boolean} isLoading
 * @property {number | null} playFrom
 * @property {number} time
 * @property {boolean} isPlaying
 */

/**
 * The card with the transcript that is followed; hidden where none is.
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {HTMLElement} root  where dialogs open
 * @param {Reading | null} [before]  from a view that this one replaces
 */
export function transcriptView(hub, i18n, root, before = null) {
  const { t } = i18n;
  const endings = createEndings();
  /** @type {Followed | null} */
  let followed = null;
  /** @type {Line[]} */
  const lines = [];
  /** @type {Hit[]} */
  let allHits = [];
  let currentHit = -1;
  /** @type {string | null} */
  let audioUrl = null;
  /**
   * Ends the fetch of the recording, while there is one.
   * @type {AbortController | null}
   */
  let loading = null;
  /**
   * Where to play once it is here, in seconds; null to go on where it was.
   * @type {number | null}
   */
  let playFrom = null;
  let live = true;
  let headKey = "";
  let speakersKey = "";
  /** @type {Cast} */
  let speakers = cast([], []);

  const title = h("h2", { class: "ht-cut", tabindex: "-1" });
  const about = h("p", { class: "ht-quiet ht-small" });
  const actions = h("div", { class: "ht-buttons" });
  const warnings = h("ul", { class: "ht-warnings" });
  const saves = h("div", { class: "ht-saves" });
  const audio = h("audio", { controls: true, preload: "metadata", hidden: true });
  const listen = button(t("transcript.listen"), { sign: "listen", kind: "plain", press: () => play(null) });
  const copy = button(t("transcript.copy"), { sign: "copy", kind: "plain", press: copyAll });
  const search = h("input", {
    type: "search", name: "search", placeholder: t("transcript.search"), "aria-label": t("transcript.search"),
    oninput: () => find(),
    onkeydown(event) {
      if (event.key !== "Enter") return;
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    },
  });
  const hitCount = h("span", { class: "ht-number ht-counted", role: "status" });
  const previous = button(t("transcript.previous"), { sign: "up", bare: true, kind: "ghost", press: () => go(-1) });
  const next = button(t("transcript.next"), { sign: "down", bare: true, kind: "ghost", press: () => go(1) });
  const follow = checkbox(t("transcript.live"), true, (on) => {
    live = on;
    if (on) toEnd();
  });
  const text = h("div", { class: "ht-text", tabindex: "0", role: "region", "aria-label": t("transcript.text") });
  const note = h("p", { class: "ht-empty" });
  const legend = h("p", { class: "ht-quiet ht-small ht-legend" },
    h("mark", { class: "ht-doubt" }, t("transcript.word")), " ", t("transcript.legend"));
  const el = h("section", {
    class: "ht-card ht-transcript", "aria-label": t("transcript.title"), hidden: true,
    onkeydown(event) {
      // In a field with text Escape empties it.
      const { target } = event;
      const hasValue = (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) && target.value;
      if (event.key === "Escape" && !hasValue) leave();
    },
  },
    h("header", { class: "ht-card-head" },
      h("div", { class: "ht-titles" }, title, about),
      actions,
      button(t("transcript.close"), { sign: "cancel", bare: true, kind: "ghost", press: leave })),
    warnings,
    h("div", { class: "ht-line" },
      h("div", { class: "ht-player" }, listen, audio),
      h("div", { class: "ht-tools" },
        follow.el, h("span", { class: "ht-search-box" }, icon("search"), search), hitCount, previous, next, copy)),
    text, note, legend, saves);

  // ------------------------------------------------------------------ text

  /** @param {Followed | null} latest */
  function take(latest) {
    if (!isSame(latest?.ids, followed?.ids)) reset();
    followed = latest;
    show(el, latest);
    if (!latest) return;
    cut(Math.min(keptOf(latest), lines.length));
    const from = lines.length;
    for (const segment of latest.segments.slice(from)) lines.push(newLine(segment, lines.at(-1)?.segment));
    text.append(...lines.slice(from).map((line) => line.node));
    // Long texts are laid out where they are looked at.
    text.classList.toggle("ht-long", lines.length > 300);
    if (search.value) find(true);
    drawHead();
    if (live && !latest.complete) toEnd();
    if (latest.show) bringIntoView(latest);
  }

  /**
   * How many lines stay as they are: none where a speaker got another name or color.
   * @param {Followed} latest
   */
  function keptOf(latest) {
    speakers = cast(latest.speakers, latest.segments);
    const key = JSON.stringify(latest.speakers);
    const same = key === speakersKey;
    speakersKey = key;
    return same ? latest.changedFrom : 0;
  }

  /**
   * Once when it is opened and once when its first text has come: a page that was too short to
   * scroll that far is long enough then.
   * @param {Followed} latest
   */
  function bringIntoView(latest) {
    if (latest.came) latest.show = false;
    el.scrollIntoView({ block: "start" });
    title.focus({ preventScroll: true });
  }

  // Whoever closes it goes on where it was opened.
  function leave() {
    const opened = followed?.rowId;
    hub.unfollow();
    if (opened) focusWithin(root, `[data-row="${CSS.escape(opened)}"] .ht-name`);
  }

  function reset() {
    cut(0);
    allHits = [];
    currentHit = -1;
    search.value = "";
    put(hitCount, "");
    live = true;
    follow.box.checked = true;
    headKey = "";
    audio.pause();
    audio.removeAttribute("src");
    show(audio, false);
    show(listen, true);
    loading?.abort();
    loading = null;
    setListen(null);
    if (audioUrl) URL.revokeObjectURL(audioUrl);
    audioUrl = null;
  }

  /** @param {number} length */
  function cut(length) {
    for (const line of lines.splice(length)) line.node.remove();
  }

  /**
   * @param {Segment} segment
   * @param {Segment} [before]
   * @returns {Line}
   */
  function newLine(segment, before) {
    const words = h("p", { onclick: () => isSelecting() || play(segment.start_s) });
    const time = h("button", { type: "button", class: "ht-time", title: t("transcript.play"),
      "aria-label": t("transcript.play_at", { time: i18n.clock(segment.start_s) }),
      onclick: () => play(segment.start_s) }, i18n.clock(segment.start_s));
    const node = h("div", { class: "ht-segment", "data-doubtful": isDoubtful(segment),
      title: isDoubtful(segment) ? t("transcript.unsure") : null },
    time,
    said(segment, before, words));
    const line = { segment, text: segment.text.trim(), doubtful: doubts(segment), hits: [], node, words };
    write(line);
    return line;
  }

  /**
   * The words; where somebody else begins to speak, below who does.
   * @param {Segment} segment
   * @param {Segment | undefined} before
   * @param {HTMLElement} words
   */
  function said({ speaker }, before, words) {
    if (!speaker) return h("div", {}, words);
    const begins = speaker !== before?.speaker;
    const node = h("div", { class: "ht-said" }, begins ? speakerChip(i18n, speakers.label(speaker)) : null, words);
    speakers.mark(node, speaker);
    return node;
  }

  /** @param {Line} line */
  function write(line) {
    const nodes = pieces(line.text, line.doubtful, line.hits).map((piece) => {
      /** @type {Node} */
      let node = document.createTextNode(piece.text);
      if (piece.hit >= 0) node = h("mark", { class: "ht-hit", "data-hit": piece.hit }, node);
      if (piece.doubt === null) return node;
      const probability = t("transcript.probability", { part: i18n.percent(100 * piece.doubt) });
      return h("mark", { class: "ht-doubt", title: probability }, node);
    });
    line.words.replaceChildren(...nodes);
  }

  // Who selects text to copy it does not want to hear it.
  const isSelecting = () => String(window.getSelection()).trim() !== "";

  function toEnd() {
    text.scrollTop = text.scrollHeight;
  }

  // ------------------------------------------------------------------ search

  function find(again = false) {
    const current = allHits[currentHit];
    allHits = [];
    for (const line of lines) {
      const ranges = hits(line.text, search.value);
      if (ranges.length || line.hits.length) {
        line.hits = ranges;
        write(line);
      }
      ranges.forEach((_, index) => allHits.push({ line, index }));
    }
    if (again) {
      const same = allHits.findIndex((hit) => hit.line === current?.line && hit.index === current.index);
      currentHit = same >= 0 ? same : Math.min(currentHit, allHits.length - 1);
      marksOf(currentHit).forEach((mark) => mark.classList.add("ht-current"));
    } else currentHit = -1;
    if (!again && allHits.length) go(1);
    else drawHitCount();
  }

  /** @param {number} step */
  function go(step) {
    if (allHits.length === 0) return drawHitCount();
    marksOf(currentHit).forEach((mark) => mark.classList.remove("ht-current"));
    currentHit = (currentHit + step + allHits.length) % allHits.length;
    const marks = marksOf(currentHit);
    marks.forEach((mark) => mark.classList.add("ht-current"));
    if (marks[0]) within(marks[0]);
    drawHitCount();
  }

  /** @param {number} index */
  function marksOf(index) {
    const hit = allHits[index];
    return hit ? [...hit.line.words.querySelectorAll(`[data-hit="${hit.index}"]`)] : [];
  }

  /**
   * Scrolls the text to a node; the page itself stays where it is.
   * @param {Element} node
   */
  function within(node) {
    const [box, frame] = [node.getBoundingClientRect(), text.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) {
      text.scrollTop += box.top - frame.top - frame.height / 3;
    }
  }

  function drawHitCount() {
    const values = { at: currentHit + 1, count: allHits.length };
    put(hitCount, !search.value.trim() ? "" : allHits.length ? t("transcript.hit", values) : t("transcript.no_hit"));
    previous.disabled = next.disabled = allHits.length === 0;
  }

  // ------------------------------------------------------------------ head and downloads

  /**
   * Silence is a result: only a recording that was gone through to its end can have it.
   * @param {Row} row
   */
  function whyEmpty(row) {
    if (!isActive(row) && row.state !== "completed") return t(`none.${row.state}`);
    return followed?.complete && row.state === "completed" ? t("transcript.nothing") : t("transcript.waiting");
  }

  function drawHead() {
    const row = followed && hub.store.get("rows").get(followed.rowId);
    if (!followed || !row) return;
    const isEmpty = followed.segments.length === 0;
    show(note, isEmpty);
    put(note, isEmpty ? whyEmpty(row) : "");
    show(text, !isEmpty);
    show(follow.el, !followed.complete);
    attr(text, "aria-busy", !followed.complete);
    show(legend, lines.some((line) => line.doubtful.length || isDoubtful(line.segment)));
    copy.disabled = isEmpty;
    put(title, row.name);
    attr(title, "title", row.name);
    put(about, describe(row));
    const formats = hub.store.get("choices")?.formats ?? [];
    const key = [row.id, row.state, row.actions, row.of, row.warnings.length, isEmpty, formats].join();
    if (key === headKey) return;
    headKey = key;
    actions.replaceChildren(...actionButtons(row, { hub, i18n, root }, { bare: false }));
    swap(warnings, i18n.warningsOf(row).map((warning) =>
      h("li", {}, icon("info"), h("span", { lang: warning.lang }, warning.text))));
    show(warnings, row.warnings.length);
    swap(saves, savesOfRecording(followed.ids, formats, isEmpty), row.of > 1 ? savesOfJob(row, formats) : null);
  }

  /** @param {Row} row */
  function describe(row) {
    const language = row.language && i18n.languageName(row.language);
    const sure = row.language_probability == null ? "" : ` (${i18n.percent(100 * row.language_probability)})`;
    return [
      t(`state.${row.state}`),
      `${row.engine} / ${row.model}`,
      row.device ? deviceName(i18n, row.device) : null,
      language && language + sure,
      row.duration_s == null ? null : i18n.clock(row.duration_s),
      row.sends_audio_to ? t("cloud.goes", { receiver: row.sends_audio_to }) : null,
    ].filter(Boolean).join(" · ");
  }

  /**
   * @param {RecordingIds} ids
   * @param {string[]} formats
   * @param {boolean} disabled
   */
  function savesOfRecording(ids, formats, disabled) {
    return h("div", { class: "ht-buttons", role: "group", "aria-label": t("saves.one") },
      h("span", { class: "ht-saves-label" }, icon("download"), t("saves.one")),
      formats.map((format) => button(`.${format}`, {
        kind: "small", "data-format": format, disabled,
        press: () => hub.download({ what: "result", format, ...ids, partial: true }),
      })));
  }

  /**
   * @param {Row} row
   * @param {string[]} formats
   */
  function savesOfJob(row, formats) {
    const inside = select(formats.map((format) => [format, `.${format}`]), formats[0] ?? "", () => {},
      { name: "inside", "aria-label": t("saves.inside") });
    const fetch = (/** @type {string} */ format) => hub.download({
      what: "results", job_id: row.job_id, recording_id: null, format, inside: inside.value, partial: true,
    });
    return h("div", { class: "ht-buttons", role: "group", "aria-label": t("saves.job", { count: row.of }) },
      h("span", { class: "ht-saves-label" }, t("saves.job", { count: row.of })),
      button(t("saves.merged"), { kind: "small", "data-format": "merged", press: () => fetch("txt") }),
      h("span", { class: "ht-joined" },
        button(t("saves.zip"), { kind: "small", "data-format": "zip", press: () => fetch("zip") }), inside));
  }

  // ------------------------------------------------------------------ copy and play

  async function copyAll() {
    const done = await copyText(textOf(lines, speakers));
    const result = done ? t("transcript.copied") : t("transcript.not_copied");
    hub.announce(result);
    rename(copy, result);
    setTimeout(() => rename(copy, t("transcript.copy")), 2_000);
  }

  /** @param {number | null} time  seconds, null to go on */
  async function play(time) {
    if (!audioUrl) {
      playFrom = time;
      if (!followed || !(await load(followed.ids))) return;
      time = playFrom;
    }
    if (time !== null) audio.currentTime = time;
    // A browser that needs another click for it, or cannot play the format, says so in its player.
    audio.play().catch(() => {});
  }

  /** @param {RecordingIds} ids */
  async function load(ids) {
    if (loading) return false;
    const mine = new AbortController();
    loading = mine;
    setListen(0);
    try {
      const { blob } = await hub.downloads.fetchBlob({ what: "audio", ...ids }, setListen, mine.signal);
      if (loading !== mine) return false;
      useAudio(URL.createObjectURL(blob));
      return true;
    } catch (error) {
      if (loading === mine) hub.notify("error", asPanelError(error));
      return false;
    } finally {
      // Another recording may be on its way by now.
      if (loading === mine) {
        loading = null;
        setListen(null);
      }
    }
  }

  /** @param {string} url */
  function useAudio(url) {
    audioUrl = url;
    audio.src = url;
    show(audio, true);
    show(listen, false);
  }

  /** @param {number | null} part  of the recording that is here, 0..1 */
  function setListen(part) {
    listen.disabled = part !== null;
    rename(listen, part === null ? t("transcript.listen")
      : t("transcript.loading", { part: i18n.percent(100 * part) }));
  }

  /** @type {Line | null} */
  let speaking = null;
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime;
    const line = lines.find(({ segment }) => segment.start_s <= now && now < segment.end_s) ?? null;
    if (line === speaking) return;
    if (speaking) attr(speaking.node, "data-speaking", null);
    speaking = line;
    if (!line) return;
    attr(line.node, "data-speaking", "true");
    if (!audio.paused) within(line.node);
  });

  endings.add(
    hub.store.watch("followed", take),
    hub.store.watch("rows", drawHead),
    hub.store.watch("choices", drawHead),
    reset,
  );
  restore();
  return { el, reading, close: endings.end };

  /**
   * What the next drawing of the same takes over; the recording is its own from then on.
   * @returns {Reading | null}
   */
  function reading() {
    if (!followed) return null;
    const taken = {
      ids: followed.ids, search: search.value, currentHit, audioUrl, isLoading: Boolean(loading), playFrom,
      time: audio.currentTime, isPlaying: !audio.paused,
    };
    audioUrl = null;
    return taken;
  }

  function restore() {
    if (!before) return;
    if (!isSame(before.ids, followed?.ids)) {
      if (before.audioUrl) URL.revokeObjectURL(before.audioUrl);
      return;
    }
    search.value = before.search;
    currentHit = before.currentHit;
    if (search.value) find(true);
    if (before.isLoading) play(before.playFrom);
    if (!before.audioUrl) return;
    useAudio(before.audioUrl);
    audio.currentTime = before.time;
    if (before.isPlaying) audio.play().catch(() => {});
  }
}

/**
 * @param {RecordingIds | undefined} ids
 * @param {RecordingIds | undefined} other
 */
function isSame(ids, other) {
  return ids?.job_id === other?.job_id && ids?.recording_id === other?.recording_id;
}

/**
 * The text of lines as it is copied: who begins to speak comes before what is said.
 * @param {Line[]} lines
 * @param {Cast} speakers
 */
function textOf(lines, speakers) {
  const written = lines.filter((line) => line.text);
  return written.map(({ text, segment: { speaker } }, index) =>
    speaker && speaker !== written[index - 1]?.segment.speaker ? `${speakers.label(speaker)}: ${text}` : text).join("\n");
}

/**
 * Puts text on the clipboard, also where the page is no secure context.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { style: "position:fixed;opacity:0", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
