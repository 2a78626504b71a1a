// What the page remembers: which queue is ours, and what its reader prefers.

const SESSION = "hybrid-transcribe.session";

/**
 * A remembered value, null where there is none or the browser remembers nothing.
 * @param {string} key
 */
export function recall(key) {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * Remembers a value, null forgets it.
 * @param {string} key
 * @param {string | null} value
 */
export function remember(key, value) {
  try {
    if (value == null) window.localStorage.removeItem(key);
    else window.localStorage.setItem(key, value);
  } catch {
    // Private windows may remember nothing; the queue then lives as long as the page.
  }
}

function addressedSession() {
  const inFragment = new URLSearchParams(window.location.hash.slice(1)).get("session");
  const inQuery = new URLSearchParams(window.location.search).get("session");
  return inFragment || inQuery;
}

/** The session of the address (a link to a queue goes first), or of an earlier visit. */
export function recallSession() {
  return addressedSession() || recall(SESSION);
}

/** The session that this browser had before it came by somebody's link, null where it had none. */
export const ownSession = () => recall(SESSION);

/** The page's address without the server's token, which opens more than one queue. */
export function plainAddress() {
  const url = new URL(window.location.href);
  // Only then: to write a query anew may change how the rest of it is spelt.
  if (url.searchParams.has("token")) url.searchParams.delete("token");
  return url;
}

/**
 * Remembers the session in browser and address; of the rest of it only the server's token goes.
 * @param {string} sessionId
 */
export function rememberSession(sessionId) {
  // A link counts for its own tab: the queue of whoever opens it is not forgotten for it.
  if (!addressedSession() || !ownSession()) remember(SESSION, sessionId);
  nameSession(sessionId);
}

/** Back from a link's queue to one's own. */
export function openOwnSession() {
  const sessionId = ownSession();
  if (sessionId) nameSession(sessionId);
  window.location.reload();
}

/** @param {string} sessionId */
function nameSession(sessionId) {
  const url = plainAddress();
  if (url.searchParams.has("session")) {
    url.searchParams.set("session", sessionId);
  } else {
    const fragment = new URLSearchParams(url.hash.slice(1));
    // A fragment that is no list of values is the page's own affair.
    if (!url.hash || url.hash.includes("=")) {
      fragment.set("session", sessionId);
      url.hash = fragment.toString();
    }
  }
  if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
}
