// Questions in front of everything else.

import { button, h } from "./dom.js";
import { choicesView, cloudMark } from "./choices.js";

/** Shows a dialog in `root`; `build(close)` gives its content. It goes with Escape as well. */
function open(root, label, build) {
  const before = document.activeElement;
  const dialog = h("dialog", { class: "ht-dialog", "aria-label": label });
  const close = () => dialog.close();
  dialog.append(h("h3", {}, label), ...build(close));
  dialog.addEventListener("close", () => {
    dialog.remove();
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

/** Asks with what to transcribe a recording again. */
export function askChange(root, hub, i18n, row) {
  const { t } = i18n;
  const before = {
    engine: row.engine, model: row.model, device: row.asked_device, language: row.language ?? "",
    task: "transcribe", word_timestamps: false, options: {},
  };
  let how = before;
  const cloud = h("div", {});
  const change = (changes) => {
    how = { ...how, ...changes };
    mark();
  };
  const mark = () => {
    const receiver = hub.chosen(how)?.sends_audio_to;
    cloud.replaceChildren(...(receiver ? [cloudMark(i18n, receiver)] : []));
  };
  const form = choicesView(hub, i18n, { how: () => how, change, full: false });
  mark();
  open(root, t("change.title"), (close) => [
    h("p", { class: "ht-quiet ht-cut", title: row.name }, row.name),
    form.el,
    cloud,
    h("div", { class: "ht-buttons ht-end" },
      button(t("dialog.back"), { press: close }),
      button(t("change.start"), { kind: "primary", sign: "retry", press() {
        close();
        form.close();
        hub.retry(row, differences(before, how, hub.chosen(how)));
      } })),
  ]);
}

// What is as it was is left out: then the recording's own values stay.
function differences(before, how, choice) {
  const made = {};
  const engine = choice?.name ?? how.engine;
  if (engine !== before.engine) made.engine = engine;
  const model = how.model || choice?.default_model || "";
  if (model && (model !== before.model || made.engine)) made.model = model;
  if (how.device !== before.device) made.device = how.device;
  if (how.language !== before.language) made.language = how.language || null;
  return made;
}
