// The person's jobs, as the page knows them. Every change is told: "jobs" (some job) and "job" (this one).

import { emit } from "../core/bus.js";
import { language, t } from "../core/language.js";
import { learnPace } from "../form/work.js";
import { ranked } from "./pictures.js";

export const LAST = { finished: "finished", failed: "failed", cancelled: "cancelled" };
export const MAIN_PHASES = ["denoise", "optimise"]; // those whose steps the strip counts
const KEPT_PREVIEWS = 400;
const KEPT_WITH_PREVIEWS = 8;
const RAIL_LENGTH = 24;

export const jobs = new Map();

export const hasEnded = (job) => job.state in LAST;

/** The job of that id, made as one that waits where it is not known. */
export function jobOf(id, request) {
  if (!jobs.has(id)) {
    jobs.set(id, {
      id, request: request ?? null, state: "waiting", position: null, eta: null, phase: "", step: 0, total: 0,
      image: 0, pace: null, previews: [], latest: [], reached: [], pictures: [], error: null, loading: null, seen: 0,
      order: jobs.size ? Math.max(...[...jobs.values()].map((job) => job.order)) + 1 : 0,
    });
  }
  const job = jobs.get(id);
  if (request) job.request = request;
  return job;
}

/** Of a job that this version of the program cannot read: when it was made; else nothing. */
export const madeWhen = (job) => (job.error?.kind === "job_unreadable" && job.created
  ? t("job_made", { date: new Date(job.created * 1000).toLocaleString(language, { dateStyle: "long", timeStyle: "short" }) }) : "");

/** What a job is called: by its prompt, or else its task; one that cannot be read by what is known of it. */
export function titleOf(job) {
  const made = madeWhen(job);
  return made ? `${job.error.message} ${made}` : job.request?.prompt || t(job.request?.task ?? "picture");
}

/** The step that a job's pictures are of: the last, unless one on the way was to be kept. */
export const lastStep = (job) => job.request?.stop_after ?? job.total;

const forgotten = new Set(); // what was taken back while it was on its way: its events show nothing

/** From now on the page knows nothing of this job. */
export function forgetJob(id) {
  forgotten.add(id);
  jobs.delete(id);
}

/** One event of a job; `id` counts from 1, an event that was seen before changes nothing. */
export function happen(jobId, id, name, data) {
  if (forgotten.has(jobId)) return;
  const job = jobOf(jobId);
  if (id && id <= job.seen) return;
  if (id) job.seen = id;
  if (name in LAST) settle(job, name, data);
  else if (name === "queued") Object.assign(job, { state: "waiting", position: data.position, eta: data.eta_seconds });
  else if (name === "started") Object.assign(job, { state: "running", position: null, loading: null });
  else if (name === "loading") Object.assign(job, { state: "running", loading: data.fraction });
  else if (name === "step") takeStep(job, data);
  tellSoon(job);
}

let told = null; // jobs with news, once within a frame: hundreds of events a second are drawn once, and none where nobody looks

function tellSoon(job) {
  if (hasEnded(job)) return tell([job]);
  if (told) return void told.add(job);
  told = new Set([job]);
  requestAnimationFrame(() => {
    const news = told;
    told = null;
    tell(news);
  });
}

function tell(news) {
  for (const job of news) emit("job", job);
  emit("jobs");
}

export function takeStep(job, data) {
  Object.assign(job, { state: "running", loading: null, phase: data.phase, image: data.image });
  if (MAIN_PHASES.includes(data.phase)) {
    Object.assign(job, { step: data.index, total: data.total });
    job.reached[data.image] = data.index;
    job.loss = data.loss ?? null;
    if (data.seconds) job.pace = job.pace === null ? data.seconds : job.pace * 0.7 + data.seconds * 0.3;
  }
  if (!data.preview) return;
  job.previews.push({ image: data.image, step: job.step, src: data.preview });
  if (job.previews.length > KEPT_PREVIEWS) job.previews = job.previews.filter((_, i) => i % 2 === 0);
  job.latest[data.image] = data.preview;
}

function settle(job, name, data) {
  Object.assign(job, { state: LAST[name], position: null, loading: null, pace: null });
  if (name === "finished") {
    job.pictures = ranked(data.images);
    job.step = lastStep(job);
    job.seconds = data.seconds;
    if (data.seconds && job.request) learnPace(job.request, data.seconds);
  }
  if (name === "failed") job.error = data;
  const old = [...jobs.values()].filter(hasEnded).sort((a, b) => b.order - a.order);
  for (const one of old.slice(KEPT_WITH_PREVIEWS)) one.previews = [];
}

export const active = () => [...jobs.values()].filter((job) => !hasEnded(job));
export const running = () => active().find((job) => job.state === "running");

/** Running first, then what waits in its order, then what ended, newest first. */
export function jobsInOrder() {
  const rank = { running: 0, waiting: 1 };
  return [...jobs.values()]
    .filter((job) => !job.isRefused && !job.gone && (job.state !== "cancelled" || job.latest.length))
    .filter((job) => job.state !== "finished" || job.pictures.length)
    .sort((a, b) => (rank[a.state] ?? 2) - (rank[b.state] ?? 2) || (a.state === "waiting" ? a.order - b.order : b.order - a.order))
    .slice(0, RAIL_LENGTH);
}

/** A small picture of the job, or "". */
export const thumbOf = (job) => (job.pictures[0] ? `${job.pictures[0].url}?size=256` : (job.latest.findLast?.(Boolean) ?? ""));
