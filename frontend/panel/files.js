// The place where files are dropped or chosen, and the list of those on their way.

import { attr, button, h, icon, put, show } from "./dom.js";
import { askDrop } from "./dialogs.js";
import { createEndings } from "./store.js";
import { droppedFiles } from "./uploads.js";

// Trying these again would end as before.
const HOPELESS = new Set(["panel.too_large", "too_large", "empty_input"]);

/** Drop zone and list. */
export function filesView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const lines = new Map();

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

  function picker(attributes) {
    return h("input", { type: "file", hidden: true, tabindex: "-1", "aria-hidden": "true", ...attributes });
  }

  function take(input, add) {
    const chosen = [...input.files];
    // The same file can be chosen again later.
    input.value = "";
    if (chosen.length) add(chosen);
  }

  let within = 0;
  const drag = {
    dragenter(event) {
      event.preventDefault();
      within += 1;
      zone.classList.add("ht-over");
    },
    dragover(event) {
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    },
    dragleave() {
      within -= 1;
      if (within <= 0) zone.classList.remove("ht-over");
    },
    async drop(event) {
      event.preventDefault();
      event.stopPropagation();
      within = 0;
      zone.classList.remove("ht-over");
      try {
        const dropped = await droppedFiles(event.dataTransfer);
        hub.addFiles(dropped.files, dropped.nested, dropped.skipped);
      } catch {
        hub.notify("error", { code: "panel.unreadable", message: "" });
      }
    },
  };
  for (const [name, listener] of Object.entries(drag)) zone.addEventListener(name, listener);

  function line(item) {
    const name = h("span", { class: "ht-file-name", title: item.name }, item.name);
    const note = h("span", { class: "ht-file-note" }, h("span"), h("span"));
    const bar = h("div", { class: "ht-bar", role: "progressbar", "aria-label": item.name,
      "aria-valuemin": "0", "aria-valuemax": "100" }, h("i"));
    const again = button(t("files.again"), { sign: "retry", bare: true, kind: "ghost",
      press: () => hub.uploads.retry(item.id) });
    const drop = button(t("files.remove", { name: item.name }), { sign: "cancel", bare: true, kind: "ghost",
      press: () => askDrop(root(), hub, i18n, item) });
    const node = h("li", { class: "ht-file" },
      h("div", { class: "ht-file-line" }, name, note, again, drop), bar);
    return { node, note, bar, again };
  }

  function update(made, item) {
    const part = item.size ? (100 * item.offset) / item.size : 0;
    attr(made.node, "data-state", item.state);
    const [wording, detail] = made.note.childNodes;
    const why = i18n.tell(item.error?.message ?? "");
    put(wording, noteOf(item, part));
    put(detail, why.text ? ` ${why.text}` : "");
    attr(detail, "lang", why.lang);
    attr(made.bar, "aria-valuenow", Math.floor(part));
    made.bar.firstChild.style.width = `${part}%`;
    show(made.bar, item.state === "sending" || item.state === "waiting");
    show(made.again, item.state === "failed" && !HOPELESS.has(item.error.code));
  }

  function noteOf(item, part) {
    if (item.state === "failed") return told(item.error);
    if (item.state === "complete") return i18n.bytes(item.size);
    return `${i18n.percent(part)} · ${i18n.bytes(item.size)}`;
  }

  function told(error) {
    const limits = hub.store.get("welcome");
    if (error.code === "panel.too_large") {
      return t("error.panel.too_large", { limit: i18n.bytes(limits.max_file_bytes) });
    }
    if (error.code === "panel.too_many") return t("error.panel.too_many", { count: limits.max_files });
    return i18n.wording(error);
  }

  endings.add(
    hub.store.watch("uploads", (items) => {
      const there = new Set(items.map((item) => item.id));
      for (const [id, made] of lines) {
        if (there.has(id)) continue;
        made.node.remove();
        lines.delete(id);
      }
      for (const item of items) {
        if (!lines.has(item.id)) {
          lines.set(item.id, line(item));
          list.append(lines.get(item.id).node);
        }
        update(lines.get(item.id), item);
      }
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
