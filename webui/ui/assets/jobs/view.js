// What of the jobs is looked at: which one, which of its pictures is enlarged, which of its steps is in sight.

import { emit } from "../core/bus.js";
import { active, hasEnded, jobs, running } from "./jobs.js";
import { recall } from "./stream.js";

export const view = {
  shown: null, // the job on the stage
  chosen: null, // the id of the one that the person wants to see; else the stage follows what runs
  enlarged: null, // which of several pictures fills the stage
  input: null, // the reference of a picture that is to be redrawn, until there is a result
  scrub: null, // the step in sight: {job, step, sources, isBlind, isPinned}
};

/** Which job the stage shows: the chosen one, the running one, the newest that waits, the newest that ended. */
export function jobToShow() {
  if (view.chosen && jobs.has(view.chosen)) return jobs.get(view.chosen);
  const now = running();
  if (now) return now;
  const newest = (list) => list.sort((a, b) => b.order - a.order)[0];
  return newest(active()) ?? newest([...jobs.values()].filter((job) => !job.isRefused && !job.gone)) ?? null;
}

/** The person wants to see this job. */
export function choose(id) {
  Object.assign(view, { chosen: id, enlarged: null, input: null });
  if (jobs.has(id) && hasEnded(jobs.get(id))) recall(jobs.get(id));
  emit("view");
}

/** The picture that is meant by what acts on the stage: the enlarged one of several, else the first. */
export const pictureOnStage = () => view.shown?.pictures[view.enlarged ?? 0] ?? null;

/** The sources to show, one for each picture of the job: the finished ones, else its newest previews. */
export function sourcesOf(job) {
  if (!job) return [];
  if (view.scrub?.job === job.id) return view.scrub.sources;
  if (job.pictures.length) return job.pictures.map((picture) => picture.url);
  return job.latest;
}
