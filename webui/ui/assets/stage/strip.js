// The strip under the stage: one tick a step, the previews seen under the pointer, and how far it is in words.

import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { lastStep } from "../jobs/jobs.js";
import { progressText } from "../jobs/state_text.js";
import { view } from "../jobs/view.js";
import { helpMark } from "../parts/help_mark.js";
import { drawPictures } from "./pictures.js";

const strip = { track: null, fill: null, text: null, pinned: null };

export function mountStrip(box) {
  strip.track = el("div", {
    class: "track", role: "slider", tabindex: "0", "aria-label": t("strip"), "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0",
  }, (strip.fill = el("div", { class: "track-fill" })), (strip.mark = el("div", { class: "track-mark", hidden: true })));
  strip.text = el("p", { class: "progress" });
  fill(box, strip.track, strip.text, helpMark("parts", "strip"));
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
    const at = view.scrub?.step ?? strip.done;
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
  if (!view.scrub) strip.pinned = null; // at the end there is the picture itself
  emit("drawn", view.shown);
}

export function unpin() {
  const hadFocus = strip.track.closest(".dr-main").contains(document.activeElement);
  strip.pinned = null;
  endScrub();
  emit("drawn", view.shown);
  if (hadFocus) strip.track.focus();
}

/** Shows the newest preview at or before `step`, of each of the job's pictures. An old job has lost its previews: then
 * its pictures stay, faint, for a step that a click asks for. */
function scrub(step) {
  const job = view.shown;
  if (!strip.total || (!job.previews.length && strip.pinned === null)) return;
  const sources = [];
  for (const preview of job.previews) if (preview.step <= step || sources[preview.image] === undefined) sources[preview.image] = preview.src;
  if (step >= lastStep(job) && job.pictures.length) return endScrub();
  if (job.pictures.length) sources.splice(0, Infinity, ...job.pictures.map((picture) => sources[picture.image] ?? picture.url)); // as they lie there
  const isBlind = !job.previews.some((preview) => preview.step <= step);
  view.scrub = { job: job.id, step, sources, isBlind, isPinned: strip.pinned !== null };
  strip.mark.hidden = false;
  strip.mark.style.left = `${(Math.min(step, strip.total) / strip.total) * 100}%`;
  drawPictures(job);
  drawProgress(job);
}

function endScrub() {
  if (!view.scrub) return;
  view.scrub = null;
  strip.mark.hidden = true;
  drawPictures(view.shown);
  drawProgress(view.shown);
}

on("drawn", (job) => {
  if (!strip.track) return;
  if (!view.scrub) strip.pinned = null;
  if (strip.mark.hidden === Boolean(view.scrub)) strip.mark.hidden = !view.scrub;
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
  strip.track.setAttribute("aria-valuenow", view.scrub?.step ?? strip.done);
  strip.track.title = job?.previews.length ? t("strip_hint") : "";
  drawProgress(job);
});

function drawProgress(job) {
  const text = progressText(job);
  if (strip.text.textContent !== text) strip.text.textContent = text;
}
