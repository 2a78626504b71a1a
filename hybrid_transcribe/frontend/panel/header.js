// Name, state of the channel, language, and the link to the same queue.

import { attr, button, h, icon, put, rename, show } from "./dom.js";
import { chooseLanguage, LANGUAGES } from "./i18n.js";
import { openOwnSession, ownSession, plainAddress } from "./session.js";
import { createEndings } from "./store.js";
import { copyText } from "./transcript.js";

/** @import { Hub } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */

/**
 * The top of the panel.
 * @param {Hub} hub
 * @param {I18n} i18n
 */
export function headerView(hub, i18n) {
  const { t } = i18n;
  const endings = createEndings();
  const dot = h("span", { class: "ht-dot" });
  const state = h("span", {});
  const link = button(t("header.link"), { sign: "link", kind: "plain", title: t("header.link_hint"), press: copyLink });
  const own = button(t("header.own"), { kind: "plain", press: openOwnSession });
  const languages = h("div", { class: "ht-languages", role: "group", "aria-label": t("header.language") },
    LANGUAGES.map(([code, name]) => h("button", {
      type: "button", lang: code, title: name, "data-language": code,
      // What is said begins with what is seen: who speaks to the page says that.
      "aria-label": `${code.slice(0, 2).toUpperCase()}, ${name}`,
      "aria-pressed": String(code === i18n.language),
      onclick: () => choose(code),
    }, code.slice(0, 2).toUpperCase())));
  const el = h("header", { class: "ht-header" },
    h("span", { class: "ht-logo" }, icon("wave")),
    h("h1", {}, t("header.title")),
    h("span", { class: "ht-line-state", role: "status" }, dot, state),
    h("div", { class: "ht-header-end" }, own, link, languages));

  /** @param {string} code */
  function choose(code) {
    if (code === i18n.language) return;
    chooseLanguage(code);
    hub.setLanguage(code);
  }

  function address() {
    const welcome = hub.store.get("welcome");
    if (welcome?.link) return new URL(welcome.link, plainAddress()).href;
    if (!welcome?.session_id) return null;
    const url = plainAddress();
    url.hash = new URLSearchParams({ session: welcome.session_id }).toString();
    return url.href;
  }

  async function copyLink() {
    const done = await copyText(address() ?? "");
    const result = done ? t("header.link_copied") : t("transcript.not_copied");
    hub.announce(result);
    rename(link, result);
    setTimeout(() => rename(link, t("header.link")), 2_000);
  }

  endings.add(
    hub.store.watch("channel", (channel) => {
      attr(dot, "data-line", channel);
      put(state, t(`line.${channel}`));
    }),
    hub.store.watch("welcome", (welcome) => {
      show(link, address());
      const mine = ownSession();
      show(own, welcome?.session_id && mine && mine !== welcome.session_id);
      attr(el, "data-version", welcome?.version);
    }),
  );
  return { el, close: endings.end };
}
