// Which rows of the queue are listed, and in which order: pure.

import { folded } from "./highlight.js";

/** @import { Row } from "../messages" */

/** @typedef {Row & { receivedAt: number }} QueueRow  a row, and when it came (performance.now()) */
/** @typedef {keyof typeof GROUPS} Group */
/** @typedef {keyof typeof KEYS} SortKey */

/**
 * What is listed: rows with all words of `text` in them and of a group, sorted by a key or, where
 * that is null, in the queue's own order.
 * @typedef {{ text: string, group: Group, sort: { key: SortKey | null, down: boolean } }} Filter
 */

const ACTIVE = new Set(["queued", "preparing", "running", "canceling"]);

/** Groups of states that people look for; null for all. */
export const GROUPS = {
  all: null,
  active: ACTIVE,
  done: new Set(["completed"]),
  failed: new Set(["failed", "rejected", "canceled"]),
};

const STATES = ["running", "canceling", "preparing", "queued", "completed", "canceled", "failed", "rejected"];

/** @satisfies {Record<string, (row: Row) => string | number>} */
const KEYS = {
  name: (/** @type {Row} */ row) => row.name,
  session: (/** @type {Row} */ row) => row.session,
  engine: (/** @type {Row} */ row) => row.engine,
  model: (/** @type {Row} */ row) => row.model,
  state: (/** @type {Row} */ row) => STATES.indexOf(row.state),
  percentage: (/** @type {Row} */ row) => row.percentage ?? -1,
  eta: (/** @type {Row} */ row) => row.eta_s ?? Number.POSITIVE_INFINITY,
};

/**
 * Has it something to do still?
 * @param {Row} row
 */
export const isActive = (row) => ACTIVE.has(row.state);

/**
 * Ids of the rows to list.
 * @param {Map<string, QueueRow>} rows  by id
 * @param {string[]} order  ids
 * @param {Filter} filter
 */
export function listed(rows, order, { text, group, sort }) {
  const states = GROUPS[group];
  const words = folded(text).split(/\s+/).filter(Boolean);
  const matching = order
    .map((id) => rows.get(id))
    .filter((row) => row !== undefined)
    .filter((row) => (!states || states.has(row.state)) && matches(row, words));
  if (sort.key) matching.sort(comparer(KEYS[sort.key], sort.down));
  return matching.map((row) => row.id);
}

/**
 * @param {Row} row
 * @param {string[]} words
 */
function matches(row, words) {
  if (words.length === 0) return true;
  const text = folded(`${row.name} ${row.session} ${row.engine} ${row.model} ${row.language ?? ""}`);
  return words.every((word) => text.includes(word));
}

/**
 * @param {(row: Row) => string | number} key
 * @param {boolean} down
 * @returns {(row: Row, other: Row) => number}
 */
function comparer(key, down) {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const sign = down ? -1 : 1;
  return (row, other) => {
    const [a, b] = [key(row), key(other)];
    if (typeof a === "string" || typeof b === "string") return sign * collator.compare(String(a), String(b));
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  };
}

/**
 * How far the jobs with something to do are: the number of active rows, the percentage and the
 * remaining seconds, null where nobody knows them.
 * @param {Iterable<QueueRow>} rows  also one that can be gone through only once
 */
export function overall(rows) {
  const allRows = [...rows];
  const busyJobs = new Set(allRows.filter(isActive).map((row) => row.job_id));
  let [active, done, all] = [0, 0, 0];
  /** @type {number | null} */
  let eta = null;
  let isSure = true;
  for (const row of allRows) {
    if (!busyJobs.has(row.job_id) || row.state === "rejected") continue;
    const weight = row.duration_s ?? 60;
    all += weight;
    if (!isActive(row)) {
      done += weight;
      continue;
    }
    active += 1;
    done += (weight * (row.percentage ?? 0)) / 100;
    const remaining = etaNow(row);
    if (remaining === null) isSure = false;
    else eta = Math.max(eta ?? 0, remaining);
  }
  return { active, percentage: all ? (100 * done) / all : null, eta_s: isSure ? eta : null };
}

/**
 * A row's remaining seconds now: what it came with, less the time since then.
 * @param {QueueRow} row
 */
export function etaNow(row) {
  if (row.eta_s == null) return null;
  return Math.max(row.eta_s - (performance.now() - row.receivedAt) / 1000, 0);
}
