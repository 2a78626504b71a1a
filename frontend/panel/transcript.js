// One transcript: live text, times to click and hear, doubtful words, search, copy, downloads.

import { attr, button, checkbox, h, icon, put, select, show, swap } from "./dom.js";
import { deviceName } from "./choices.js";
import { doubts, hits, isDoubtful, pieces } from "./marks.js";
import { GROUPS } from "./listing.js";
import { actionButtons } from "./row.js";
import { createEndings } from "./store.js";

/** The card with the transcript that is followed; hidden where none is. */
export function transcriptView(hub, i18n, root, kept = null) {
  const { t } = i18n;
  const endings = createEndings();
  let followed = null;
  let lines = [];
  let found = [];
  let current = -1;
  let audioUrl = null;
  // Ends the fetch of the recording, while there is one, and where it is to be heard from.
  let coming = null;
  let wanted = null;
  let live = true;
  let headKey = "";

  const title = h("h2", { class: "ht-cut", tabindex: "-1" });
  const about = h("p", { class: "ht-quiet ht-small" });
  const actions = h("div", { class: "ht-buttons" });
  const warnings = h("ul", { class: "ht-warnings" });
  const saves = h("div", { class: "ht-saves" });
  const audio = h("audio", { controls: true, preload: "metadata", hidden: true });
  const listen = button(t("transcript.listen"), { sign: "listen", kind: "plain", press: () => hear(null) });
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
  const counted = h("span", { class: "ht-number ht-counted", role: "status" });
  const before = button(t("transcript.previous"), { sign: "up", bare: true, kind: "ghost", press: () => go(-1) });
  const after = button(t("transcript.next"), { sign: "down", bare: true, kind: "ghost", press: () => go(1) });
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
      if (event.key === "Escape" && !event.target.value) leave();
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
        follow, h("span", { class: "ht-search-box" }, icon("search"), search), counted, before, after, copy)),
    text, note, legend, saves);

  // ------------------------------------------------------------------ text

  function take(next) {
    if (next?.ids.recording_id !== followed?.ids.recording_id || next?.ids.job_id !== followed?.ids.job_id) reset();
    followed = next;
    show(el, next);
    if (!next) return;
    cut(Math.min(next.changedFrom, lines.length));
    const stay = live && !next.complete;
    const fragment = document.createDocumentFragment();
    for (const segment of next.segments.slice(lines.length)) {
      const line = newLine(segment);
      lines.push(line);
      fragment.append(line.node);
    }
    text.append(fragment);
    // Long texts are laid out where they are looked at.
    text.classList.toggle("ht-long", lines.length > 300);
    if (search.value) find(true);
    drawHead();
    if (stay) toEnd();
    if (next.show) bringIntoView(next);
  }

  // Once when it is opened and once when its first text has come: a page that was too short to
  // scroll that far is long enough then.
  function bringIntoView(next) {
    if (next.came) next.show = false;
    el.scrollIntoView({ block: "start" });
    title.focus({ preventScroll: true });
  }

  // Whoever closes it goes on where it was opened.
  function leave() {
    const opened = followed?.rowId;
    hub.unfollow();
    if (opened) root().querySelector(`[data-row="${CSS.escape(opened)}"] .ht-name`)?.focus();
  }

  function reset() {
    cut(0);
    found = [];
    current = -1;
    search.value = "";
    put(counted, "");
    live = true;
    follow.querySelector("input").checked = true;
    headKey = "";
    audio.pause();
    audio.removeAttribute("src");
    show(audio, false);
    show(listen, true);
    coming?.abort();
    coming = null;
    setListen(null);
    if (audioUrl) URL.revokeObjectURL(audioUrl);
    audioUrl = null;
  }

  function cut(length) {
    for (const line of lines.splice(length)) line.node.remove();
  }

  function newLine(segment) {
    const line = { segment, text: segment.text.trim(), doubtful: doubts(segment), hits: [] };
    line.time = h("button", { type: "button", class: "ht-time", title: t("transcript.play"),
      "aria-label": t("transcript.play_at", { time: i18n.clock(segment.start_s) }),
      onclick: () => hear(segment.start_s) }, i18n.clock(segment.start_s));
    line.words = h("p", { onclick: () => selected() || hear(segment.start_s) });
    line.node = h("div", { class: "ht-segment", "data-doubtful": isDoubtful(segment),
      title: isDoubtful(segment) ? t("transcript.unsure") : null },
    line.time,
    h("div", {}, segment.speaker ? h("span", { class: "ht-speaker" }, segment.speaker) : null, line.words));
    write(line);
    return line;
  }

  function write(line) {
    const nodes = pieces(line.text, line.doubtful, line.hits).map((piece) => {
      let node = document.createTextNode(piece.text);
      if (piece.hit >= 0) node = h("mark", { class: "ht-hit", "data-hit": piece.hit }, node);
      if (piece.doubt === null) return node;
      const told = t("transcript.probability", { part: i18n.percent(100 * piece.doubt) });
      return h("mark", { class: "ht-doubt", title: told }, node);
    });
    line.words.replaceChildren(...nodes);
  }

  // Who selects text to copy it does not want to hear it.
  const selected = () => String(window.getSelection()).trim() !== "";

  function toEnd() {
    text.scrollTop = text.scrollHeight;
  }

  // ------------------------------------------------------------------ search

  function find(again = false) {
    const was = found[current];
    found = [];
    for (const line of lines) {
      const next = hits(line.text, search.value);
      if (next.length || line.hits.length) {
        line.hits = next;
        write(line);
      }
      next.forEach((_, n) => found.push({ line, n }));
    }
    if (again) {
      const same = found.findIndex((hit) => hit.line === was?.line && hit.n === was.n);
      current = same >= 0 ? same : Math.min(current, found.length - 1);
      marksOf(current).forEach((mark) => mark.classList.add("ht-current"));
    } else current = -1;
    if (!again && found.length) go(1);
    else drawCounted();
  }

  function go(step) {
    if (found.length === 0) return drawCounted();
    marksOf(current).forEach((mark) => mark.classList.remove("ht-current"));
    current = (current + step + found.length) % found.length;
    const marks = marksOf(current);
    marks.forEach((mark) => mark.classList.add("ht-current"));
    if (marks[0]) within(marks[0]);
    drawCounted();
  }

  function marksOf(at) {
    const hit = found[at];
    return hit ? [...hit.line.words.querySelectorAll(`[data-hit="${hit.n}"]`)] : [];
  }

  // The page itself stays where it is.
  function within(node) {
    const [box, frame] = [node.getBoundingClientRect(), text.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) {
      text.scrollTop += box.top - frame.top - frame.height / 3;
    }
  }

  function drawCounted() {
    const at = { at: current + 1, count: found.length };
    put(counted, !search.value.trim() ? "" : found.length ? t("transcript.hit", at) : t("transcript.no_hit"));
    before.disabled = after.disabled = found.length === 0;
  }

  // ------------------------------------------------------------------ head and downloads

  // Silence is a finding: only a recording that was gone through to its end can tell it.
  function whyEmpty(it) {
    if (!GROUPS.active.has(it.state) && it.state !== "completed") return t(`none.${it.state}`);
    return followed.complete && it.state === "completed" ? t("transcript.nothing") : t("transcript.waiting");
  }

  const row = () => followed && hub.store.get("rows").get(followed.rowId);

  function drawHead() {
    const it = row();
    if (!it) return;
    const empty = followed.segments.length === 0;
    show(note, empty);
    put(note, empty ? whyEmpty(it) : "");
    show(text, !empty);
    show(follow, !followed.complete);
    attr(text, "aria-busy", !followed.complete);
    show(legend, lines.some((line) => line.doubtful.length || isDoubtful(line.segment)));
    copy.disabled = empty;
    put(title, it.name);
    attr(title, "title", it.name);
    put(about, describe(it));
    const key = [it.id, it.state, it.actions, it.of, it.warnings.length, empty, hub.store.get("choices")?.formats].join();
    if (key === headKey) return;
    headKey = key;
    actions.replaceChildren(...actionButtons(it, { hub, i18n, root }, false));
    swap(warnings, it.warnings.map(i18n.tell).map(({ text: told, lang }) => h("li", {}, icon("info"), h("span", { lang }, told))));
    show(warnings, it.warnings.length);
    drawSaves(it, empty);
  }

  function describe(it) {
    const language = it.language && i18n.languageName(it.language);
    const sure = it.language_probability == null ? "" : ` (${i18n.percent(100 * it.language_probability)})`;
    return [
      t(`state.${it.state}`),
      `${it.engine} / ${it.model}`,
      it.device ? deviceName(i18n, it.device) : null,
      language && language + sure,
      it.duration_s == null ? null : i18n.clock(it.duration_s),
      it.sends_audio_to ? t("cloud.goes", { receiver: it.sends_audio_to }) : null,
    ].filter(Boolean).join(" · ");
  }

  function drawSaves(it, empty) {
    const formats = hub.store.get("choices")?.formats ?? [];
    const part = { job_id: it.job_id, recording_id: it.recording_id, partial: true };
    const one = h("div", { class: "ht-buttons", role: "group", "aria-label": t("saves.one") },
      h("span", { class: "ht-saves-label" }, icon("download"), t("saves.one")),
      formats.map((format) => button(`.${format}`, {
        kind: "small", "data-format": format, disabled: empty,
        press: () => hub.download({ what: "result", format, ...part }),
      })));
    swap(saves, one, it.of > 1 ? wholeJob(it, formats) : null);
  }

  function wholeJob(it, formats) {
    const inside = select(formats.map((format) => [format, `.${format}`]), formats[0], () => {},
      { name: "inside", "aria-label": t("saves.inside") });
    const fetch = (format) => hub.download({
      what: "results", job_id: it.job_id, recording_id: null, format, inside: inside.value, partial: true,
    });
    return h("div", { class: "ht-buttons", role: "group", "aria-label": t("saves.job", { count: it.of }) },
      h("span", { class: "ht-saves-label" }, t("saves.job", { count: it.of })),
      button(t("saves.merged"), { kind: "small", "data-format": "merged", press: () => fetch("txt") }),
      h("span", { class: "ht-joined" },
        button(t("saves.zip"), { kind: "small", "data-format": "zip", press: () => fetch("zip") }), inside));
  }

  // ------------------------------------------------------------------ copy and hear

  async function copyAll() {
    const all = lines.map((line) => line.text).filter(Boolean).join("\n");
    const done = await copyText(all);
    hub.say(done ? t("transcript.copied") : t("transcript.not_copied"));
    put(copy.lastChild, done ? t("transcript.copied") : t("transcript.not_copied"));
    setTimeout(() => put(copy.lastChild, t("transcript.copy")), 2_000);
  }

  async function hear(at) {
    if (!audioUrl) {
      wanted = at;
      if (!(await load())) return;
      at = wanted;
    }
    if (at !== null) audio.currentTime = at;
    // A browser that wants another click for it, or cannot play the format, says so in its player.
    audio.play().catch(() => {});
  }

  async function load() {
    if (coming) return false;
    const mine = new AbortController();
    coming = mine;
    setListen(0);
    try {
      const got = await hub.downloads.fetchBlob({ what: "audio", ...followed.ids }, setListen, mine.signal);
      if (coming !== mine) return false;
      audioUrl = URL.createObjectURL(got.blob);
      audio.src = audioUrl;
      show(audio, true);
      show(listen, false);
      return true;
    } catch (error) {
      if (coming === mine) hub.notify("error", error);
      return false;
    } finally {
      // Another recording may be on its way by now.
      if (coming === mine) {
        coming = null;
        setListen(null);
      }
    }
  }

  function setListen(part) {
    listen.disabled = part !== null;
    put(listen.lastChild, part === null ? t("transcript.listen")
      : t("transcript.loading", { part: i18n.percent(100 * part) }));
  }

  let speaking = null;
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime;
    const line = lines.find(({ segment }) => segment.start_s <= now && now < segment.end_s) ?? null;
    if (line === speaking) return;
    attr(speaking?.node ?? el, "data-speaking", null);
    speaking = line;
    if (!line) return;
    attr(line.node, "data-speaking", "true");
    if (!audio.paused) within(line.node);
  });

  endings.add(
    hub.store.watch("followed", take),
    hub.store.watch("rows", () => followed && drawHead()),
    hub.store.watch("choices", () => followed && drawHead()),
    reset,
  );
  restore(kept);
  return { el, keep, close: endings.end };

  /** What the next drawing of the same takes over: where the reader is, and the recording. */
  function keep() {
    if (!followed) return null;
    const taken = {
      ids: followed.ids, search: search.value, current, audioUrl, loading: Boolean(coming), wanted,
      at: audio.currentTime, playing: !audio.paused,
    };
    audioUrl = null;
    return taken;
  }

  function restore(taken) {
    if (!taken) return;
    if (taken.ids.recording_id !== followed?.ids.recording_id || taken.ids.job_id !== followed.ids.job_id) {
      if (taken.audioUrl) URL.revokeObjectURL(taken.audioUrl);
      return;
    }
    search.value = taken.search;
    current = taken.current;
    if (search.value) find(true);
    if (taken.loading) hear(taken.wanted);
    if (!taken.audioUrl) return;
    audioUrl = taken.audioUrl;
    audio.src = audioUrl;
    audio.currentTime = taken.at;
    show(audio, true);
    show(listen, false);
    if (taken.playing) audio.play().catch(() => {});
  }
}

/** Puts text on the clipboard, also where the page is no secure context. */
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
