// How far the queue is, in the page's title, and the page's language. Only where the page is ours:
// a notebook has its own.

import { overall } from "./listing.js";

/** @import { Hub } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */

/**
 * Keeps the title right; returns what ends that.
 * @param {Hub} hub
 * @param {I18n} i18n
 */
export function followTitle(hub, i18n) {
  const own = document.title.replace(/^\(\d+%[^)]*\) /, "");
  /** @type {number | undefined} */
  let timer;

  function write() {
    timer = undefined;
    if (!hub.store.get("welcome")?.session_id) return;
    document.documentElement.lang = i18n.language;
    const { active, percentage, eta_s } = overall(hub.store.get("rows").values());
    const parts = [i18n.percent(percentage ?? 0), eta_s === null ? null : i18n.about(eta_s)];
    const title = active ? `(${parts.filter(Boolean).join(", ")}) ${own}` : own;
    if (document.title !== title) document.title = title;
  }

  const stop = hub.store.watch("rows", () => (timer ??= setTimeout(write, 500)));
  return () => {
    stop();
    clearTimeout(timer);
    document.title = own;
  };
}
