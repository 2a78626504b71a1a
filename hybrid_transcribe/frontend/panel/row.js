// One row of the queue: made once, then only what differs is written.

import { attr, button, fill, h, icon, progressBar, put, show } from "./dom.js";
import { deviceName } from "./choices.js";
import { askChange, askDelete, askRetry } from "./dialogs.js";
import { etaNow, isActive } from "./listing.js";

/** @import { Row } from "../messages" */
/** @import { Child, IconName } from "./dom.js" */
/** @import { Hub } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { QueueRow } from "./listing.js" */

/** What views of rows share; dialogs open in `root`. @typedef {{ hub: Hub, i18n: I18n,
 *   root: HTMLElement }} ViewContext */

// A result's end is named when it is nearer than this (s).
const SOON_S = 24 * 3600;
const VERY_SOON_S = 15 * 60;

/**
 * What can be done with a row, as buttons.
 * @param {Row} row
 * @param {ViewContext} context
 * @param {{ bare: boolean, current?: () => Row }} options  `bare` shows signs alone; `current`
 *   returns the row as it is when a button is pressed
 */
export function actionButtons(row, { hub, i18n, root }, { bare, current = () => row }) {
  const { t } = i18n;
  /** @type {Record<string, [sign: IconName, press: () => void]>} */
  const actions = {
    cancel: ["cancel", () => hub.cancel(current())],
    retry: ["retry", () => askRetry(root, hub, i18n, current())],
    change: ["change", () => askChange(root, hub, i18n, current())],
    keep: ["keep", () => hub.keep(current(), true)],
    unkeep: ["keep", () => hub.keep(current(), false)],
    delete: ["delete", () => askDelete(root, hub, i18n, current())],
  };
  const possible = Object.entries(actions)
    .filter(([name]) => row.actions.includes(name === "change" ? "retry" : name));
  return possible.map(([name, [sign, press]]) => {
    const label = t(`action.${name}`);
    const isOfJob = row.of > 1 && ["keep", "unkeep", "delete"].includes(name);
    return button(isOfJob ? t("action.of_job", { action: label, count: row.of }) : label, {
      sign, bare, kind: bare ? "ghost" : "small", press, "data-action": name,
      "aria-pressed": name === "unkeep" ? "true" : null,
    });
  });
}

/**
 * The view of one row; `update` writes what differs, `tick` what changes with time alone.
 * @param {HTMLElement} el  an empty row of the table
 * @param {QueueRow} first
 * @param {ViewContext & { open: (row: Row) => void }} context
 */
