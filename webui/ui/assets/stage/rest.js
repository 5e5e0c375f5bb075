// The fold at the foot of the stage, with the pictures of a job that fit less than those above it.

import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { setKept } from "../jobs/keeping.js";
import { inGrid, isKept, scoreText } from "../jobs/pictures.js";
import { view } from "../jobs/view.js";
import { fitLess, scoreBadge } from "../parts/score.js";
import { enlargePicture } from "./pictures.js";
import { draw, stage } from "./state.js";

/** The fold at the foot of the stage, with what fits less than the pictures above it. */
export function drawRest(job) {
  const box = stage.parts.rest;
  const count = job?.state === "finished" ? job.pictures.length - inGrid(job) : 0;
  const isOpen = count > 0 && Boolean(job.isUnfolded);
  stage.node.dataset.rest = count ? (isOpen ? "open" : "closed") : "";
  box.hidden = !count;
  const key = count ? JSON.stringify([job.id, isOpen, view.enlarged, job.pictures.map((picture) => [picture.id, isKept(picture)])]) : "";
  if (box.dataset.key === key) return;
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const scrolled = box.querySelector(".rest-list")?.scrollLeft ?? 0;
  box.dataset.key = key;
  if (!count) return fill(box);
  const toggle = el("button", {
    type: "button", class: "rest-toggle", text: fitLess(count), title: t("fit_less_hint"), "aria-expanded": String(isOpen),
    data: { part: "toggle" }, onclick: () => unfold(job, !isOpen),
  });
  const first = inGrid(job);
  const list = isOpen && el("ul", { class: "rest-list", "aria-label": fitLess(count) },
    ...job.pictures.slice(first).map((picture, i) => restItem(job, picture, first + i)));
  fill(box, toggle, list);
  if (list) list.scrollLeft = scrolled;
  if (focused) ([...box.querySelectorAll("button")].find((button) => button.dataset.part === focused) ?? toggle).focus({ preventScroll: true });
}

function unfold(job, isOpen) {
  job.isUnfolded = isOpen;
  if (!isOpen && view.enlarged !== null && view.enlarged >= inGrid(job)) view.enlarged = null;
  draw();
}

function restItem(job, picture, index) {
  const isShown = view.enlarged === index;
  const show = el("button", {
    type: "button", class: "rest-show", "aria-pressed": String(isShown), "aria-label": `${t("picture_n", { n: index + 1 })}, ${t("score")}: ${scoreText(picture)}`,
    data: { part: `show ${picture.id}` }, onclick: () => { enlargePicture(isShown ? null : index); },
  }, el("img", { src: `${picture.url}?size=256`, alt: "", width: picture.width, height: picture.height, decoding: "async" }), scoreBadge(picture));
  const keep = el("button", {
    type: "button", class: "rest-keep", text: t("keep_too"), title: t("keep_too_hint"), data: { part: `keep ${picture.id}` },
    onclick: () => setKept(picture, true),
  });
  return el("li", {}, show, keep);
}

