// Everything that makes a job goes out here: at once, and again when the line is back, until it is answered. Each
// submission has a key of its own, so that the server makes one job of it however often it comes. What has not been
// answered is kept in the browser, and goes out after a reload, too.

import { ApiError, api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { kept } from "../core/kept.js";
import { sentences } from "../core/language.js";
import { note } from "../core/note.js";
import { pause } from "../core/timing.js";
import { complaintOf } from "../form/request.js";
import { learnPace } from "../form/work.js";
import { forgetJob, jobOf, jobs } from "./jobs.js";

const OUTBOX = "outbox";
const AGAIN = 2000; // ms between two tries while the line is bad
const UNANSWERED = [0, 502, 503, 504]; // no answer of the program's own: a lost line, a proxy in front of a program that starts
const waiting = new Map(); // key → {key, path, body, request}
const sending = new Set();

export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Submits `body` to `path` and shows at once that it is on its way. `request` is what the page shows of it. One that is
 * `isAside` does not take the stage, and its refusal is a note. Of two with one `key` the second is the first again.
 * The job's answer, or null where it was refused or withdrawn; a refusal is shown in the job's place.
 */
export async function submit(path, body, request, { isAside = false, key = newKey() } = {}) {
  const one = { key, path, body, request, isAside };
  waiting.set(one.key, one);
  keepWaiting();
  const job = jobOf(unsentId(one.key), request);
  Object.assign(job, { isUnsent: true });
  if (!isAside) emit("submitting-job", job);
  emit("jobs");
  if (!isAside) emit("submitted", job);
  return send(one);
}

const unsentId = (key) => `unsent-${key}`;

async function send(one) {
  sending.add(one.key);
  try {
    for (;;) {
      if (!waiting.has(one.key)) return null;
      try {
        const answer = await api("POST", one.path, one.body, { headers: { "Idempotency-Key": one.key } });
        return waiting.has(one.key) ? accepted(one, answer) : cancelLate(answer);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 401) return null; // the page goes to the login; this goes out afterwards
        if (!UNANSWERED.includes(error.status) || error.kind !== "offline" && error.kind !== "internal") return refused(one, error);
        jobOf(unsentId(one.key)).isDelayed = true;
        emit("jobs");
        await lineIsBack();
      }
    }
  } finally {
    sending.delete(one.key);
  }
}

/** Until something says that the line is back, or a while has passed. */
async function lineIsBack() {
  let heard;
  await Promise.race([pause(AGAIN), new Promise((resolve) => { backAgain.add(heard = resolve); })]);
  backAgain.delete(heard);
}
const backAgain = new Set();
on("connected", () => {
  for (const resolve of backAgain) resolve();
  backAgain.clear();
});

function accepted(one, answer) {
  done(one);
  const unsent = jobs.get(unsentId(one.key));
  jobs.delete(unsent.id);
  const job = jobOf(answer.id, answer.request ?? one.request);
  if (unsent.order > job.order) job.order = unsent.order;
  if (job.seconds) learnPace(job.request, job.seconds); // a quick one has ended before we hear that it is queued
  emit("accepted", { job, unsent });
  emit("job", job);
  emit("jobs");
  return answer;
}

function refused(one, error) {
  done(one);
  const job = jobOf(unsentId(one.key));
  const { message, field } = complaintOf(error);
  if (one.isAside) {
    jobs.delete(job.id);
    note(sentences([message, error.hint]));
    emit("jobs");
    return null;
  }
  Object.assign(job, { state: "failed", isRefused: true, isUnsent: false, error: { kind: error.kind, message, hint: error.hint, field, log_id: error.log_id } });
  emit("refused", job);
  emit("jobs");
  return null;
}

/** It was withdrawn while it was on its way. */
function cancelLate(answer) {
  forgetJob(answer.id);
  api("DELETE", `/api/jobs/${answer.id}`).catch(reportError);
  return null;
}

function done(one) {
  waiting.delete(one.key);
  keepWaiting();
}

function keepWaiting() {
  kept.set(OUTBOX, [...waiting.values()]);
}

/** Takes back what has not been answered; whether `id` was such a thing. */
export function withdraw(id) {
  const one = [...waiting.values()].find(({ key }) => unsentId(key) === id);
  if (!one) return false;
  done(one);
  jobs.delete(id);
  emit("jobs");
  return true;
}

/** What an earlier visit left unanswered goes out now. */
export function sendWaiting() {
  for (const one of kept.get(OUTBOX, [])) {
    if (waiting.has(one.key)) continue;
    waiting.set(one.key, one);
    Object.assign(jobOf(unsentId(one.key), one.request), { isUnsent: true });
    void send(one);
  }
  emit("jobs");
}
