// Jobs that are stopped, or taken back before they are sent.

import { api } from "../core/api.js";
import { orNote } from "../core/note.js";
import { active, running } from "./jobs.js";
import { withdraw } from "./outbox.js";

export async function cancelJob(id) {
  if (withdraw(id)) return;
  await orNote(() => api("DELETE", `/api/jobs/${id}`));
}

/** Stops what runs, or else the first that waits. */
export function cancelFirst() {
  const first = running() ?? active()[0];
  if (first) cancelJob(first.id);
}
