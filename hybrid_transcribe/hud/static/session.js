// What the page remembers: which queue is ours, and what its reader prefers.

const SESSION = "hybrid-transcribe.session";

/** A remembered value, null where there is none or the browser remembers nothing. */
export function recall(key) {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers a value, null forgets it. */
export function remember(key, value) {
  try {
    if (value == null) window.localStorage.removeItem(key);
    else window.localStorage.setItem(key, value);
  } catch {
    // Private windows may remember nothing; the queue then lives as long as the page.
  }
}

/** The session of the address (a link to a queue goes first), or of an earlier visit. */
export function recallSession() {
  const inFragment = new URLSearchParams(window.location.hash.slice(1)).get("session");
  const inQuery = new URLSearchParams(window.location.search).get("session");
  return inFragment || inQuery || recall(SESSION);
}

/** Remembers the session in browser and address; nothing else of the address changes. */
export function rememberSession(sessionId) {
  remember(SESSION, sessionId);
  const url = new URL(window.location.href);
  if (url.searchParams.has("session")) {
    url.searchParams.set("session", sessionId);
  } else {
    const fragment = new URLSearchParams(url.hash.slice(1));
    // A fragment that is no list of values is the page's own affair.
    if (url.hash && !url.hash.includes("=")) return;
    fragment.set("session", sessionId);
    url.hash = fragment.toString();
  }
  if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
}
