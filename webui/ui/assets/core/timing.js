// Waiting, in one place: nothing here waits for somebody else to have drawn something.

export const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

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
