// What the panel knows, and who wants to hear of it.

/** Named values with listeners: `set` tells the listeners of what it was given. */
export function createStore(values) {
  const listeners = new Map();
  return {
    get: (name) => values[name],
    set(changes) {
      Object.assign(values, changes);
      this.tell(...Object.keys(changes));
    },
    tell(...names) {
      for (const name of names) {
        for (const listener of [...(listeners.get(name) ?? [])]) listener(values[name]);
      }
    },
    /** Calls back now and at every change; gives what ends that. */
    watch(name, listener) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(listener);
      listener(values[name]);
      return () => listeners.get(name).delete(listener);
    },
  };
}

/** A collection of things to end, ended together. */
export function createEndings() {
  const endings = [];
  return {
    add: (...more) => endings.push(...more),
    end: () => endings.splice(0).forEach((ending) => ending()),
  };
}
