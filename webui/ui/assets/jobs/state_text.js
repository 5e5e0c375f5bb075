// How a job stands, in words.

import { about, seconds, t } from "../core/language.js";
import { requestImages } from "../form/work.js";
import { MAIN_PHASES, hasEnded } from "./jobs.js";
import { sourcesOf, view } from "./view.js";
import { worker } from "./worker.js";

/** What is said of a job while there is no picture of it to look at; "" where there is. */
export function stateText(job) {
  if (job?.isUnsent) return t(job.isDelayed ? "sending_again" : "sending");
  if (!job || hasEnded(job)) return job?.state === "cancelled" && !sourcesOf(job).some(Boolean) ? t("was_stopped") : "";
  if (job.state === "running") {
    if (job.loading !== null && job.loading < 1) return t("loading_checkpoint", { percent: Math.round(job.loading * 100) });
    return sourcesOf(job).some(Boolean) ? "" : t("developing");
  }
  if (worker.problem) return worker.problem;
  if (worker.state === "starting" || worker.state === "restarting") {
    return worker.eta ? t("ready_in", { time: about(worker.eta) }) : t("ready_soon");
  }
  if (job.eta) return t("starts_in", { position: job.position ?? 1, time: about(job.eta) });
  return job.position > 1 ? t("waiting_at", { position: job.position }) : t("waiting_next");
}

/** How far a job is: steps, pace, time left; of one that has ended how long it took. */
export function progressText(job) {
  if (!job || job.isRefused) return "";
  if (view.scrub?.job === job.id) return t("scrubbed", { step: Math.min(view.scrub.step, job.total), total: job.total });
  if (job.state === "finished") return job.seconds ? t("done_in", { time: seconds(job.seconds) }) : "";
  if (job.state === "cancelled") return job.total ? t("stopped_at", { step: job.step, total: job.total }) : t("was_stopped");
  if (job.state !== "running" || !job.total) return "";
  const count = requestImages(job.request);
  const told = [`${job.step}/${job.total}`];
  if (count > 1) told.push(t("image_of", { n: job.image + 1, count }));
  if (!MAIN_PHASES.includes(job.phase)) told.push(t(`phase_${job.phase}`));
  else if (job.pace) told.push(...paceText(job, count));
  return told.join(" · ");
}

const LEAST_PACE = 0.005; // seconds; less reads as nothing

function paceText(job, count) {
  const told = [];
  if (job.pace >= LEAST_PACE) told.push(t("a_step", { time: seconds(job.pace) }));
  if (job.loss) told.push(t("loss_value", { loss: job.loss.toPrecision(3) }));
  const rest = (job.total - job.step + job.total * Math.max(0, count - 1 - job.image)) * job.pace;
  if (rest > 0.5) told.push(t("left", { time: about(rest) }));
  return told;
}

/** The same in one line, for a list. */
export const lineOf = (job) => (job.state === "running" ? progressText(job) || t("state_running") : stateText(job));
