// Questions in front of everything else.

import { button, fill, h } from "./dom.js";
import { choicesView, cloudMark } from "./choices.js";
import { keywords } from "./options.js";

/** @import { Row } from "../messages" */
/** @import { Child, IconName } from "./dom.js" */
/** @import { Hub } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { FormValues, OptionValue } from "./options.js" */
/** @import { UploadItem } from "./uploads.js" */

/**
 * Shows a dialog in `root`; `build` returns its content. It goes with Escape as well.
 * @param {HTMLElement} root
 * @param {string} label
 * @param {(close: () => void) => Child[]} build
 * @param {() => void} [closed]
 */
function open(root, label, build, closed = () => {}) {
  const before = document.activeElement;
  const dialog = h("dialog", { class: "ht-dialog", "aria-label": label });
  const close = () => dialog.close();
  fill(dialog, h("h3", {}, label), ...build(close));
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
    if (before instanceof HTMLElement) before.focus();
  });
  root.append(dialog);
  dialog.showModal();
}

/**
 * Asks before something is done.
 * @param {HTMLElement} root
 * @param {I18n} i18n
 * @param {{ title: string, text: string, action: string, kind: string, sign: IconName,
 *   press: () => void }} question
 */
function confirm(root, { t }, { title, text, action, kind, sign, press }) {
  open(root, title, (close) => [
    h("p", {}, text),
    h("div", { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(action, { kind, sign, press() {
        close();
        press();
      } })),
  ]);
}

/**
 * Asks before a job goes for good.
 * @param {HTMLElement} root
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {Row} row
 */
export function askDelete(root, hub, i18n, row) {
  const { t } = i18n;
  confirm(root, i18n, {
    title: t("delete.title"), text: t("delete.what", { count: row.of, name: row.name }),
    action: t("action.delete"), kind: "danger", sign: "delete", press: () => hub.remove(row),
  });
}

/**
 * Transcribes a recording again; asks before where its finished text would be replaced.
 * @param {HTMLElement} root
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {Row} row
 */
export function askRetry(root, hub, i18n, row) {
  const { t } = i18n;
  if (row.state !== "completed") return void hub.retry(row);
  confirm(root, i18n, {
    title: t("retry.title"), text: t("retry.what", { name: row.name }),
    action: t("change.start"), kind: "primary", sign: "retry", press: () => hub.retry(row),
  });
}

/**
 * Asks before a file that was sent, whole or in part, is taken away again.
 * @param {HTMLElement} root
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {UploadItem} item
 */
export function askDrop(root, hub, i18n, item) {
  const { t } = i18n;
  if (item.state === "failed" || item.offset === 0) return void hub.uploads.cancel(item.id);
  confirm(root, i18n, {
    title: t("drop.title"), text: t("drop.what", { name: item.name }),
    action: t("drop.yes"), kind: "danger", sign: "cancel", press: () => hub.uploads.cancel(item.id),
  });
}

/**
 * Asks with what to transcribe a recording again: the form of a new job, filled in as it was.
 * @param {HTMLElement} root
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {Row} row
 */
export function askChange(root, hub, i18n, row) {
  const { t } = i18n;
  let form = valuesOf(row, hub);
  const cloud = h("div", {});
  const drawCloud = () => {
    const receiver = hub.chosen(form)?.sends_audio_to;
    cloud.replaceChildren(...(receiver ? [cloudMark(i18n, receiver)] : []));
  };
  const view = choicesView(hub, i18n, {
    form: () => form,
    change(changes) {
      form = { ...form, ...changes };
      drawCloud();
    },
  });
  drawCloud();
  open(root, t("change.title"), (close) => [
    h("p", { class: "ht-quiet ht-cut", title: row.name }, row.name),
    row.n_segments > 0 || row.state === "completed" ? h("p", { class: "ht-small" }, t("change.replaces")) : null,
    view.el,
    h("div", { class: "ht-dialog-foot" },
      cloud,
      h("div", { class: "ht-buttons ht-end" },
        button(t("dialog.back"), { press: close }),
        button(t("change.start"), { kind: "primary", sign: "retry", press() {
          const choice = hub.chosen(form);
          close();
          if (choice) hub.retry(row, keywords({ ...form, model: form.model || choice.default_model }, choice));
        } }))),
  ], view.close);
}

/**
 * What a recording was to be transcribed with, as the form has it.
 * @param {Row} row
 * @param {Hub} hub
 * @returns {FormValues}
 */
function valuesOf(row, hub) {
  // Voices go with their job: nobody can name them here.
  const { language, task, word_timestamps, voices, ...options } = row.options;
  const form = {
    engine: row.engine, model: row.model, device: row.asked_device, language: String(language ?? ""),
    task: String(task ?? "transcribe"), word_timestamps: Boolean(word_timestamps),
    options: /** @type {Record<string, OptionValue>} */ (options),
  };
  // Another engine has other models.
  return hub.chosen(form)?.name === row.engine ? form : { ...form, model: "" };
}
