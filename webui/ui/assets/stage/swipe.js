// Through the last pictures on the stage: by a finger, or by the arrow keys.

import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { pause } from "../core/timing.js";
import { jobsInOrder } from "../jobs/jobs.js";
import { inGrid, shapeOf } from "../jobs/pictures.js";
import { choose, jobToShow, sourcesOf, view } from "../jobs/view.js";
import { fitFrame } from "../parts/fade.js";
import { swipeable } from "../parts/swipe.js";
import { altOf, enlargePicture } from "./pictures.js";
import { draw, stage } from "./state.js";

const SWIPE_SECONDS = 0.18;

/** Jobs that can be looked at, in the order of the thumbnails. */
const jobsToSee = () => jobsInOrder().filter((job) => job === view.shown || sourcesOf(job).some(Boolean));

/** What lies `by` steps on: another picture of the job whose picture is enlarged, else another job. */
function neighbour(by) {
  const job = view.shown;
  if (!job) return null;
  const index = view.enlarged === null ? -1 : view.enlarged + by;
  const isBeside = index >= inGrid(job) === view.enlarged >= inGrid(job); // nobody slips into the fold
  if (index >= 0 && sourcesOf(job)[index] && isBeside) return { job, enlarged: index };
  const list = jobsToSee();
  const next = list[list.indexOf(job) + by];
  return next ? { job: next, enlarged: null } : null;
}

/** Shows what lies `by` steps on. Back at the newest, the stage follows what runs again. */
function turn(by) {
  const next = neighbour(by);
  if (!next) return;
  const hadFocus = stage.parts.pictures.contains(document.activeElement);
  choose(next.job.id);
  if (next.enlarged === null) {
    view.chosen = null;
    if (jobToShow() !== next.job) view.chosen = next.job.id;
  }
  if (next.enlarged === null) draw();
  else enlargePicture(next.enlarged);
  if (hadFocus) stage.node.focus();
  const list = jobsToSee();
  stage.parts.said.textContent = t("picture_at", {
    n: list.indexOf(next.job) + 1, count: list.length, prompt: altOf(next.job, next.enlarged ?? 0),
  });
}

/** The neighbour, beside the stage while a finger pulls it in. */
const peek = { node: null, key: "" };

function drawPeek(by) {
  const next = neighbour(by);
  const key = next ? `${next.job.id}/${next.enlarged}` : "";
  if (peek.node && peek.key === key) return;
  dropPeek();
  if (!next) return;
  const all = sourcesOf(next.job);
  const sources = next.enlarged === null ? all.slice(0, inGrid(next.job) || undefined) : [all[next.enlarged]];
  const frames = sources.filter(Boolean).map((source) => {
    const image = el("img", { src: source, alt: "", onload: () => fitFrame(image, image) });
    return el("div", { class: "frame" }, image);
  });
  peek.node = el("div", { class: "stage-pictures stage-peek", "aria-hidden": "true", data: { count: frames.length } }, ...frames);
  peek.node.style.setProperty("--shape", shapeOf(next.job));
  peek.key = key;
  stage.node.append(peek.node);
}

function dropPeek() {
  peek.node?.remove();
  peek.node = null;
}

function slide(dx, isAnimated = false) {
  const time = isAnimated && !matchMedia("(prefers-reduced-motion: reduce)").matches ? SWIPE_SECONDS : 0;
  const { pictures } = stage.parts;
  const at = dx + Math.sign(dx || peek.from || 0) * -stage.node.clientWidth;
  for (const [node, x] of [[pictures, dx], [peek.node, at]]) {
    if (!node) continue;
    node.style.transition = time ? `transform ${time}s ease-out` : "none";
    node.style.transform = x ? `translateX(${x}px)` : "";
  }
  return time * 1000;
}

/** The picture that was pulled in stands for the new one until that is decoded. */
async function handOver() {
  peek.isTurning = true;
  const isReady = () => [...stage.parts.pictures.querySelectorAll("img")].every((image) => image.complete && image.naturalWidth);
  for (let i = 0; i < 20 && !isReady(); i++) await pause(50);
  dropPeek();
  peek.isTurning = false;
}

export function mountSwipe() {
  swipeable(stage.node, {
    isThere: (by) => !peek.isTurning && neighbour(by) !== null,
    follow: (dx, isBack = false) => {
      if (peek.isTurning) return;
      if (isBack) return void pause(slide(0, true)).then(dropPeek);
      peek.from = dx;
      drawPeek(dx < 0 ? 1 : -1);
      slide(dx);
    },
    go: async (by) => {
      peek.isTurning = true;
      await pause(slide(-by * stage.node.clientWidth, true));
      turn(by);
      stage.parts.pictures.style.transform = stage.parts.pictures.style.transition = "";
      handOver();
    },
  });
  stage.node.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isOurs = event.target === stage.node || stage.parts.pictures.contains(event.target);
    if (!by || !isOurs || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    turn(by);
  });
}
