// The stage: one job (or a picture of the gallery), its previews cross-faded, its errors in words. It follows the job
// that runs, unless the person looks at another one.

const stage = { node: null, parts: {}, shown: null, chosen: null, pending: null, enlarged: null };

darkroom.mountStage = (element, props, watch, trigger, applyEvent) => {
  darkroom.trigger = (name) => trigger(name === "apply" ? applyEvent : name);
  const find = (selector) => element.querySelector(selector);
  stage.node = find("#stage");
  stage.node.setAttribute("aria-label", t("stage"));
  stage.parts = {
    pictures: find(".stage-pictures"), empty: find(".stage-empty"), note: find(".stage-note"),
    error: find(".stage-error"), offline: find(".stage-offline"), rest: find(".stage-rest"), said: find(".stage-said"),
  };
  stage.parts.offline.textContent = t("connection_lost");
  stage.parts.rest.addEventListener("pointerdown", (event) => event.stopPropagation()); // a finger scrolls it, the stage stays
  mountStrip(find(".strip"));
  mountActions(find(".actions"));
  mountRail(find(".rail"));
  mountSwipe();
  watch("value", () => takeReceipt(props.value));
  listen();
  draw();
};

/** What Generate answered, as Gradio hands it over: a job that now waits, or why there is none. */
function takeReceipt(receipt) {
  stage.pending = null;
  if (!receipt) return draw();
  if (receipt.error) {
    const job = jobOf(`refused-${receipt.id}`, receipt.request);
    Object.assign(job, { state: "failed", error: receipt.error, isRefused: true });
    stage.chosen = job.id;
    return draw();
  }
  const job = jobOf(receipt.job, receipt.request);
  stage.chosen = null;
  stage.latest = job.id;
  emit("job", job);
  emit("jobs");
}

const PATIENCE = 15000; // ms; the server only writes the job down, so that this long means it is not there

on("submitting", () => {
  const pending = (stage.pending = performance.now());
  stage.chosen = null;
  draw();
  setTimeout(() => {
    if (stage.pending === pending) takeReceipt({ id: pending, error: { kind: "offline", message: t("error_no_answer") } });
  }, PATIENCE);
});

// A submit that is answered with an error, not with a receipt: the login has run out, or the server has a bug.
const fetchAsEver = window.fetch;
window.fetch = async (...request) => {
  const answer = await fetchAsEver(...request);
  if (!answer.ok && String(request[0]?.url ?? request[0]).includes("/gradio_api/run/predict")) submitFailed(answer.status);
  return answer;
};

function submitFailed(status) {
  if (status === 401) return location.reload(); // to the login form; what was typed is kept
  if (stage.pending) takeReceipt({ id: stage.pending, error: { kind: "internal", message: t("error_refused") } });
}

/** Which job the stage shows: the chosen one, the running one, the newest that waits, the newest that ended. */
function jobToShow() {
  if (stage.chosen && jobs.has(stage.chosen)) return jobs.get(stage.chosen);
  const now = running();
  if (now) return now;
  const newest = (list) => list.sort((a, b) => b.order - a.order)[0];
  return newest(active()) ?? newest([...jobs.values()].filter((job) => !job.isRefused && !job.gone)) ?? null;
}

function choose(id) {
  stage.chosen = id;
  stage.enlarged = null;
  if (jobs.get(id)?.state in LAST) recall(jobs.get(id));
  draw();
}

on("jobs", () => draw());
on("caught-up", () => {
  const job = jobToShow();
  if (job && job.state in LAST) recall(job);
  draw();
});
on("checkpoints", () => draw());
on("values", () => draw());
on("connection", (isLost) => { stage.parts.offline.hidden = !isLost; });

function draw() {
  if (!stage.node) return;
  const job = jobToShow();
  const isNew = stage.shown?.id !== job?.id;
  stage.shown = job;
  if (isNew) { stage.enlarged = null; stage.scrub = null; }
  const isPending = stage.pending !== null && !running();
  const { dataset } = stage.node;
  dataset.job = job && !isPending ? (job.isRefused ? "" : job.id) : "";
  dataset.state = isPending ? "waiting" : (job?.state ?? "empty");
  dataset.step = job && !isPending ? job.step : 0;
  dataset.total = job && !isPending ? job.total : 0;
  stage.node.setAttribute("aria-busy", String(["waiting", "running"].includes(dataset.state)));
  drawPictures(isPending ? null : job);
  drawRest(isPending ? null : job);
  drawNote(isPending ? null : job, isPending);
  drawError(isPending ? null : job);
  if (!job && !isPending) drawEmpty();
  else fill(stage.parts.empty);
  const isBusy = active().length > 0;
  byId("stop")?.toggleAttribute("disabled", !isBusy);
  emit("drawn", isPending ? null : job);
}

/** The sources to show, one for each picture of the job: the finished ones, else its newest previews. */
function sourcesOf(job) {
  if (!job) return [];
  if (stage.scrub !== null && stage.scrub !== undefined && stage.scrub.job === job.id) return stage.scrub.sources;
  if (job.pictures.length) return job.pictures.map((picture) => picture.url);
  return job.latest;
}

