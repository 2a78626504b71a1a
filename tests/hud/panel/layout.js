// What sticks out of its card, by computed positions, at every width from `from` to `to`.
//
// An element sticks out when its box passes its card's, the page's, or that of the nearest
// ancestor that cuts off what is beyond it, where it is something to press or to fill in. Text
// that is cut off with "…" does not count.

globalThis.sweep = ({ from, to, step }) => {
  const host = document.getElementById("here");
  const hud = document.querySelector(".ht-hud");
  const pressed = "button, input, select, audio, summary, a";
  const slack = 0.6;
  const seen = new Map();

  const note = (width, text) => {
    if (!seen.has(text)) seen.set(text, []);
    seen.get(text).push(width);
  };
  const nameOf = (node) =>
    `${node.tagName.toLowerCase()}.${String(node.className.baseVal ?? node.className).trim().replace(/\s+/g, ".")}` +
    (node.dataset?.action ? `[${node.dataset.action}]` : node.name ? `[${node.name}]` : "");
  const visible = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && getComputedStyle(node).visibility !== "hidden";
  };
  const outside = (box, frame) => box.left < frame.left - slack || box.right > frame.right + slack;

  function clipper(node, card) {
    for (let parent = node.parentElement; parent && parent !== card.parentElement; parent = parent.parentElement) {
      if (getComputedStyle(parent).overflowX !== "visible") return parent;
    }
    return null;
  }

  function look(width) {
    if (hud.scrollWidth > hud.clientWidth + slack) note(width, "the panel scrolls sideways");
    for (const card of document.querySelectorAll(".ht-card, .ht-header, .ht-notice")) {
      if (!visible(card)) continue;
      const frame = card.getBoundingClientRect();
      if (outside(frame, hud.getBoundingClientRect())) note(width, `${nameOf(card)} is wider than the panel`);
      for (const node of card.querySelectorAll("*")) {
        if (node.closest(".ht-hidden, svg") || !visible(node)) continue;
        const box = node.getBoundingClientRect();
        const cut = clipper(node, card);
        if (!cut && outside(box, frame)) note(width, `${nameOf(node)} is outside ${nameOf(card)}`);
        if (cut && node.matches(pressed)) {
          // What a box shows ends at its inner edge: a scroll bar covers the rest.
          const { left } = cut.getBoundingClientRect();
          const inner = { left: left + cut.clientLeft, right: left + cut.clientLeft + cut.clientWidth };
          if (outside(box, inner)) note(width, `${nameOf(node)} is cut off by ${nameOf(cut)}`);
        }
      }
    }
    const audio = document.querySelector(".ht-hud audio:not([hidden])");
    if (audio) {
      const box = audio.getBoundingClientRect();
      if (box.width < 200 || box.height < 30) note(width, `the player is ${Math.round(box.width)} x ${Math.round(box.height)}`);
    }
  }

  for (let width = from; width <= to; width += step) {
    host.style.width = `${width}px`;
    look(width);
  }
  host.style.width = "";
  return [...seen].map(([text, widths]) => `${text} at ${widths[0]} to ${widths.at(-1)} (${widths.length} widths)`);
};

// What of the open dialog is outside it or, as it is, outside the window.
globalThis.outsideDialog = () => {
  const dialog = document.querySelector(".ht-dialog[open]");
  const frame = dialog.getBoundingClientRect();
  const problems = [];
  if (frame.left < 0 || frame.right > innerWidth || frame.top < 0 || frame.bottom > innerHeight) problems.push("the dialog");
  if (dialog.scrollWidth > dialog.clientWidth) problems.push("the dialog scrolls sideways");
  for (const node of dialog.querySelectorAll("button, input, select, summary, label, p, h3")) {
    const box = node.getBoundingClientRect();
    if (box.width > 1 && (box.left < frame.left || box.right > frame.right + 0.6)) problems.push(`${node.tagName} ${node.className}`);
  }
  return problems.map((text) => `${text} at ${innerWidth}`);
};
