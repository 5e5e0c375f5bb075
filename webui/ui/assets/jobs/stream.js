// Our event stream: one connection a page, opened again when the line is back. It is closed while the tab is hidden, but
// for as long as a sound is to say that a job has ended.

import { ApiError, api, callHeaders } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { alarm } from "../core/timing.js";
import { active, happen, hasEnded, jobOf, jobs, takeStep } from "./jobs.js";
import { ranked } from "./pictures.js";
import { isSoundWanted } from "./sound.js";

const FIRST_WAIT = 500; // ms; doubled each time
const LONGEST_WAIT = 8000;
const NOTICED = 1200; // ms without a connection, after which the page says so
const SILENT = 40_000; // ms; the server says something every 15 seconds, so that after so long the line is dead
const QUIET = 1000; // ms after which a running job has told all that was kept of it
const LONGEST_QUIET = 3000;

/** Reads frames of server-sent events from `path` until it ends or `signal` aborts; calls `take(id, name, data)`, and
 * `hear` whenever anything comes at all. */
export async function readEvents(path, signal, take, hear = () => {}) {
  const answer = await fetch(path, { signal, headers: { ...callHeaders(), Accept: "text/event-stream" } });
  if (!answer.ok) throw new ApiError(answer.status);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    hear();
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const { id, event, data } = frameOf(frame);
      if (data) take(id, event, JSON.parse(data)); // else a comment that keeps the line open
    }
  }
}

function frameOf(frame) {
  const found = { id: "", event: "message", data: "" };
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) found[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return found;
}

const connection = { abort: null, isUp: false, isLost: false, wait: FIRST_WAIT };
const again = alarm(listen);
const silent = alarm(() => { hangUp(); listen(); }); // a laptop that slept has a line that nobody closed
const noticed = alarm(() => { if (!connection.isUp && !document.hidden) setLost(true); });

export const isLost = () => connection.isLost;

/** Whether anybody looks, or listens for the end of a job. */
const isWanted = () => !document.hidden || isSoundWanted() && active().length > 0;

async function listen() {
  if (connection.abort || !isWanted()) return;
  const abort = (connection.abort = new AbortController());
  try {
    await readEvents("/api/stream", abort.signal, (_, name, data) => {
      Object.assign(connection, { wait: FIRST_WAIT, isUp: true });
      setLost(false);
      if (name === "hello") return void catchUp();
      const job = jobs.get(data.job);
      if (job?.held) job.held.push([data.id, data.event ?? name, data]);
      else happen(data.job, data.id, data.event ?? name, data);
    }, () => silent.set(SILENT));
  } catch (error) {
    if (error.status === 401) return void location.reload(); // to the login; what was typed is kept
  }
  if (connection.abort !== abort) return;
  silent.cancel();
  Object.assign(connection, { abort: null, isUp: false });
  if (abort.signal.aborted) return;
  noticed.set(NOTICED);
  again.set(connection.wait * (0.75 + Math.random() / 2)); // not all pages at once
  connection.wait = Math.min(connection.wait * 2, LONGEST_WAIT);
}

function hangUp() {
  const { abort } = connection;
  Object.assign(connection, { abort: null, isUp: false });
  again.cancel();
  silent.cancel();
  abort?.abort();
}

function setLost(isLost) {
  if (connection.isLost === isLost) return;
  connection.isLost = isLost;
  emit("connection", isLost);
}

/** All jobs as they stand, and what running ones showed so far: after a reload, a lost line, a hidden tab. */
async function catchUp() {
  emit("connected");
  const ended = [...jobs.values()].filter(hasEnded);
  let list;
  try {
    list = await api("GET", "/api/jobs");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return; // the line is lost again; the next hello asks again
  }
  for (const job of jobs.values()) job.order += list.length; // those that came after the list was made stay newer
  for (const [index, found] of [...list].reverse().entries()) takeListed(found, index);
  const here = new Set(list.map((found) => found.id));
  for (const job of ended) if (!here.has(job.id)) job.gone = true; // not what came and ended since the list was asked for
  emit("caught-up");
  emit("jobs");
  for (const job of jobs.values()) if (!hasEnded(job) && !job.isUnsent) recount(job);
}

/** An end that nobody told, the line being down, is told now. */
function takeListed(found, index) {
  const before = jobs.get(found.id);
  const isNews = before && !hasEnded(before) && hasEnded(found);
  const job = jobOf(found.id, found.request);
  Object.assign(job, { order: index, canBranch: found.can_branch });
  if (hasEnded(found)) {
    const pictures = ranked(found.images ?? []);
    const gone = found.state === "finished" && !pictures.length; // deleted, all of them
    Object.assign(job, { state: found.state, pictures, gone, error: found.error, created: found.created });
  } else if (job.state === "waiting") job.state = found.state;
  if (isNews) emit("job", job);
}

/** The events of one job from its start, those of the page's stream held back meanwhile; ends after a quiet second. */
async function recount(job) {
  if (job.held) return;
  job.held = [];
  const abort = new AbortController();
  const quiet = alarm(() => abort.abort());
  quiet.set(LONGEST_QUIET);
  try {
    await readEvents(`/api/jobs/${job.id}/events`, abort.signal, (id, name, data) => {
      quiet.set(QUIET);
      happen(job.id, Number(id), name, data);
    });
  } catch {
    // Without its past the job has a strip that begins now; how it goes on, the page's stream tells.
  }
  quiet.cancel();
  const { held } = job;
  job.held = null;
  for (const event of held) happen(job.id, ...event);
}

/** Steps and previews of a job that had ended before the page came, as far as they are kept. Its state stays. */
export async function recall(job) {
  if (job.isRecalled || job.total || job.isRefused) return;
  job.isRecalled = true;
  const past = { pace: null, step: 0, total: 0, previews: [], latest: [], reached: [] };
  try {
    await readEvents(`/api/jobs/${job.id}/events`, undefined, (_, name, data) => { if (name === "step") takeStep(past, data); });
  } catch {
    job.isRecalled = false; // the line broke off: the next look at the job asks again
    return;
  }
  Object.assign(job, { step: past.step, total: past.total, previews: past.previews, reached: past.reached });
  emit("jobs");
}

export function followLine() {
  const adapt = () => (isWanted() ? listen() : hangUp());
  document.addEventListener("visibilitychange", adapt);
  on("accepted", () => listen()); // also of a prompt that has waited for its model in a hidden tab
  on("jobs", () => { if (!isWanted()) hangUp(); });
  window.addEventListener("online", () => { connection.wait = FIRST_WAIT; listen(); });
  window.addEventListener("pagehide", hangUp);
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) listen(); }); // out of the browser's own cache
  listen();
}
