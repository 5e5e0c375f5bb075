// Downloads of models, as the page sees them outside their sheet: asked for while one is on its way, and told under
// "downloads". The answer about the machine says whether there are any, so that nobody asks where there are none.

import { ApiError, api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { alarm } from "../core/timing.js";
import { askForCheckpoints } from "../form/checkpoints.js";

const LOOKS_AGAIN = 2000; // ms, while one comes
const REFUSED = [401, 403]; // to who is not the operator, however often they ask

let list = null; // oldest first; null until it was asked for
let counts = ""; // how many there are of each state, as it was said last
const again = alarm(() => void lookAtDownloads());

export const isComing = ({ state }) => state === "waiting" || state === "running";

/** How far one is, as whole per cent. */
export const percentOf = ({ bytes_done: done, bytes_total: total }) => (total ? Math.floor((100 * done) / total) : 0);

on("machine", ({ downloads: now }) => {
  const said = now && Object.keys(now).length ? JSON.stringify(now) : "";
  if (said !== counts || list?.some(isComing)) again.set(0);
  counts = said;
});
on("downloads-changed", () => again.set(0));

/** Asks for all of them; again soon while one comes, or where no answer did. */
export async function lookAtDownloads() {
  again.cancel();
  let found;
  try {
    found = await api("GET", "/api/models/downloads");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (!REFUSED.includes(error.status)) again.set(LOOKS_AGAIN); // the line is lost, or the program starts again
    return;
  }
  const before = list ?? [];
  list = found;
  const came = found.filter(({ id, state }) => state === "finished" && before.some((one) => one.id === id && one.state !== "finished"));
  if (came.length) await askForCheckpoints();
  emit("downloads", { list: found, came });
  if (found.some(isComing)) again.set(LOOKS_AGAIN);
}
