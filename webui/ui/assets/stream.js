// The person's jobs, as our event stream tells of them: one connection a page, closed while the tab is hidden.
// `jobs` is what the page knows; every change is told on the bus as "jobs" (some job) and "job" (this one).

const jobs = new Map();
const LAST = { finished: "finished", failed: "failed", cancelled: "cancelled" };
const MAIN_PHASES = ["denoise", "optimise"]; // those whose steps the strip counts
const KEPT_PREVIEWS = 400;
const KEPT_WITH_PREVIEWS = 8;

function jobOf(id, request) {
  if (!jobs.has(id)) {
    jobs.set(id, {
      id, request: request ?? null, state: "waiting", position: null, eta: null, phase: "", step: 0, total: 0,
      image: 0, pace: null, previews: [], latest: [], reached: [], pictures: [], error: null, loading: null, seen: 0,
      since: performance.now(), order: jobs.size ? Math.max(...[...jobs.values()].map((j) => j.order)) + 1 : 0,
    });
  }
  const job = jobs.get(id);
  if (request) job.request = request;
  return job;
}

/** Of a job that this version of the program cannot read: when it was made; else nothing. */
const madeWhen = (job) => (job.error?.kind === "job_unreadable" && job.created
  ? t("job_made", { date: new Date(job.created * 1000).toLocaleString(language, { dateStyle: "long", timeStyle: "short" }) }) : "");

/** What a job is called: by its prompt, or else its task; one that cannot be read by what is known of it. */
function titleOf(job) {
  const made = madeWhen(job);
  return made ? `${job.error.message} ${made}` : job.request?.prompt || t(job.request?.task ?? "picture");
}

/** The step that a job's pictures are of: the last, unless one on the way was to be kept. */
const lastStep = (job) => job.request?.stop_after ?? job.total;

/** How many pictures a request makes. */
const requestImages = (request) => (Number.isInteger(request?.only_image) ? 1 : request?.num_images ?? 1);

/** One event of a job; `id` counts from 1, an event that was seen before changes nothing. */
function happen(jobId, id, name, data) {
  const job = jobOf(jobId);
  if (id && id <= job.seen) return;
  if (id) job.seen = id;
  if (name in LAST) settle(job, name, data);
  else if (name === "queued") Object.assign(job, { state: "waiting", position: data.position, eta: data.eta_seconds });
  else if (name === "started") Object.assign(job, { state: "running", position: null, loading: null, started: performance.now() });
  else if (name === "loading") Object.assign(job, { state: "running", loading: data.fraction });
  else if (name === "step") takeStep(job, data);
  emit("job", job);
  emit("jobs");
}

function takeStep(job, data) {
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
  }
  if (name === "failed") job.error = data;
  const old = [...jobs.values()].filter((j) => j.state in LAST).sort((a, b) => b.order - a.order);
  for (const one of old.slice(KEPT_WITH_PREVIEWS)) one.previews = [];
}

/** Reads frames of server-sent events from `path` until it ends or `signal` aborts; calls `take(id, name, data)`. */
async function readEvents(path, signal, take) {
  const answer = await fetch(path, { signal, headers: { Accept: "text/event-stream", "Accept-Language": language } });
  if (!answer.ok) throw new ApiError(answer.status);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const fields = { id: "", event: "message", data: "" };
      for (const line of frame.split("\n")) {
        const colon = line.indexOf(": ");
        if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
      }
      if (fields.data) take(fields.id, fields.event, JSON.parse(fields.data)); // else a comment that keeps the line open
    }
  }
}

const connection = { abort: null, isUp: false, isLost: false, wait: 500 };

async function listen() {
  if (connection.abort || document.hidden) return;
  const abort = (connection.abort = new AbortController());
  try {
    await readEvents("/api/stream", abort.signal, (_, name, data) => {
      Object.assign(connection, { wait: 500, isUp: true });
      setLost(false);
      if (name === "hello") return catchUp();
      const job = jobOf(data.job);
      if (job.held) job.held.push([data.id, data.event ?? name, data]);
      else happen(data.job, data.id, data.event ?? name, data);
    });
  } catch (error) {
    if (error.status === 401) return void location.reload();
  }
  if (connection.abort !== abort) return;
  Object.assign(connection, { abort: null, isUp: false });
  if (abort.signal.aborted) return;
  setTimeout(() => { if (!connection.isUp && !document.hidden) setLost(true); }, 1200);
  setTimeout(listen, connection.wait);
  connection.wait = Math.min(connection.wait * 2, 8000);
}

function hangUp() {
  const { abort } = connection;
  connection.abort = null;
  abort?.abort();
}

function setLost(isLost) {
  if (connection.isLost === isLost) return;
  connection.isLost = isLost;
  emit("connection", isLost);
}

/** All jobs as they stand, and what running ones showed so far: after a reload, a lost line, a hidden tab. */
async function catchUp() {
  let list;
  try {
    list = await api("GET", "/api/jobs");
  } catch {
    return;
  }
  for (const job of jobs.values()) job.order += list.length; // those that came after the list was made stay newer
  for (const [index, found] of [...list].reverse().entries()) {
    const job = jobOf(found.id, found.request);
    job.order = index;
    job.canBranch = found.can_branch;
    if (found.state in LAST) {
      job.state = found.state;
      job.pictures = ranked(found.images ?? []);
      job.gone = found.state === "finished" && !job.pictures.length; // deleted, all of them
      job.error = found.error;
      job.created = found.created;
    } else if (job.state === "waiting") job.state = found.state;
  }
  const here = new Set(list.map((found) => found.id));
  for (const job of [...jobs.values()]) if (!here.has(job.id) && job.state in LAST) job.gone = true;
  emit("caught-up");
  emit("jobs");
  for (const job of jobs.values()) if (!(job.state in LAST)) recount(job);
}

/** The events of one job from its start, those of the page's stream held back meanwhile; ends after a quiet second. */
async function recount(job) {
  if (job.held) return;
  job.held = [];
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), 3000);
  try {
    await readEvents(`/api/jobs/${job.id}/events`, abort.signal, (id, name, data) => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), 1000);
      happen(job.id, Number(id), name, data);
    });
  } catch (error) {
    if (error.name !== "AbortError") emit("recount-failed", job); // the page's stream tells the rest
  }
  clearTimeout(timer);
  const held = job.held;
  job.held = null;
  for (const event of held) happen(job.id, ...event);
}

/** Steps and previews of a job that had ended before the page came, as far as they are kept. Its state stays. */
async function recall(job) {
  if (job.isRecalled || job.total || job.isRefused) return;
  job.isRecalled = true;
  const past = { pace: null, step: 0, total: 0, previews: [], latest: [], reached: [] };
  try {
    await readEvents(`/api/jobs/${job.id}/events`, undefined, (_, name, data) => { if (name === "step") takeStep(past, data); });
  } catch {
    return emit("recount-failed", job);
  }
  Object.assign(job, { step: past.step, total: past.total, previews: past.previews, reached: past.reached });
  emit("jobs");
}

document.addEventListener("visibilitychange", () => (document.hidden ? hangUp() : listen()));
window.addEventListener("online", listen);
window.addEventListener("pagehide", hangUp);

const active = () => [...jobs.values()].filter((job) => !(job.state in LAST));
const running = () => active().find((job) => job.state === "running");

async function cancelJob(id) {
  try {
    await api("DELETE", `/api/jobs/${id}`);
  } catch (error) {
    note(error.message);
  }
}
darkroom.jobs = jobs;
