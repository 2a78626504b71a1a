// A new job: files on one side, how to transcribe them on the other, and the button.

import { button, checkbox, h, put, show, swap } from "./dom.js";
import { choicesView, cloudMark } from "./choices.js";
import { filesView } from "./files.js";
import { createEndings } from "./store.js";

/** @import { Hub, PanelState } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { UploadItem } from "./uploads.js" */

/**
 * The card that makes jobs.
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {HTMLElement} root  where dialogs open
 */
export function composeView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const files = filesView(hub, i18n, root);
  const choices = choicesView(hub, i18n, { form: () => hub.store.get("form"), change: hub.setForm });
  // How much was sent changes all the time: only what changes seldom is read out.
  const summary = h("span", { role: "status" });
  const part = h("span", {});
  const cloud = h("div", { class: "ht-cloud-place" });
  const atOnce = checkbox(t("compose.at_once"), hub.store.get("atOnce"), hub.setAtOnce);
  const start = button(t("compose.start"), { kind: "primary", press: () => hub.arm({ reveal: true }) });
  const stop = button(t("compose.stop"), { kind: "plain", press: hub.disarm });
  const el = h("section", { class: "ht-card ht-compose", "aria-label": t("compose.title") },
    h("div", { class: "ht-sides" },
      files.el,
      h("div", { class: "ht-choices-side" }, choices.el),
    ),
    h("div", { class: "ht-foot" }, cloud, h("div", { class: "ht-foot-line" },
      h("span", { class: "ht-summary" }, summary, part), atOnce.el, stop, start)),
  );

  /** @type {boolean | null} */
  let wasComing = null;
  /** @param {boolean} coming */
  function announce(coming) {
    if (wasComing === false && coming) hub.announce(t("compose.begun"));
    if (wasComing && !coming) hub.announce(t("compose.arrived"));
    wasComing = coming;
  }

  function refresh() {
    const items = hub.store.get("uploads").filter((item) => item.state !== "failed");
    const armed = hub.store.get("armed");
    const coming = items.filter((item) => item.state !== "complete").length;
    put(summary, summed(items));
    put(part, sentSoFar(items, coming, armed));
    announce(coming > 0);
    const waits = Boolean(armed && !armed.sent && coming > 0);
    const focused = document.activeElement;
    start.disabled = items.length === 0 || Boolean(armed) || !hub.chosen();
    show(stop, waits);
    show(start, !waits);
    // A button that goes hands the focus to that in its place.
    if (focused === start && waits) stop.focus();
    if (focused === stop && !waits) start.focus();
    drawCloud();
  }

  /** @param {UploadItem[]} items */
  function summed(items) {
    if (items.length === 0) return t("compose.empty");
    const size = i18n.bytes(items.reduce((sum, item) => sum + item.size, 0));
    return t("compose.files", { count: items.length, size });
  }

  /**
   * @param {UploadItem[]} items
   * @param {number} coming  how many of them are not here yet
   * @param {PanelState["armed"]} armed
   */
  function sentSoFar(items, coming, armed) {
    if (coming === 0) return "";
    const sent = items.reduce((sum, item) => sum + item.offset, 0);
    const all = items.reduce((sum, item) => sum + item.size, 0);
    const values = { part: i18n.percent(all ? (100 * sent) / all : 0) };
    return ` · ${armed ? t("compose.starts_then", values) : t("compose.coming", values)}`;
  }

  /** @type {string | null} */
  let drawnFor = null;
  function drawCloud() {
    const receiver = hub.chosen()?.sends_audio_to ?? null;
    if (receiver === drawnFor) return;
    drawnFor = receiver;
    swap(cloud, receiver ? cloudMark(i18n, receiver) : null);
  }

  const names = /** @type {const} */ (["uploads", "armed", "choices", "form"]);
  endings.add(...names.map((name) => hub.store.watch(name, refresh)), files.close, choices.close);
  return { el, close: endings.end };
}