function drawPictures(job) {
  const box = stage.parts.pictures;
  const sources = [...sourcesOf(job)];
  if (job && !job.pictures.length && sources.length) sources.length = Math.max(sources.length, requestImages(job.request));
  const count = job?.pictures.length ? Math.min(inGrid(job), sources.length) : sources.length;
  box.dataset.count = stage.enlarged === null ? count : 1;
  box.dataset.dim = job && (stage.scrub ? stage.scrub.isBlind : ["failed", "cancelled"].includes(job.state)) ? "yes" : "";
  const wanted = [];
  Array.from(sources, (source, index) => {
    if (!source || (stage.enlarged === null ? index >= count : stage.enlarged !== index)) return;
    const picture = job.pictures[index];
    const key = `${job.id}/${hasScore(picture) ? picture.id : index}`; // those that were judged change places
    let frame = [...box.children].find((child) => child.dataset.key === key);
    frame ??= pictureFrame(key, index, job);
    dressFrame(frame, count > 1 || stage.enlarged !== null, index, picture);
    showIn(frame, source);
    drawScore(frame, picture);
    wanted.push(frame);
  });
  if (wanted.length !== box.children.length || wanted.some((child, i) => box.children[i] !== child)) fill(box, ...wanted);
}

function pictureFrame(key, index, job) {
  const image = el("img", { alt: altOf(job, index), draggable: "true", decoding: "async", hidden: true }); // until its proportions are known
  const enlarge = () => {
    if (frame.getAttribute("role") !== "button") return;
    stage.enlarged = stage.enlarged === null ? Number(frame.dataset.index) : null;
    draw();
  };
  const frame = el("div", { class: "frame", data: { key }, onclick: enlarge, onkeydown: (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    enlarge();
  } }, image);
  return frame;
}

/** One of several pictures is a button that enlarges it; a single one only is there. */
function dressFrame(frame, isOneOfSeveral, index, picture) {
  frame.dataset.index = index;
  const name = t("picture_n", { n: index + 1 }) + (hasScore(picture) ? `, ${t("score")}: ${scoreText(picture)}` : "");
  const attributes = { role: "button", tabindex: "0", "aria-label": name, "aria-pressed": String(stage.enlarged !== null) };
  for (const [name, value] of Object.entries(attributes)) {
    if (!isOneOfSeveral) frame.removeAttribute(name);
    else if (frame.getAttribute(name) !== value) frame.setAttribute(name, value);
  }
}

const altOf = (job, index) => titleOf(job) + (index ? ` (${index + 1})` : "");

/** Cross-fade with a single img: the last picture stays behind it as a background while the new one fades in. */
function showIn(frame, source) {
  const image = frame.firstElementChild;
  if (image.dataset.source === source) return;
  const before = image.dataset.source;
  image.dataset.source = source;
  const next = new Image();
  next.decoding = "async";
  next.src = source;
  const swap = () => {
    if (image.dataset.source !== source) return;
    if (before) {
      image.style.backgroundImage = `url("${image.src}")`;
      image.getAnimations().forEach((animation) => animation.cancel());
    }
    image.src = source;
    fitFrame(image, next);
    image.hidden = false;
  };
  next.decode().then(swap, swap);
}

/** The img takes the whole stage and contains its picture; small pictures are shown larger, never smaller than meant. */
function fitFrame(image, loaded) {
  const ratio = `${loaded.naturalWidth || 1} / ${loaded.naturalHeight || 1}`;
  for (const part of [image.parentElement, image]) part?.style.setProperty("--ratio", ratio);
  image.dataset.small = loaded.naturalWidth < 400 ? "yes" : "";
}

function drawNote(job, isPending) {
  const box = stage.parts.note;
  const text = isPending ? t("sending") : noteFor(job);
  box.hidden = !text;
  if (box.textContent !== text) box.textContent = text;
}

/** What the stage says while there is no picture to look at yet. */
function noteFor(job) {
  if (!job || job.state in LAST) return job?.state === "cancelled" && !sourcesOf(job).length ? t("was_stopped") : "";
  if (job.state === "running") {
    if (job.loading !== null && job.loading < 1) return t("loading_checkpoint", { percent: Math.round(job.loading * 100) });
    return sourcesOf(job).length ? "" : t("developing");
  }
  if (worker.problem) return worker.problem;
  if (worker.state === "starting" || worker.state === "restarting") {
    return worker.eta ? t("ready_in", { time: about(worker.eta) }) : t("ready_soon");
  }
  if (job.eta) return t("starts_in", { position: job.position ?? 1, time: about(job.eta) });
  return job.position > 1 ? t("waiting_at", { position: job.position }) : t("waiting_next");
}

function drawEmpty() {
  const box = stage.parts.empty;
  const tiles = given.examples[values.checkpoint] ?? [];
  const shown = (tiles.length ? tiles : given.surprises).slice(0, 6);
  const key = `${values.checkpoint}/${shown.length}`;
  if (box.dataset.key === key && box.childElementCount) return;
  box.dataset.key = key;
  fill(
    box,
    el("h2", { text: t("empty_title") }),
    el("p", { text: t("empty_text") }),
    el("div", { class: "tiles" }, ...shown.map(exampleTile)),
  );
}

function exampleTile(example) {
  const prompt = language === "zh-CN" ? example.prompt_zh || example.prompt : example.prompt;
  const tile = el("button", { type: "button", class: "tile" }, el("span", { class: "tile-text", text: prompt }));
  if (example.url) tile.style.backgroundImage = `url("${example.url}")`;
  tile.dataset.picture = example.url ? "yes" : "";
  tile.addEventListener("click", () => {
    byId("tab_text_to_image-button")?.click();
    setControls({ prompt, looks: [], seed: example.seed ?? null });
    setTimeout(generate, 80);
  });
  return tile;
}
