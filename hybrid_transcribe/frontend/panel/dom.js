// Tiny helpers for the page. Text is always a text node: nothing that comes from outside is markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  cancel: "M6 6l12 12M18 6L6 18",
  retry: "M4.6 14a7.8 7.8 0 1 0 1.6-7.4L4 9M4 4.5V9h4.5",
  change: "M4 8.5h14l-4-4M20 15.5H6l4 4",
  delete: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.4 10.5v5.5M13.6 10.5v5.5",
  keep: "M7 4.5h10v15l-5-3.8-5 3.8z",
  download: "M12 4.5v10.5M7.5 10.8L12 15.2l4.5-4.4M5 19.5h14",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  upload: "M12 15.5V4.8M7.5 9.2L12 4.8l4.5 4.4M5 15.5v4h14v-4",
  folder: "M3.5 6h6l2 2.5h9v10.5h-17z",
  file: "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.4 15.4L20 20",
  cloud: "M7 18.5a4.5 4.5 0 0 1-.4-9A6 6 0 0 1 18 10.5a4 4 0 0 1 0 8z",
  warning: "M12 4.2l8.8 15.3H3.2zM12 10v4.4M12 16.8v.4",
  info: "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17zM12 11v5M12 7.8v.4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  listen: "M8 5.5v13l10.5-6.5z",
  clock: "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17zM12 7.5V12l3 2",
  wave: "M4 10v4M8 6.5v11M12 3.5v17M16 7.5v9M20 10.5v3",
};

/**
 * What an element can hold: nodes as they are, all else as text, nothing for null and false.
 * @typedef {Node | string | number | boolean | null | undefined | Child[]} Child
 */

/**
 * Attributes of an element, and listeners under `on…`. Null and false attributes are left out.
 * @typedef {{ [Name in keyof GlobalEventHandlersEventMap as `on${Name}`]?:
 *   (event: GlobalEventHandlersEventMap[Name]) => void } & { [name: string]: unknown }} Attributes
 */

/** @typedef {keyof typeof ICONS} IconName */

/**
 * An element with attributes, listeners and children, which may nest.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else attr(node, name, value);
  }
  return fill(node, ...children);
}

/**
 * Appends children.
 * @template {Element} Container
 * @param {Container} node
 * @param {Child[]} children
 */
export function fill(node, ...children) {
  /** @type {Exclude<Child, Child[]>[]} */
  const flat = /** @type {any[]} */ (children).flat(Infinity);
  for (const child of flat) {
    if (child == null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/**
 * Sets an attribute where it differs; null and false remove it.
 * @param {Element} node
 * @param {string} name
 * @param {unknown} value
 */
export function attr(node, name, value) {
  if (value == null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * Sets a node's text where it differs.
 * @param {Node} node
 * @param {string | null | undefined} text
 */
export function put(node, text) {
  if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
}

/**
 * Shows or hides.
 * @param {HTMLElement} node
 * @param {unknown} visible  truthy to show it
 */
export function show(node, visible) {
  if (node.hidden === Boolean(visible)) node.hidden = !visible;
}

/**
 * Empties a node and puts these children into it.
 * @param {Element} node
 * @param {Child[]} children
 */
export function swap(node, ...children) {
  node.replaceChildren();
  return fill(node, ...children);
}

/**
 * Focuses the first element within a node that a selector finds.
 * @param {Element} node
 * @param {string} selector
 */
export function focusWithin(node, selector) {
  const match = node.querySelector(selector);
  if (match instanceof HTMLElement) match.focus();
}

/**
 * A drawn sign. It says nothing to screen readers: what it stands by does.
 * @param {IconName} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({
    class: "ht-icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false",
  })) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button with a sign, and its name as text or, when `bare`, for screen readers and hovering.
 * @param {string} name
 * @param {{ sign?: IconName, bare?: boolean, kind?: string, press?: (event: MouseEvent) => void,
 *   [attribute: string]: unknown }} [options]
 */
export function button(name, { sign, bare = false, kind = "", press, ...attributes } = {}) {
  return h(
    "button",
    {
      type: "button",
      class: `ht-button ${kind ? `ht-${kind}` : ""} ${bare ? "ht-bare" : ""}`.trim(),
      title: bare ? name : null,
      "aria-label": bare ? name : null,
      onclick: press ?? (() => {}),
      ...attributes,
    },
    sign ? icon(sign) : null,
    bare ? null : h("span", {}, name),
  );
}

/**
 * Sets the text of a button that is not bare.
 * @param {HTMLButtonElement} node
 * @param {string} name
 */
export function rename(node, name) {
  if (node.lastChild) put(node.lastChild, name);
}

/**
 * A progress bar. `draw` fills it to a percentage, null where nobody knows one; `busy` shows that
 * work goes on nevertheless.
 * @param {string} label
 */
export function progressBar(label) {
  const filling = h("i");
  const el = h("div", {
    class: "ht-bar", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100",
  }, filling);
  return {
    el,
    /**
     * @param {number | null} percentage
     * @param {boolean} [busy]
     */
    draw(percentage, busy = false) {
      const isUnknown = percentage === null;
      el.classList.toggle("ht-guessing", isUnknown && busy);
      attr(el, "aria-valuenow", isUnknown ? null : Math.floor(percentage));
      filling.style.width = isUnknown && busy ? "" : `${percentage ?? 0}%`;
    },
  };
}

let nIds = 0;

/** An id that nothing else on the page has. */
export function freshId() {
  nIds += 1;
  return `ht-${nIds}-${Math.floor(Math.random() * 1e9).toString(36)}`;
}

/**
 * A labelled control.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {{ hint?: string | null, wide?: boolean }} [options]
 */
export function field(label, control, { hint = null, wide = false } = {}) {
  control.id ||= freshId();
  const note = hint ? h("span", { class: "ht-hint", id: freshId() }, hint) : null;
  if (note) attr(control, "aria-describedby", note.id);
  return h(
    "div",
    { class: wide ? "ht-field ht-wide" : "ht-field" },
    h("label", { for: control.id }, label),
    control,
    note,
  );
}

/**
 * A checkbox with its label behind it: the label, and the box itself.
 * @param {string} text
 * @param {boolean} checked
 * @param {(checked: boolean) => void} change
 * @param {string | null} [hint]
 */
export function checkbox(text, checked, change, hint = null) {
  const box = h("input", { type: "checkbox", onchange: () => change(box.checked) });
  box.checked = checked;
  return { el: h("label", { class: "ht-check", title: hint }, box, h("span", {}, text)), box };
}

/**
 * A select with one option chosen.
 * @param {[value: string, label: string, attributes?: Attributes][]} options
 * @param {string} chosen
 * @param {(value: string) => void} change
 * @param {Attributes} [attributes]
 */
export function select(options, chosen, change, attributes = {}) {
  const control = h(
    "select",
    { ...attributes, onchange: () => change(control.value) },
    options.map(([value, label, more = {}]) => h("option", { value, ...more }, label)),
  );
  control.value = chosen;
  return control;
}
