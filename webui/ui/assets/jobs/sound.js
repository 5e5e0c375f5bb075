// A sound for who has turned to something else: a job has ended while the page is not in sight.

import { emit, on } from "../core/bus.js";

const heard = new Set(); // ids of jobs that have ended; an end may be told twice

/** Whether the operator wants one. */
export const isSoundWanted = () => document.documentElement.dataset.sound === "yes";

on("job", ({ id, state }) => {
  if (state !== "finished" && state !== "failed" || heard.has(id)) return;
  heard.add(id);
  if (isSoundWanted() && document.hidden) emit("chime");
});
