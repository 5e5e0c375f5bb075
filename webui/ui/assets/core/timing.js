// Waiting, in one place: nothing here waits for somebody else to have drawn something.

export const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/** After what the running script still does, and what it makes the browser do at once. */
export const afterwards = (run) => { setTimeout(run); };

/** A function that runs `run` once it has not been called for so long; `.cancel()` forgets the call. */
export function debounced(run, milliseconds) {
  let timer;
  const later = () => { clearTimeout(timer); timer = setTimeout(run, milliseconds); };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** An alarm that can be set anew: `set(milliseconds)` and `cancel()`. */
export function alarm(run) {
  let timer;
  return {
    set(milliseconds) { clearTimeout(timer); timer = setTimeout(run, milliseconds); },
    cancel() { clearTimeout(timer); },
  };
}