export function rowView(el, first, context) {
  const { hub, i18n } = context;
  const { t } = i18n;
  let row = first;
  let actionsKey = "";

  const name = h("button", { type: "button", class: "ht-name", onclick: () => context.open(row) });
  const sub = h("div", { class: "ht-sub" });
  const clock = icon("clock");
  const expiryText = h("span", {});
  const expiry = h("span", { class: "ht-expiry" }, clock, expiryText);
  const session = h("span", { class: "ht-mono" });
  const engine = h("span", { class: "ht-cut" });
  const receiver = h("span", { class: "ht-hidden" });
  const cloud = h("span", { class: "ht-cloud-sign" }, icon("cloud"), receiver);
  const model = h("span", { class: "ht-cut" });
  const device = h("div", { class: "ht-sub" });
  const state = h("span", { class: "ht-state" });
  const stage = h("div", { class: "ht-sub" });
  const bar = progressBar("");
  const percent = h("span", { class: "ht-number" });
  const eta = h("span", { class: "ht-number" });
  const actions = cell("actions");
  const [errorText, errorDetail] = [h("strong"), h("span")];
  const error = h("div", { class: "ht-cell ht-row-error", role: "cell" }, icon("warning"),
    h("span", {}, errorText, errorDetail));

  fill(el,
    cell("file", name, h("div", { class: "ht-sub-line" }, sub, expiry)),
    cell("session", session),
    cell("engine", h("div", { class: "ht-one" }, engine, cloud)),
    cell("model", model, device),
    cell("state", state, stage),
    cell("progress", bar.el, percent),
    cell("eta", eta),
    actions,
    error,
  );
  update(row);
  return { update, tick };

  /** @param {QueueRow} next */
  function update(next) {
    row = next;
    attr(el, "data-state", row.state);
    putTitled(name, row.name);
    name.disabled = !row.recording_id;
    attr(el, "data-opens", Boolean(row.recording_id));
    put(sub, about());
    attr(sub, "title", i18n.warningsOf(row).map((warning) => warning.text).join("\n") || null);
    putTitled(session, row.session);
    putTitled(engine, row.engine);
    drawCloud();
    putTitled(model, row.model);
    put(device, deviceOf());
    put(state, t(`state.${row.state}`));
    putTitled(stage, stageOf());
    drawBar();
    drawActions();
    drawError();
    tick();
  }

  function about() {
    const parts = [];
    if (row.duration_s != null) parts.push(i18n.clock(row.duration_s));
    if (row.language) parts.push(i18n.languageName(row.language));
    if (row.attempt > 1) parts.push(t("row.attempt", { count: row.attempt }));
    if (row.warnings.length) parts.push(t("row.warnings", { count: row.warnings.length }));
    return parts.join(" · ");
  }

  function drawCloud() {
    show(cloud, row.sends_audio_to);
    if (!row.sends_audio_to) return;
    const text = t("cloud.goes", { receiver: row.sends_audio_to });
    attr(cloud, "title", text);
    put(receiver, text);
  }

  function deviceOf() {
    const code = row.device ?? (row.asked_device === "auto" ? null : row.asked_device);
    return code ? deviceName(i18n, code) : "";
  }

  function stageOf() {
    if (row.state === "queued" && row.ahead > 0) return t("row.ahead", { count: row.ahead });
    if (!row.stage) return "";
    const part = row.stage_percentage == null ? "" : ` ${i18n.percent(row.stage_percentage)}`;
    return t(`stage.${row.stage}`) + part;
  }

  function drawBar() {
    const isRecording = row.state !== "rejected";
    show(bar.el, isRecording);
    attr(bar.el, "aria-label", t("row.progress", { name: row.name }));
    bar.draw(row.percentage, isActive(row));
    put(percent, isRecording && row.percentage !== null ? i18n.percent(row.percentage) : "");
  }

  function drawActions() {
    const key = `${row.actions} ${row.of}`;
    if (key === actionsKey) return;
    actionsKey = key;
    const focused = actions.contains(document.activeElement);
    actions.replaceChildren(...actionButtons(row, context, { bare: true, current: () => row }));
    if (focused) (actions.querySelector("button") ?? name).focus();
  }

  function drawError() {
    show(error, row.error);
    if (!row.error) return;
    const detail = i18n.detailOf(row.error);
    put(errorText, i18n.kindOf(row.error));
    put(errorDetail, detail.text ? ` ${detail.text}` : "");
    attr(errorDetail, "lang", detail.lang);
    attr(error, "title", detail.text || null);
  }

  function tick() {
    const remaining = isActive(row) ? etaNow(row) : null;
    put(eta, remaining === null ? "" : i18n.about(remaining));
    const expiresIn = row.expires_at == null || row.kept ? null : row.expires_at - hub.now() / 1000;
    const isSoon = expiresIn !== null && expiresIn < SOON_S;
    show(expiry, isSoon || row.kept);
    attr(clock, "hidden", row.kept);
    if (row.kept) put(expiryText, t("row.kept"));
    else if (isSoon) put(expiryText, t("row.goes", { time: i18n.about(Math.max(expiresIn, 0)) }));
    attr(expiry, "data-soon", isSoon && expiresIn < VERY_SOON_S);
    attr(el, "data-kept", row.kept);
  }
}

/**
 * @param {string} name
 * @param {Child[]} children
 */
function cell(name, ...children) {
  return h("div", { class: `ht-cell ht-c-${name}`, role: "cell" }, children);
}

/**
 * Sets a node's text, in full also where it is cut off.
 * @param {Element} node
 * @param {string} text
 */
function putTitled(node, text) {
  put(node, text);
  attr(node, "title", text || null);
}
