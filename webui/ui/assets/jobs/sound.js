// A sound for who has turned to something else: a job has ended while the page is not in sight.

import { emit, on } from "../core/bus.js";

on("job", ({ state }) => {
  const isWanted = document.documentElement.dataset.sound === "yes" && document.hidden;
  if (isWanted && (state === "finished" || state === "failed")) emit("chime");
});
