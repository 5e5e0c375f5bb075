// A picture of the tiny decoder, decoded again by the full one: a job of its own, which has nothing to draw while the steps
// of the first are in memory.

import { ApiError, api } from "../core/api.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { submit } from "./outbox.js";

export const canFinishSharp = (request) => request?.decoder === "tiny";

/** Of image `image` of a job, counted from 0; says so if its steps are gone. */
export async function finishSharp(job, image) {
  const answer = submit(`/api/jobs/${job.id}/keep`, { image }, { ...job.request, decoder: "full" });
  try {
    const { steps_kept: kept } = await api("GET", `/api/jobs/${job.id}`);
    if ((await answer) && !kept.includes(image)) note(t("sharp_gone"));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // whether it takes longer is no more than nice to know
  }
}
