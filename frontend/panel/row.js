// One line of the queue: made once, then only what differs is written.

import { attr, button, fill, h, icon, put, show } from "./dom.js";
import { askChange, askDelete, askRetry } from "./dialogs.js";
import { etaNow, GROUPS } from "./listing.js";

// A result's end is told when it is nearer than this (s).
const SOON_S = 24 * 3600;
const VERY_SOON_S = 15 * 60;

/** What can be done with a row, as buttons; `bare` shows signs alone. */
export function actionButtons(row, { hub, i18n, root }, bare) {
  const { t } = i18n;
  const many = row.of > 1;
  const all = {
    cancel: [t("action.cancel"), "cancel", () => hub.cancel(row)],
    retry: [t("action.retry"), "retry", () => askRetry(root(), hub, i18n, row)],
    change: [t("action.change"), "change", () => askChange(root(), hub, i18n, row)],
    keep: [t("action.keep"), "keep", () => hub.keep(row, true)],
    unkeep: [t("action.unkeep"), "keep", () => hub.keep(row, false)],
    delete: [t("action.delete"), "delete", () => askDelete(root(), hub, i18n, row)],
  };
  const wanted = Object.keys(all).filter((name) => row.actions.includes(name === "change" ? "retry" : name));
  return wanted.map((name) => {
    const [label, sign, press] = all[name];
    const whole = many && ["keep", "unkeep", "delete"].includes(name);
    const made = button(whole ? t("action.of_job", { action: label, count: row.of }) : label, {
      sign, bare, kind: bare ? "ghost" : "small", press, "data-action": name,
    });
    attr(made, "aria-pressed", name === "unkeep" ? "true" : null);
    return made;
  });
}

/** The line of one row; `update` writes what differs. */
export function rowView(context) {
  const { hub, i18n } = context;
  const { t } = i18n;
  let row = null;
  let actionsKey = "";

  const cell = (name, ...children) => h("div", { class: `ht-cell ht-c-${name}`, role: "cell" }, children);
  const name = h("button", { type: "button", class: "ht-name", onclick: () => context.open(row) });
  const sub = h("div", { class: "ht-sub" });
  const expiry = h("span", { class: "ht-expiry" }, icon("clock"), h("span", {}));
  const session = h("span", { class: "ht-mono" });
  const engine = h("span", { class: "ht-cut" });
  const cloud = h("span", { class: "ht-cloud-sign" }, icon("cloud"), h("span", { class: "ht-hidden" }));
  const model = h("span", { class: "ht-cut" });
  const device = h("div", { class: "ht-sub" });
  const state = h("span", { class: "ht-state" });
  const stage = h("div", { class: "ht-sub" });
  const bar = h("div", { class: "ht-bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, h("i"));
  const percent = h("span", { class: "ht-number" });
  const eta = h("span", { class: "ht-number" });
  const actions = cell("actions");
  const error = h("div", { class: "ht-cell ht-row-error", role: "cell" }, icon("warning"),
    h("span", {}, h("strong"), h("span")));

  function make(el) {
    fill(el,
      cell("file", name, h("div", { class: "ht-sub-line" }, sub, expiry)),
      cell("session", session),
      cell("engine", h("div", { class: "ht-one" }, engine, cloud)),
      cell("model", model, device),
      cell("state", state, stage),
      cell("progress", bar, percent),
      cell("eta", eta),
      actions,
      error,
    );
  }

  function update(el, next) {
    row = next;
    attr(el, "data-state", row.state);
    put(name, row.name);
    attr(name, "title", row.name);
    name.disabled = !row.recording_id;
    attr(el, "data-opens", Boolean(row.recording_id));
    put(sub, about());
    attr(sub, "title", row.warnings.map((one) => i18n.tell(one).text).join("\n") || null);
    put(session, row.session);
    attr(session, "title", row.session);
    put(engine, row.engine);
    attr(engine, "title", row.engine);
    show(cloud, row.sends_audio_to);
    if (row.sends_audio_to) {
      const told = t("cloud.goes", { receiver: row.sends_audio_to });
      attr(cloud, "title", told);
      put(cloud.lastChild, told);
    }
    put(model, row.model);
    attr(model, "title", row.model);
    put(device, deviceOf());
    put(state, t(`state.${row.state}`));
    put(stage, stageOf());
    attr(stage, "title", stage.textContent || null);
    drawBar();
    drawActions();
    drawError();
    tick(el);
  }

  function about() {
    const parts = [];
    if (row.duration_s != null) parts.push(i18n.clock(row.duration_s));
    if (row.language) parts.push(i18n.languageName(row.language));
    if (row.attempt > 1) parts.push(t("row.attempt", { count: row.attempt }));
    if (row.warnings.length) parts.push(t("row.warnings", { count: row.warnings.length }));
    return parts.join(" · ");
  }

  function deviceOf() {
    const shown = row.device ?? (row.asked_device === "auto" ? null : row.asked_device);
    if (!shown) return "";
    return i18n.has(`device.${shown}`) ? t(`device.${shown}`) : shown;
  }

  function stageOf() {
    if (row.state === "queued" && row.ahead > 0) return t("row.ahead", { count: row.ahead });
    if (!row.stage) return "";
    const part = row.stage_percentage == null ? "" : ` ${i18n.percent(row.stage_percentage)}`;
    return t(`stage.${row.stage}`) + part;
  }

  function drawBar() {
    const shown = row.state !== "rejected";
    show(bar, shown);
    const known = row.percentage != null;
    const guessing = !known && GROUPS.active.has(row.state);
    bar.classList.toggle("ht-guessing", guessing);
    attr(bar, "aria-valuenow", known ? Math.floor(row.percentage) : null);
    attr(bar, "aria-label", t("row.progress", { name: row.name }));
    bar.firstChild.style.width = guessing ? "" : `${row.percentage ?? 0}%`;
    put(percent, shown && known ? i18n.percent(row.percentage) : "");
  }

  function drawActions() {
    const key = `${row.actions} ${row.of}`;
    if (key === actionsKey) return;
    actionsKey = key;
    const focused = actions.contains(document.activeElement);
    // The buttons ask for the row as it is when they are pressed.
    const now = new Proxy({}, { get: (_, what) => row[what] });
    actions.replaceChildren(...actionButtons(now, context, true));
    if (focused) (actions.querySelector("button") ?? name).focus();
  }

  function drawError() {
    show(error, row.error);
    if (!row.error) return;
    const [wording, message] = error.lastChild.childNodes;
    put(wording, i18n.wording(row.error));
    const detail = i18n.tell(row.error.message);
    put(message, detail.text ? ` ${detail.text}` : "");
    attr(message, "lang", detail.lang);
    attr(error, "title", detail.text || null);
  }

  /** What changes with time alone. */
  function tick(el) {
    const left = GROUPS.active.has(row.state) ? etaNow(row) : null;
    put(eta, left === null ? "" : i18n.about(left));
    const goes = row.expires_at == null || row.kept ? null : row.expires_at - hub.now() / 1000;
    const soon = goes !== null && goes < SOON_S;
    show(expiry, soon || row.kept);
    attr(expiry.firstChild, "hidden", row.kept);
    if (row.kept) put(expiry.lastChild, t("row.kept"));
    else if (soon) put(expiry.lastChild, t("row.goes", { time: i18n.about(Math.max(goes, 0)) }));
    attr(expiry, "data-soon", !row.kept && soon && goes < VERY_SOON_S);
    attr(el, "data-kept", row.kept);
  }

  return { make, update, tick };
}
