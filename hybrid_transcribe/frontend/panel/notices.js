// What people should know: problems, notices, models on their way, a lost channel.

import { button, h, icon, progressBar, put, show } from "./dom.js";
import { createEndings } from "./store.js";

/** @import { Hub, ModelProgress, NoticeError, PanelNotice } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */

/**
 * The place above everything else.
 * @param {Hub} hub
 * @param {I18n} i18n
 */
export function noticesView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  /** @type {Map<number, HTMLElement>} */
  const nodes = new Map();
  const lostText = h("p");
  const lost = h("div", { class: "ht-notice", "data-kind": "warning", role: "alert", hidden: true },
    icon("warning"), lostText);
  const list = h("div", { class: "ht-notices", "aria-live": "polite" });
  const models = h("div", { class: "ht-models", "aria-live": "off" });
  const announcement = h("div", { class: "ht-hidden", role: "status" });
  const el = h("div", { class: "ht-top" }, lost, list, models, announcement);

  /** @param {PanelNotice} notice */
  function newNotice(notice) {
    const text = notice.family === "notice" ? wordedNotice(notice.error) : i18n.kindOf(notice.error);
    const detail = i18n.detailOf(notice.error);
    return h("div", { class: "ht-notice", "data-kind": notice.kind, role: notice.kind === "error" ? "alert" : null },
      icon(notice.kind === "info" ? "info" : "warning"),
      h("p", {}, h("strong", {}, text), notice.error.message ? [" ", h("span", { lang: detail.lang }, detail.text)] : null),
      button(t("notice.dismiss"), { sign: "cancel", bare: true, kind: "ghost", press: () => hub.dismiss(notice.id) }));
  }

  /** @param {NoticeError} error */
  function wordedNotice(error) {
    const key = `notice.${error.code}`;
    return i18n.has(key) ? t(key, { count: error.count ?? 0 }) : t("notice.other");
  }

  const down = () => (hub.store.get("ended") ? t("line.ended") : t("line.lost"));

  // Who came by a page of our own knows nothing of kernels and cells.
  const waiting = () => (hub.store.get("welcome")?.session_id ? t("line.slow") : t("line.silent"));

  /** @param {PanelNotice[]} notices */
  function draw(notices) {
    const there = new Set(notices.map((notice) => notice.id));
    for (const [id, node] of nodes) {
      if (there.has(id)) continue;
      node.remove();
      nodes.delete(id);
    }
    for (const notice of notices) {
      if (nodes.has(notice.id)) continue;
      const node = newNotice(notice);
      nodes.set(notice.id, node);
      list.append(node);
    }
  }

  /** @param {ModelProgress} model */
  function newModel({ engine, model, stage, percentage }) {
    const bar = progressBar(model);
    bar.draw(percentage, true);
    return h("div", { class: "ht-model" },
      h("span", {}, `${t(`stage.${stage}`)}: ${engine} / ${model}`),
      bar.el,
      h("span", { class: "ht-number" }, percentage === null ? "" : i18n.percent(percentage)));
  }

  endings.add(
    hub.store.watch("notices", draw),
    hub.store.watch("models", (all) => models.replaceChildren(...[...all.values()].map(newModel))),
    hub.store.watch("announcement", (text) => put(announcement, text)),
    hub.store.watch("channel", (state) => {
      show(lost, state === "down" || state === "waiting");
      put(lostText, state === "down" ? down() : state === "waiting" ? waiting() : "");
    }),
  );
  return { el, close: endings.end };
}
