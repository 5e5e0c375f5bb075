// The pictures on the stage: those of a job side by side, or one of them enlarged; or the one that goes in.

import { fill, setAttribute } from "../core/dom.js";
import { opened } from "../core/history.js";
import { t } from "../core/language.js";
import { form } from "../form/store.js";
import { requestImages } from "../form/work.js";
import { titleOf } from "../jobs/jobs.js";
import { hasScore, inGrid, scoreText, shapeOf } from "../jobs/pictures.js";
import { sourcesOf, view } from "../jobs/view.js";
import { emptyFrame, showIn } from "../parts/fade.js";
import { drawScore } from "../parts/score.js";
import { draw, stage } from "./state.js";

/** What one has just asked for has no picture yet, and neither has what failed at once: the last picture stays, faint. */
function stoodBefore(job) {
  if (!job || sourcesOf(job).some(Boolean) || !stage.before || stage.before.gone) return null;
  return job.isUnsent || job.state === "failed" || job.state === "waiting" ? stage.before : null;
}

/** What goes in is looked at until something comes out. */
export const inputToShow = () => (form.task === "image_to_image" ? view.input : null);

function drawInput(reference) {
  const box = stage.parts.pictures;
  const key = `input/${reference}`;
  Object.assign(box.dataset, { count: 1, dim: "" });
  if (box.firstElementChild?.dataset.key === key && box.childElementCount === 1) return;
  const frame = emptyFrame(key, t("init_image"));
  showIn(frame, `/api/images/${encodeURIComponent(reference)}?size=1024`);
  fill(box, frame);
}

export function drawPictures(job) {
  if (inputToShow()) return drawInput(inputToShow());
  const before = stoodBefore(job);
  const shown = before ?? job;
  const box = stage.parts.pictures;
  const sources = [...sourcesOf(shown)];
  if (shown && !shown.pictures.length && sources.length) sources.length = Math.max(sources.length, requestImages(shown.request));
  const count = shown?.pictures.length ? Math.min(inGrid(shown), sources.length) : sources.length;
  const isAlone = before === null && view.enlarged !== null;
  box.dataset.count = isAlone ? 1 : count;
  box.style.setProperty("--shape", shown ? shapeOf(shown) : 1);
  box.dataset.dim = before || (job && (view.scrub ? view.scrub.isBlind : job.state === "failed")) ? "yes" : "";
  const wanted = [];
  Array.from(sources, (source, index) => {
    if (isAlone ? view.enlarged !== index : index >= count) return;
    const picture = shown.pictures[index];
    const key = `${shown.id}/${hasScore(picture) ? picture.id : index}`; // those that were judged change places
    const frame = [...box.children].find((child) => child.dataset.key === key) ?? pictureFrame(key, index, shown);
    dressFrame(frame, before === null && (count > 1 || isAlone), index, picture);
    frame.dataset.empty = source ? "" : "yes";
    if (source) showIn(frame, source);
    drawScore(frame, picture);
    wanted.push(frame);
  });
  if (wanted.length !== box.children.length || wanted.some((child, i) => box.children[i] !== child)) fill(box, ...wanted);
}

function pictureFrame(key, index, job) {
  const frame = emptyFrame(key, altOf(job, index));
  const enlarge = () => {
    if (frame.getAttribute("role") !== "button") return;
    enlargePicture(view.enlarged === null ? Number(frame.dataset.index) : null);
  };
  frame.addEventListener("click", enlarge);
  frame.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    enlarge();
  });
  return frame;
}

/** One of several pictures fills the stage, or (null) all stand side by side again; Back leads there, too. */
export function enlargePicture(index) {
  view.enlarged = index;
  draw();
  if (index !== null) opened("enlarged", () => { view.enlarged = null; draw(); });
}

/** One of several pictures is a button that enlarges it; a single one only is there. */
function dressFrame(frame, isOneOfSeveral, index, picture) {
  frame.dataset.index = index;
  const name = t("picture_n", { n: index + 1 }) + (hasScore(picture) ? `, ${t("score")}: ${scoreText(picture)}` : "");
  const attributes = { role: "button", tabindex: "0", "aria-label": name, "aria-pressed": String(view.enlarged !== null) };
  for (const [attribute, value] of Object.entries(attributes)) {
    if (!isOneOfSeveral) frame.removeAttribute(attribute);
    else setAttribute(frame, attribute, value);
  }
}

export const altOf = (job, index) => titleOf(job) + (index ? ` (${index + 1})` : "");
