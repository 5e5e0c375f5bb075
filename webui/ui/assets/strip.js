// The strip under the stage: one tick a step, the previews seen under the pointer, and how far it is in words.

const strip = { track: null, fill: null, text: null, pinned: null };

function mountStrip(box) {
  strip.track = el("div", {
    class: "track", role: "slider", tabindex: "0", "aria-label": t("strip"), "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0",
  }, (strip.fill = el("div", { class: "track-fill" })), (strip.mark = el("div", { class: "track-mark", hidden: true })));
  strip.text = el("p", { class: "progress" });
  fill(box, strip.track, strip.text);
  const stepAt = (event) => {
    const { left, width } = strip.track.getBoundingClientRect();
    return Math.min(strip.done || strip.total, Math.max(1, Math.ceil(((event.clientX - left) / width) * strip.total)));
  };
  strip.track.addEventListener("pointermove", (event) => scrub(stepAt(event)));
  strip.track.addEventListener("pointerleave", () => (strip.pinned ? scrub(strip.pinned) : endScrub()));
  strip.track.addEventListener("click", (event) => pin(stepAt(event)));
  strip.track.addEventListener("pointerup", (event) => { if (event.pointerType !== "mouse") pin(stepAt(event)); }); // a finger that slid clicks nothing
  strip.track.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return unpin();
    const at = stage.scrub?.step ?? strip.done;
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 1, End: strip.done }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // on the stage the arrows lead to other jobs
    pin(Math.min(strip.done || strip.total, Math.max(1, to)));
  });
}

/** The step stays in sight until another one does, or the person goes back to the picture. */
function pin(step) {
  strip.pinned = step;
  scrub(step);
  if (!stage.scrub) strip.pinned = null; // at the end there is the picture itself
  emit("drawn", stage.shown);
}

function unpin() {
  const hadFocus = strip.track.closest(".dr-main").contains(document.activeElement);
  strip.pinned = null;
  endScrub();
  emit("drawn", stage.shown);
  if (hadFocus) strip.track.focus();
}

/** Shows the newest preview at or before `step`, of each of the job's pictures. An old job has lost its previews: then
 * its pictures stay, faint, for a step that a click asks for. */
function scrub(step) {
  const job = stage.shown;
  if (!strip.total || (!job.previews.length && strip.pinned === null)) return;
  const sources = [];
  for (const preview of job.previews) if (preview.step <= step || sources[preview.image] === undefined) sources[preview.image] = preview.src;
  if (step >= lastStep(job) && job.pictures.length) return endScrub();
  if (job.pictures.length) sources.splice(0, Infinity, ...job.pictures.map((picture) => sources[picture.index] ?? picture.url)); // as they lie there
  const isBlind = !job.previews.some((preview) => preview.step <= step);
  stage.scrub = { job: job.id, step, sources, isBlind, isPinned: strip.pinned !== null };
  strip.mark.hidden = false;
  strip.mark.style.left = `${(Math.min(step, strip.total) / strip.total) * 100}%`;
  drawPictures(job);
  drawProgress(job);
}

function endScrub() {
  if (!stage.scrub) return;
  stage.scrub = null;
  strip.mark.hidden = true;
  drawPictures(stage.shown);
  drawProgress(stage.shown);
}

on("drawn", (job) => {
  if (!strip.track) return;
  if (!stage.scrub) strip.pinned = null;
  if (strip.mark.hidden === Boolean(stage.scrub)) strip.mark.hidden = !stage.scrub;
  strip.mark.dataset.pinned = strip.pinned ? "yes" : "";
  strip.total = job?.total ?? 0;
  strip.done = job?.step ?? 0;
  const { style, dataset } = strip.track;
  style.setProperty("--total", Math.max(1, strip.total));
  style.setProperty("--done", strip.total ? strip.done / strip.total : 0);
  dataset.fine = strip.total > 120 ? "yes" : "";
  dataset.state = job?.state ?? "empty";
  dataset.scrubs = job?.previews.length ? "yes" : "";
  strip.track.setAttribute("aria-valuemax", strip.total);
  strip.track.setAttribute("aria-valuenow", stage.scrub?.step ?? strip.done);
  strip.track.title = job?.previews.length ? t("strip_hint") : "";
  drawProgress(job);
});

function drawProgress(job) {
  const text = progressText(job);
  if (strip.text.textContent !== text) strip.text.textContent = text;
}

function progressText(job) {
  if (!job || job.isRefused) return "";
  if (stage.scrub) return t("scrubbed", { step: Math.min(stage.scrub.step, strip.total), total: strip.total });
  if (job.state === "finished") {
    if (!job.seconds) return "";
    return t("done_in", { time: seconds(job.seconds) });
  }
  if (job.state === "cancelled") return job.total ? t("stopped_at", { step: job.step, total: job.total }) : t("was_stopped");
  if (job.state !== "running" || !job.total) return "";
  const count = requestImages(job.request);
  const parts = [`${job.step}/${job.total}`];
  if (count > 1) parts.push(t("image_of", { n: job.image + 1, count }));
  if (!MAIN_PHASES.includes(job.phase)) parts.push(t(`phase_${job.phase}`));
  else if (job.pace) {
    parts.push(t("a_step", { time: seconds(job.pace) }));
    if (job.loss) parts.push(t("loss_value", { loss: job.loss.toPrecision(3) }));
    const rest = (job.total - job.step + job.total * Math.max(0, count - 1 - job.image)) * job.pace;
    if (rest > 0.5) parts.push(t("left", { time: about(rest) }));
  }
  return parts.join(" · ");
}
