// What people should know: problems, notices, models on their way, a lost line.

import { attr, button, h, icon, put, show } from "./dom.js";
import { createEndings } from "./store.js";

/** The place above everything else. */
export function noticesView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  const shown = new Map();
  const lost = h("div", { class: "ht-notice", "data-kind": "warning", role: "alert", hidden: true },
    icon("warning"), h("p"));
  const list = h("div", { class: "ht-notices", "aria-live": "polite" });
  const models = h("div", { class: "ht-models", "aria-live": "off" });
  const said = h("div", { class: "ht-hidden", role: "status" });
  const el = h("div", { class: "ht-top" }, lost, list, models, said);

  function made(notice) {
    const text = notice.family === "notice" ? wordedNotice(notice.error) : i18n.wording(notice.error);
    const detail = i18n.tell(notice.error.message);
    return h("div", { class: "ht-notice", "data-kind": notice.kind, role: notice.kind === "error" ? "alert" : null },
      icon(notice.kind === "info" ? "info" : "warning"),
      h("p", {}, h("strong", {}, text), notice.error.message ? [" ", h("span", { lang: detail.lang }, detail.text)] : null),
      button(t("notice.dismiss"), { sign: "cancel", bare: true, kind: "ghost", press: () => hub.dismiss(notice.id) }));
  }

  function wordedNotice(error) {
    const key = `notice.${error.code}`;
    return i18n.has(key) ? t(key, { count: error.count ?? 0 }) : t("notice.other");
  }

  const down = () => (hub.store.get("ended") ? t("line.ended") : t("line.lost"));

  // Who came by a page of our own knows nothing of kernels and cells.
  const waiting = () => (hub.store.get("welcome")?.session_id ? t("line.slow") : t("line.silent"));

  function draw(notices) {
    const there = new Set(notices.map((one) => one.id));
    for (const [id, node] of shown) {
      if (there.has(id)) continue;
      node.remove();
      shown.delete(id);
    }
    for (const notice of notices) {
      if (shown.has(notice.id)) continue;
      shown.set(notice.id, made(notice));
      list.append(shown.get(notice.id));
    }
  }

  function drawModels(all) {
    models.replaceChildren(...[...all.values()].map((one) => {
      const bar = h("div", { class: "ht-bar", role: "progressbar", "aria-label": one.model,
        "aria-valuemin": "0", "aria-valuemax": "100" }, h("i"));
      const known = one.percentage != null;
      bar.classList.toggle("ht-guessing", !known);
      attr(bar, "aria-valuenow", known ? Math.floor(one.percentage) : null);
      if (known) bar.firstChild.style.width = `${one.percentage}%`;
      return h("div", { class: "ht-model" },
        h("span", {}, `${t(`stage.${one.stage}`)}: ${one.engine} / ${one.model}`),
        bar,
        h("span", { class: "ht-number" }, known ? i18n.percent(one.percentage) : ""));
    }));
  }

  endings.add(
    hub.store.watch("notices", draw),
    hub.store.watch("models", drawModels),
    hub.store.watch("said", (text) => put(said, text)),
    hub.store.watch("line", (line) => {
      show(lost, line === "down" || line === "waiting");
      put(lost.lastChild, line === "down" ? down() : line === "waiting" ? waiting() : "");
    }),
  );
  return { el, close: endings.end };
}
