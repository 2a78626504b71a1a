// The queue: a table that stays smooth with thousands of rows, and cards where it is narrow.

import { attr, h, icon, put, select, show } from "./dom.js";
import { GROUPS, listed, overall } from "./listing.js";
import { rowView } from "./row.js";
import { createEndings } from "./store.js";

const COLUMNS = ["name", "session", "engine", "model", "state", "percentage", "eta"];

/** The card with all rows. */
export function queueView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  const look = { text: "", group: "all", sort: { key: null, down: false } };
  // Rows are empty shells until they come near the window: making all at once takes seconds.
  const shells = new Map();
  const filled = new Map();
  let planned = 0;

  const context = {
    hub, i18n, root,
    open: (row) => hub.follow(row, { show: true }),
  };

  const count = h("span", { class: "ht-count" });
  const filter = h("input", {
    type: "search", class: "ht-filter", name: "filter", placeholder: t("queue.filter"),
    "aria-label": t("queue.filter"),
    oninput: () => {
      look.text = filter.value;
      plan();
    },
  });
  const groups = select(Object.keys(GROUPS).map((group) => [group, t(`group.${group}`)]), "all",
    (group) => {
      look.group = group;
      plan();
    }, { name: "group", "aria-label": t("queue.group") });
  const sorts = select([["", t("queue.sort_none")], ...COLUMNS.map((key) => [key, t(`column.${key}`)])], "",
    (key) => sortBy(key || null, key === "percentage"),
    { name: "sort", class: "ht-narrow", "aria-label": t("queue.sort") });
  const whole = h("div", { class: "ht-whole" },
    h("div", { class: "ht-bar", role: "progressbar", "aria-label": t("queue.overall"),
      "aria-valuemin": "0", "aria-valuemax": "100" }, h("i")),
    h("span", { class: "ht-number" }));
  const others = h("p", { class: "ht-quiet ht-small ht-others" });
  const head = h("div", { class: "ht-row ht-head", role: "row" },
    COLUMNS.map((key) => h("div", { class: `ht-cell ht-c-${classOf(key)}`, role: "columnheader", "aria-sort": "none", "data-key": key },
      h("button", { type: "button", class: "ht-sort", onclick: () => turnSort(key) },
        t(`column.${key}`), icon("down")))),
    h("div", { class: "ht-cell ht-c-actions", role: "columnheader" },
      h("span", { class: "ht-hidden" }, t("column.actions"))));
  const body = h("div", { class: "ht-body", role: "rowgroup" });
  const table = h("div", { class: "ht-table", role: "table", "aria-label": t("queue.title"), "aria-colcount": "8" },
    h("div", { class: "ht-head-group", role: "rowgroup" }, head), body);
  const scroll = h("div", { class: "ht-scroll", tabindex: "0", role: "group", "aria-label": t("queue.title") }, table);
  const empty = h("div", { class: "ht-empty" });
  const el = h("section", { class: "ht-card ht-queue", "aria-label": t("queue.title") },
    h("header", { class: "ht-card-head" },
      h("h2", {}, t("queue.title")), count, whole,
      h("div", { class: "ht-tools" }, h("span", { class: "ht-search-box" }, icon("search"), filter), groups, sorts)),
    others, scroll, empty);

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) fillShell(entry.target);
  }, { root: scroll, rootMargin: "600px" });

  function classOf(key) {
    return { name: "file", percentage: "progress" }[key] ?? key;
  }

  function turnSort(key) {
    if (look.sort.key !== key) sortBy(key, key === "percentage");
    else if (look.sort.down === (key === "percentage")) sortBy(key, !look.sort.down);
    else sortBy(null, false);
  }

  function sortBy(key, down) {
    look.sort = { key, down };
    sorts.value = key ?? "";
    for (const node of head.children) {
      const own = key !== null && node.dataset.key === key;
      if (node.dataset.key) attr(node, "aria-sort", own ? (down ? "descending" : "ascending") : "none");
    }
    plan();
  }

  function fillShell(shell) {
    near.unobserve(shell);
    const id = shell.htId;
    const row = hub.store.get("rows").get(id);
    if (!row || filled.has(id)) return;
    const view = rowView(context);
    view.make(shell);
    view.update(shell, row);
    filled.set(id, { view, row });
  }

  // Once a frame at most; a hidden page has no frames.
  function plan() {
    if (planned) return;
    const later = document.hidden ? (run) => setTimeout(run, 200) : requestAnimationFrame;
    planned = later(() => {
      planned = 0;
      draw();
    }) || 1;
  }

  function draw() {
    const rows = hub.store.get("rows");
    const ids = listed(rows, hub.store.get("order"), look);
    arrange(ids);
    for (const [id, made] of filled) {
      const row = rows.get(id);
      if (!row) filled.delete(id);
      else if (row !== made.row) {
        made.row = row;
        made.view.update(shells.get(id), row);
      }
    }
    drawCounts(rows, ids);
    drawWhole(rows);
    drawOpen(hub.store.get("followed"));
  }

  function arrange(ids) {
    const wanted = new Set(ids);
    for (const [id, shell] of shells) {
      if (wanted.has(id)) continue;
      near.unobserve(shell);
      shell.remove();
      shells.delete(id);
      filled.delete(id);
    }
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    let at = body.firstChild;
    for (const id of ids) {
      const shell = shells.get(id) ?? newShell(id);
      if (shell === at) at = at.nextSibling;
      else body.insertBefore(shell, at);
    }
    // What is moved loses the focus.
    if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  function newShell(id) {
    const shell = h("div", { class: "ht-row", role: "row" });
    shell.htId = id;
    attr(shell, "data-row", id);
    // The whole row is a target; its buttons, and text that is being selected, are not.
    shell.addEventListener("click", (event) => {
      const row = hub.store.get("rows").get(id);
      if (!row?.recording_id || event.target.closest("button, a, input, select")) return;
      if (String(window.getSelection()).trim() === "") context.open(row);
    });
    shells.set(id, shell);
    near.observe(shell);
    return shell;
  }

  function drawCounts(rows, ids) {
    put(count, rows.size === ids.length ? t("queue.count", { count: rows.size })
      : t("queue.some", { shown: ids.length, count: rows.size }));
    attr(table, "aria-rowcount", ids.length + 1);
    show(count, rows.size);
    show(scroll, ids.length);
    show(empty, !ids.length);
    put(empty, rows.size ? t("queue.no_match") : t("queue.empty"));
    el.classList.toggle("ht-none", rows.size === 0);
  }

  function drawWhole(rows) {
    const { active, percentage, eta_s } = overall(rows.values());
    show(whole, active > 0 && rows.size > 1);
    if (active === 0) return;
    attr(whole.firstChild, "aria-valuenow", percentage === null ? null : Math.floor(percentage));
    whole.firstChild.firstChild.style.width = `${percentage ?? 0}%`;
    const parts = [percentage === null ? null : i18n.percent(percentage), eta_s === null ? null : i18n.about(eta_s)];
    put(whole.lastChild, parts.filter(Boolean).join(" · "));
  }

  function drawOpen(followed) {
    for (const [id, shell] of shells) attr(shell, "aria-current", id === followed?.rowId ? "true" : null);
  }

  const ticking = setInterval(() => {
    for (const [id, made] of filled) made.view.tick(shells.get(id));
    drawWhole(hub.store.get("rows"));
  }, 1_000);

  endings.add(
    hub.store.watch("rows", plan),
    hub.store.watch("followed", drawOpen),
    hub.store.watch("othersAhead", (ahead) => {
      show(others, ahead > 0);
      put(others, t("queue.others", { count: ahead }));
    }),
    () => clearInterval(ticking),
    () => near.disconnect(),
  );
  return { el, close: endings.end };
}
