// What happens, told to whoever listens: modules that must not know each other speak through names of events.

const listeners = new Map();

/** Calls `listener` with every later value that is emitted under `name`. */
export function on(name, listener) {
  if (!listeners.has(name)) listeners.set(name, []);
  listeners.get(name).push(listener);
}

/** Calls the listeners of `name` in the order in which they came; one that throws keeps the others from nothing. */
export function emit(name, value) {
  for (const listener of listeners.get(name) ?? []) {
    try {
      listener(value);
    } catch (error) {
      reportError(error);
    }
  }
}
