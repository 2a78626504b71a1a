// What the panel knows, and who wants to hear of it.

/**
 * Named values with listeners.
 * @template {object} Values
 * @typedef {object} Store
 * @property {<Name extends keyof Values>(name: Name) => Values[Name]} get
 * @property {(changes: Partial<Values>) => void} set  changes values and calls their listeners
 * @property {(...names: (keyof Values)[]) => void} notify  calls the listeners of values that
 *   were changed in place
 * @property {<Name extends keyof Values>(
 *   name: Name, listener: (value: Values[Name]) => void) => () => void} watch  calls back now and
 *   at every change; returns what ends that
 */

/**
 * A store of these values.
 * @template {object} Values
 * @param {Values} values
 * @returns {Store<Values>}
 */
export function createStore(values) {
  /** @type {Map<keyof Values, Set<(value: any) => void>>} */
  const listeners = new Map();
  return {
    get: (name) => values[name],
    set(changes) {
      Object.assign(values, changes);
      this.notify(.../** @type {(keyof Values)[]} */ (Object.keys(changes)));
    },
    notify(...names) {
      for (const name of names) {
        for (const listener of [...(listeners.get(name) ?? [])]) listener(values[name]);
      }
    },
    watch(name, listener) {
      const ofName = listeners.get(name) ?? new Set();
      listeners.set(name, ofName.add(listener));
      listener(values[name]);
      return () => void ofName.delete(listener);
    },
  };
}

/** A collection of things to end, ended together. */
export function createEndings() {
  /** @type {(() => void)[]} */
  const endings = [];
  return {
    /** @param {(() => void)[]} more */
    add: (...more) => void endings.push(...more),
    end: () => endings.splice(0).forEach((ending) => ending()),
  };
}
