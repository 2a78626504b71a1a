// The queue: a table that stays smooth with thousands of rows, and cards where it is narrow.

import { attr, h, icon, progressBar, put, select, show } from "./dom.js";
import { GROUPS, listed, overall } from "./listing.js";
import { rowView } from "./row.js";
import { createEndings } from "./store.js";

/** @import { Row } from "../messages" */
/** @import { Hub, PanelState } from "./hub.js" */
/** @import { I18n } from "./i18n.js" */
/** @import { Filter, Group, QueueRow, SortKey } from "./listing.js" */

/** @type {SortKey[]} */
const COLUMNS = ["name", "session", "engine", "model", "state", "percentage", "eta"];

/**
 * The card with all rows.
 * @param {Hub} hub
 * @param {I18n} i18n
 * @param {HTMLElement} root  where dialogs open
 */
export function queueView(hub, i18n, root) {
  const { t } = i18n;
  const endings = createEndings();
  /** @type {Filter} */
  const criteria = { text: "", group: "all", sort: { key: null, down: false } };
  // Rows are empty shells until they come near the window: making all at once takes seconds.
  /** @type {Map<string, HTMLElement>} */
  const shells = new Map();
  /** @type {Map<string, { view: ReturnType<typeof rowView>, row: QueueRow }>} */
  const filled = new Map();
  let planned = 0;

  const context = {
    hub, i18n, root,
    open: (/** @type {Row} */ row) => hub.follow(row, { show: true }),
  };

  const count = h("span", { class: "ht-count" });
  const filter = h("input", {
    type: "search", class: "ht-filter", name: "filter", placeholder: t("queue.filter"),
    "aria-label": t("queue.filter"),
    oninput: () => {
      criteria.text = filter.value;
      plan();
    },
  });
  const groups = select(Object.keys(GROUPS).map((group) => [group, t(`group.${group}`)]), "all",
    (group) => {
      criteria.group = /** @type {Group} */ (group);
      plan();
    }, { name: "group", "aria-label": t("queue.group") });
  /** @type {[value: string, label: string][]} */
  const columns = COLUMNS.map((key) => [key, t(`column.${key}`)]);
  const sorts = select([["", t("queue.sort_none")], ...columns], "",
    (key) => sortBy(/** @type {SortKey | ""} */ (key) || null, key === "percentage"),
    { name: "sort", class: "ht-narrow", "aria-label": t("queue.sort") });
  const bar = progressBar(t("queue.overall"));
  const progress = h("span", { class: "ht-number" });
  const whole = h("div", { class: "ht-whole" }, bar.el, progress);
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
    for (const entry of entries) if (entry.isIntersecting) fillShell(/** @type {HTMLElement} */ (entry.target));
  }, { root: scroll, rootMargin: "600px" });

  /** @param {SortKey} key */
  function classOf(key) {
    return key === "name" ? "file" : key === "percentage" ? "progress" : key;
  }

  /** @param {SortKey} key */
  function turnSort(key) {
    if (criteria.sort.key !== key) sortBy(key, key === "percentage");
    else if (criteria.sort.down === (key === "percentage")) sortBy(key, !criteria.sort.down);
    else sortBy(null, false);
  }

  /**
   * @param {SortKey | null} key
   * @param {boolean} down
   */
  function sortBy(key, down) {
    criteria.sort = { key, down };
    sorts.value = key ?? "";
    for (const node of head.querySelectorAll("[data-key]")) {
      const isSorted = node.getAttribute("data-key") === key;
      attr(node, "aria-sort", isSorted ? (down ? "descending" : "ascending") : "none");
    }
    plan();
  }

  /** @param {HTMLElement} shell */
  function fillShell(shell) {
    near.unobserve(shell);
    const id = shell.dataset.row ?? "";
    const row = hub.store.get("rows").get(id);
    if (!row || filled.has(id)) return;
    filled.set(id, { view: rowView(shell, row, context), row });
  }

  // Once a frame at most; a hidden page has no frames.
  function plan() {
    if (planned) return;
    planned = document.hidden ? setTimeout(draw, 200) : requestAnimationFrame(draw);
  }

  function draw() {
    planned = 0;
    const rows = hub.store.get("rows");
    const ids = listed(rows, hub.store.get("order"), criteria);
    arrange(ids);
    for (const [id, entry] of filled) {
      const row = rows.get(id);
      if (!row) filled.delete(id);
      else if (row !== entry.row) {
        entry.row = row;
        entry.view.update(row);
      }
    }
    drawCounts(rows, ids);
    drawWhole(rows);
    drawOpen(hub.store.get("followed"));
    reveal(hub.store.get("newRow"));
  }

  /**
   * Goes to a new row, unless somebody is at work elsewhere: who pressed the button for it has the
   * focus there or, as it cannot be pressed meanwhile, nowhere.
   * @param {string | null} id
   */
  function reveal(id) {
    if (id === null) return;
    hub.store.set({ newRow: null });
    const [shell, focused] = [shells.get(id), document.activeElement];
    if (!shell || (focused && focused !== document.body && !focused.closest(".ht-foot"))) return;
    fillShell(shell);
    shell.scrollIntoView({ block: "nearest" });
    shell.querySelector("button")?.focus({ preventScroll: true });
  }

  /** @param {string[]} ids */
  function arrange(ids) {
    const current = new Set(ids);
    for (const [id, shell] of shells) {
      if (current.has(id)) continue;
      near.unobserve(shell);
      shell.remove();
      shells.delete(id);
      filled.delete(id);
    }
    const focused = document.activeElement;
    let at = body.firstChild;
    for (const id of ids) {
      const shell = shells.get(id) ?? newShell(id);
      if (shell === at) at = shell.nextSibling;
      else body.insertBefore(shell, at);
    }
    // What is moved loses the focus.
    if (focused instanceof HTMLElement && body.contains(focused) && focused !== document.activeElement) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {string} id */
  function newShell(id) {
    const shell = h("div", { class: "ht-row", role: "row", "data-row": id, onclick: (event) => openFrom(event, id) });
    shells.set(id, shell);
    near.observe(shell);
    return shell;
  }

  /**
   * The whole row is a target; its buttons, and text that is being selected, are not.
   * @param {MouseEvent} event
   * @param {string} id
   */
  function openFrom(event, id) {
    const row = hub.store.get("rows").get(id);
    const isControl = event.target instanceof Element && event.target.closest("button, a, input, select");
    if (!row?.recording_id || isControl) return;
    if (String(window.getSelection()).trim() === "") context.open(row);
  }

  /**
   * @param {PanelState["rows"]} rows
   * @param {string[]} ids
   */
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

  /** @param {PanelState["rows"]} rows */
  function drawWhole(rows) {
    const { active, percentage, eta_s } = overall(rows.values());
    show(whole, active > 0 && rows.size > 1);
    if (active === 0) return;
    bar.draw(percentage);
    const parts = [percentage === null ? null : i18n.percent(percentage), eta_s === null ? null : i18n.about(eta_s)];
    put(progress, parts.filter(Boolean).join(" · "));
  }

  /** @param {PanelState["followed"]} followed */
  function drawOpen(followed) {
    for (const [id, shell] of shells) attr(shell, "aria-current", id === followed?.rowId ? "true" : null);
  }

  const ticking = setInterval(() => {
    for (const { view } of filled.values()) view.tick();
    drawWhole(hub.store.get("rows"));
  }, 1_000);

  endings.add(
    hub.store.watch("rows", plan),
    hub.store.watch("followed", drawOpen),
    hub.store.watch("newRow", (id) => id && plan()),
    hub.store.watch("othersAhead", (ahead) => {
      show(others, ahead > 0);
      put(others, t("queue.others", { count: ahead }));
    }),
    () => clearInterval(ticking),
    () => near.disconnect(),
  );
  return { el, close: endings.end };
}
