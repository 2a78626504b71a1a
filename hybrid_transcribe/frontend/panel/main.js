// The way in: what a widget's host calls.

import { composeView } from "./compose.js";
import { focusWithin, h } from "./dom.js";
import { headerView } from "./header.js";
import { openHub } from "./hub.js";
import { speak } from "./i18n.js";
import { noticesView } from "./notices.js";
import { queueView } from "./queue.js";
import { createEndings } from "./store.js";
import { followTheme } from "./theme.js";
import { followTitle } from "./title.js";
import { transcriptView } from "./transcript.js";

/** @import { WidgetModel } from "./connection.js" */
/** @import { Hub } from "./hub.js" */

/**
 * @param {Hub} hub
 * @param {HTMLElement} el
 */
function mount(hub, el) {
  const root = h("div", { class: "ht-hud" });
  const drawn = createEndings();
  /** @type {ReturnType<typeof transcriptView> | null} */
  let transcript = null;

  /** @param {string} language */
  function draw(language) {
    const focused = document.activeElement;
    const isLanguage = focused instanceof HTMLElement && root.contains(focused) && focused.dataset.language;
    const reading = transcript?.reading();
    drawn.end();
    const i18n = speak(language);
    root.lang = language;
    transcript = transcriptView(hub, i18n, root, reading);
    const views = [
      headerView(hub, i18n), noticesView(hub, i18n), composeView(hub, i18n, root), queueView(hub, i18n, root),
      transcript,
    ];
    root.replaceChildren(h("div", { class: "ht-page" }, views.map((view) => view.el)));
    drawn.add(...views.map((view) => view.close), followTitle(hub, i18n));
    if (isLanguage) focusWithin(root, `[data-language="${language}"]`);
  }

  el.append(root);
  const stops = [followTheme(root), hub.store.watch("language", draw)];
  return () => {
    stops.forEach((stop) => stop());
    drawn.end();
    root.remove();
  };
}

// One hub for all views of a widget: a second view of it shows the same queue.
export default () => {
  /** @type {Hub} */
  let hub;
  return {
    /** @param {{ model: WidgetModel }} widget */
    initialize({ model }) {
      hub = openHub(model);
      return () => hub.close();
    },
    /** @param {{ el: HTMLElement }} widget */
    render({ el }) {
      return mount(hub, el);
    },
  };
};
