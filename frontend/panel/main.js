// The way in: what a widget's host calls.

import { composeView } from "./compose.js";
import { h } from "./dom.js";
import { headerView } from "./header.js";
import { openHub } from "./hub.js";
import { speak } from "./i18n.js";
import { noticesView } from "./notices.js";
import { queueView } from "./queue.js";
import { createEndings } from "./store.js";
import { followTheme } from "./theme.js";
import { followTitle } from "./title.js";
import { transcriptView } from "./transcript.js";

function mount(hub, el) {
  const root = h("div", { class: "ht-hud" });
  const drawn = createEndings();
  let views = [];

  function draw(language) {
    const focused = root.contains(document.activeElement) && document.activeElement.dataset.language;
    const kept = views.map((view) => view.keep?.());
    drawn.end();
    const i18n = speak(language);
    root.lang = language;
    views = [headerView, noticesView, composeView, queueView, transcriptView]
      .map((view, n) => view(hub, i18n, () => root, kept[n]));
    root.replaceChildren(h("div", { class: "ht-page" }, views.map((view) => view.el)));
    drawn.add(...views.map((view) => view.close), followTitle(hub, i18n));
    if (focused) root.querySelector(`[data-language="${language}"]`)?.focus();
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
  let hub = null;
  return {
    initialize({ model }) {
      hub = openHub(model);
      return () => hub.close();
    },
    render({ el }) {
      return mount(hub, el);
    },
  };
};
