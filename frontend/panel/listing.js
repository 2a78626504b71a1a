// Which rows of the queue are shown, and in which order: pure.

import { folded } from "./marks.js";

/** Groups of states that people look for. */
export const GROUPS = {
  all: null,
  active: new Set(["queued", "preparing", "running", "canceling"]),
  done: new Set(["completed"]),
  failed: new Set(["failed", "rejected", "canceled"]),
};

const STATES = ["running", "canceling", "preparing", "queued", "completed", "canceled", "failed", "rejected"];

const KEYS = {
  name: (row) => row.name,
  session: (row) => row.session,
  engine: (row) => row.engine,
  model: (row) => row.model,
  state: (row) => STATES.indexOf(row.state),
  percentage: (row) => row.percentage ?? -1,
  eta: (row) => row.eta_s ?? Number.POSITIVE_INFINITY,
};

/** Ids of the rows to show. `sort` is `{key, down}`, key null for the queue's own order. */
export function listed(rows, order, { text, group, sort }) {
  const wanted = GROUPS[group];
  const words = folded(text).split(/\s+/).filter(Boolean);
  const shown = order
    .map((id) => rows.get(id))
    .filter((row) => row && (!wanted || wanted.has(row.state)) && matches(row, words));
  if (sort.key) shown.sort(comparer(KEYS[sort.key], sort.down));
  return shown.map((row) => row.id);
}

function matches(row, words) {
  if (words.length === 0) return true;
  const text = folded(`${row.name} ${row.session} ${row.engine} ${row.model} ${row.language ?? ""}`);
  return words.every((word) => text.includes(word));
}

function comparer(key, down) {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [key(one), key(other)];
    if (typeof a === "string") return sign * collator.compare(a, b);
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  };
}

/**
 * How far the jobs with something left to do are: `{active, percentage, eta_s}`, null unknown.
 * `rows` is any iterable of rows, also one that can be gone through only once.
 */
export function overall(rows) {
  const allRows = [...rows];
  const busy = new Set();
  for (const row of allRows) if (GROUPS.active.has(row.state)) busy.add(row.job_id);
  let [active, done, all, eta, sure] = [0, 0, 0, null, true];
  for (const row of allRows) {
    if (!busy.has(row.job_id) || row.state === "rejected") continue;
    const weight = row.duration_s ?? 60;
    all += weight;
    if (!GROUPS.active.has(row.state)) {
      done += weight;
      continue;
    }
    active += 1;
    done += (weight * (row.percentage ?? 0)) / 100;
    const left = etaNow(row);
    if (left === null) sure = false;
    else eta = Math.max(eta ?? 0, left);
  }
  return { active, percentage: all ? (100 * done) / all : null, eta_s: sure ? eta : null };
}

/** A row's remaining seconds now: what was told, less the time since then. */
export function etaNow(row) {
  if (row.eta_s == null) return null;
  return Math.max(row.eta_s - (performance.now() - row.heardAt) / 1000, 0);
}
