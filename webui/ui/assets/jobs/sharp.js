// A picture of the tiny decoder, decoded again by the full one: a job of its own, which has nothing to draw while the steps
// of the first are in memory.

import { ApiError, api } from "../core/api.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { factsOf } from "../form/checkpoints.js";
import { submit } from "./outbox.js";

export const canFinishSharp = (request) => request?.decoder === "tiny";

/** Of image `image` of a job, counted from 0; says so if its steps are gone. */
export async function finishSharp(job, image) {
  const answer = submit(`/api/jobs/${job.id}/keep`, { image }, { ...job.request, decoder: "full" });
  const said = await whyDrawnAgain(job.id, image, job.request);
  if (said && (await answer)) note(said);
}

/** Why a job's image is drawn again before it is decoded, in words; "" where its steps are in memory, or nobody knows. */
export async function whyDrawnAgain(jobId, image, request) {
  if (factsOf(request)?.lacking.includes("branches")) return t("sharp_never"); // where no other picture goes on from steps, none are kept
  try {
    const { steps_kept: kept } = await api("GET", `/api/jobs/${jobId}`);
    return kept.includes(image) ? "" : t("sharp_gone");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.status === 404 ? t("sharp_gone") : ""; // whether it takes longer is no more than nice to know
  }
}
