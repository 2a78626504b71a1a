// The place where files are dropped or chosen, and the list of those on their way.

import { attr, button, h, icon, progressBar, put, show } from "./dom.js";
import { askDrop } from "./dialogs.js";
import { createEndings } from "./store.js";
import { droppedFiles } from "./uploads.js";

// Trying these again would end as before.
const HOPELESS = new Set(["panel.too_large", "too_large", "empty_input"]);

/** @import { Attributes } from "./dom.js" */
/** @import { Hub } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { UploadItem } from "./uploads.js" */

/** @typedef {ReturnType<typeof fileLine>} FileLine */

/**
 * Drop zone and list.
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {HTMLElement} root  where dialogs open
 */
export function filesView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  /** @type {Map<string, FileLine>} */
  const fileLines = new Map();

  const files = picker({ multiple: true });
  const folder = picker({ webkitdirectory: true, multiple: true });
  files.addEventListener("change", () => take(files, (list) => hub.addFiles(list)));
  folder.addEventListener("change", () => take(folder, (list) => hub.addFiles([], list)));

  const hint = h("p", { class: "ht-quiet ht-small" });
  const zone = h("div", { class: "ht-drop", role: "group", "aria-label": t("files.drop") },
    h("div", { class: "ht-drop-sign" }, icon("upload")),
    h("p", { class: "ht-drop-title" }, t("files.drop")),
    h("div", { class: "ht-buttons" },
      button(t("files.choose"), { sign: "file", press: () => files.click() }),
      button(t("files.folder"), { sign: "folder", press: () => folder.click() }),
    ),
    hint, files, folder,
  );
  const list = h("ul", { class: "ht-files", "aria-label": t("files.list") });
  const el = h("div", { class: "ht-files-side" }, zone, list);

  /** @param {Attributes} attributes */
  function picker(attributes) {
    return h("input", { type: "file", hidden: true, tabindex: "-1", "aria-hidden": "true", ...attributes });
  }

  /**
   * @param {HTMLInputElement} input
   * @param {(files: File[]) => void} add
   */
  function take(input, add) {
    const chosen = [...(input.files ?? [])];
    // The same file can be chosen again later.
    input.value = "";
    if (chosen.length) add(chosen);
  }

  let within = 0;
  const drag = {
    dragenter(/** @type {DragEvent} */ event) {
      event.preventDefault();
      within += 1;
      zone.classList.add("ht-over");
    },
    dragover(/** @type {DragEvent} */ event) {
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    },
    dragleave() {
      within -= 1;
      if (within <= 0) zone.classList.remove("ht-over");
    },
    async drop(/** @type {DragEvent} */ event) {
      event.preventDefault();
      event.stopPropagation();
      within = 0;
      zone.classList.remove("ht-over");
      try {
        if (!event.dataTransfer) return;
        const dropped = await droppedFiles(event.dataTransfer);
        hub.addFiles(dropped.files, dropped.nested, dropped.skipped);
      } catch {
        hub.notify("error", { code: "panel.unreadable", message: "" });
      }
    },
  };
  for (const [name, listener] of Object.entries(drag)) zone.addEventListener(name, /** @type {EventListener} */ (listener));

  /** @param {UploadItem} item */
  function update(item) {
    const line = fileLines.get(item.id) ?? newLine(item);
    const part = item.size ? (100 * item.offset) / item.size : 0;
    attr(line.el, "data-state", item.state);
    const why = i18n.detailOf(item.error);
    put(line.wording, noteOf(item, part));
    put(line.detail, why.text ? ` ${why.text}` : "");
    attr(line.detail, "lang", why.lang);
    line.bar.draw(part);
    show(line.bar.el, item.state === "sending" || item.state === "waiting");
    show(line.again, item.error && !HOPELESS.has(item.error.code));
  }

  /** @param {UploadItem} item */
  function newLine(item) {
    const line = fileLine(item, i18n, {
      retry: () => hub.uploads.retry(item.id),
      remove: () => askDrop(root, hub, i18n, item),
    });
    fileLines.set(item.id, line);
    list.append(line.el);
    return line;
  }

  /**
   * @param {UploadItem} item
   * @param {number} part  0..100
   */
  function noteOf(item, part) {
    if (item.error) return worded(item.error);
    if (item.state === "complete") return i18n.bytes(item.size);
    return `${i18n.percent(part)} · ${i18n.bytes(item.size)}`;
  }

  /** @param {{ code: string }} error */
  function worded(error) {
    const limits = hub.store.get("welcome");
    if (limits && error.code === "panel.too_large") {
      return t("error.panel.too_large", { limit: i18n.bytes(limits.max_file_bytes) });
    }
    if (limits && error.code === "panel.too_many") return t("error.panel.too_many", { count: limits.max_files });
    return i18n.kindOf(error);
  }

  endings.add(
    hub.store.watch("uploads", (items) => {
      const there = new Set(items.map((item) => item.id));
      for (const [id, line] of fileLines) {
        if (there.has(id)) continue;
        line.el.remove();
        fileLines.delete(id);
      }
      items.forEach(update);
      show(list, items.length);
      el.classList.toggle("ht-some", items.length > 0);
    }),
    hub.store.watch("welcome", (welcome) => {
      put(hint, welcome ? t("files.hint", { limit: i18n.bytes(welcome.max_file_bytes) }) : "");
    }),
    hub.store.watch("choices", (choices) => {
      if (choices) attr(files, "accept", ["audio/*", "video/*", ...choices.extensions].join(","));
    }),
  );
  return { el, close: endings.end };
}

/**
 * The line of one file, without what changes.
 * @param {UploadItem} item
 * @param {I18n} i18n
 * @param {{ retry: () => void, remove: () => void }} actions
 */
function fileLine(item, { t }, { retry, remove }) {
  const [wording, detail] = [h("span"), h("span")];
  const bar = progressBar(item.name);
  const again = button(t("files.again"), { sign: "retry", bare: true, kind: "ghost", press: retry });
  const el = h("li", { class: "ht-file" },
    h("div", { class: "ht-file-line" },
      h("span", { class: "ht-file-name", title: item.name }, item.name),
      h("span", { class: "ht-file-note" }, wording, detail),
      again,
      button(t("files.remove", { name: item.name }), { sign: "cancel", bare: true, kind: "ghost", press: remove })),
    bar.el);
  return { el, wording, detail, bar, again };
}
