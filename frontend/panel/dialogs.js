// Questions in front of everything else.

import { button, fill, h } from "./dom.js";
import { choicesView, cloudMark } from "./choices.js";
import { keywords } from "./options.js";

/** Shows a dialog in `root`; `build(close)` gives its content. It goes with Escape as well. */
function open(root, label, build, gone = () => {}) {
  const before = document.activeElement;
  const dialog = h("dialog", { class: "ht-dialog", "aria-label": label });
  const close = () => dialog.close();
  fill(dialog, h("h3", {}, label), ...build(close));
  dialog.addEventListener("close", () => {
    dialog.remove();
    gone();
    before?.focus?.();
  });
  root.append(dialog);
  dialog.showModal();
}

/** Asks before a job goes for good. */
export function askDelete(root, hub, i18n, row) {
  const { t } = i18n;
  open(root, t("delete.title"), (close) => [
    h("p", {}, t("delete.what", { count: row.of, name: row.name })),
    h("div", { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("action.delete"), { kind: "danger", sign: "delete", press() {
        close();
        hub.remove(row);
      } })),
  ]);
}

/** Transcribes a recording again; asks before where its finished text would be replaced. */
export function askRetry(root, hub, i18n, row) {
  const { t } = i18n;
  if (row.state !== "completed") return void hub.retry(row);
  open(root, t("retry.title"), (close) => [
    h("p", {}, t("retry.what", { name: row.name })),
    h("div", { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("change.start"), { kind: "primary", sign: "retry", press() {
        close();
        hub.retry(row);
      } })),
  ]);
}

/** Asks before a file that was sent, whole or in part, is taken away again. */
export function askDrop(root, hub, i18n, item) {
  const { t } = i18n;
  if (item.state === "failed" || item.offset === 0) return void hub.uploads.cancel(item.id);
  open(root, t("drop.title"), (close) => [
    h("p", {}, t("drop.what", { name: item.name })),
    h("div", { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("drop.yes"), { kind: "danger", sign: "cancel", press() {
        close();
        hub.uploads.cancel(item.id);
      } })),
  ]);
}

/** Asks with what to transcribe a recording again: the form of a new job, filled in as it was. */
export function askChange(root, hub, i18n, row) {
  const { t } = i18n;
  let how = valuesOf(row, hub);
  const cloud = h("div", {});
  const mark = () => {
    const receiver = hub.chosen(how)?.sends_audio_to;
    cloud.replaceChildren(...(receiver ? [cloudMark(i18n, receiver)] : []));
  };
  const change = (changes) => {
    how = { ...how, ...changes };
    mark();
  };
  const form = choicesView(hub, i18n, { how: () => how, change });
  mark();
  open(root, t("change.title"), (close) => [
    h("p", { class: "ht-quiet ht-cut", title: row.name }, row.name),
    row.n_segments > 0 || row.state === "completed" ? h("p", { class: "ht-small" }, t("change.replaces")) : null,
    form.el,
    h("div", { class: "ht-dialog-foot" },
      cloud,
      h("div", { class: "ht-buttons ht-end" },
        button(t("dialog.back"), { press: close }),
        button(t("change.start"), { kind: "primary", sign: "retry", press() {
          const choice = hub.chosen(how);
          close();
          if (choice) hub.retry(row, keywords({ ...how, model: how.model || choice.default_model }, choice));
        } }))),
  ], form.close);
}

// What a recording was asked to be transcribed with, as the form has it.
function valuesOf(row, hub) {
  const { language, task, word_timestamps, ...options } = row.options;
  const how = {
    engine: row.engine, model: row.model, device: row.asked_device, language: language ?? "",
    task: task ?? "transcribe", word_timestamps: word_timestamps ?? false, options,
  };
  // Another engine has other models.
  return hub.chosen(how)?.name === row.engine ? how : { ...how, model: "" };
}
