// The rail beside the stage: what runs, what waits, the newest pictures, and the way to the gallery.

import { emit, on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { t } from "../core/language.js";
import { cancelJob } from "../jobs/cancel.js";
import { LAST, jobsInOrder, thumbOf, titleOf } from "../jobs/jobs.js";
import { inGrid } from "../jobs/pictures.js";
import { choose } from "../jobs/view.js";

const rail = { node: null, list: null };

export function mountRail(node) {
  rail.node = node;
  node.setAttribute("aria-label", t("rail"));
  rail.list = el("ul", { class: "rail-list" });
  rail.gallery = el("button", { type: "button", class: "rail-gallery", text: t("gallery"), onclick: () => emit("open-gallery") });
  fill(node, rail.list, rail.gallery);
}

on("drawn", (shown) => {
  if (!rail.list) return;
  const wanted = jobsInOrder().map((job) => {
    const item = [...rail.list.children].find((child) => child.dataset.job === job.id) ?? railItem(job);
    drawRailItem(item, job, shown?.id === job.id);
    return item;
  });
  if (wanted.length !== rail.list.children.length || wanted.some((item, i) => rail.list.children[i] !== item)) fill(rail.list, ...wanted);
  if (rail.followed !== shown?.id) followShown(wanted.find((item) => item.dataset.job === shown?.id));
  rail.followed = shown?.id;
});

/** What one has just asked for is in sight, whatever else runs. */
on("submitted", (job) => followShown([...(rail.list?.children ?? [])].find((item) => item.dataset.job === job.id)));

/** Brings the thumbnail of what the stage shows into view, and moves nothing but the row. */
function followShown(item) {
  if (!item) return;
  const [box, own] = [rail.list.getBoundingClientRect(), item.getBoundingClientRect()];
  const way = (start, end, from, to) => (start < from ? start - from - 12 : end > to ? end - to + 12 : 0);
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  rail.list.scrollBy({ left: way(own.left, own.right, box.left, box.right), top: way(own.top, own.bottom, box.top, box.bottom), behavior });
}

function railItem(job) {
  const show = el("button", { type: "button", class: "thumb", onclick: () => choose(job.id) },
    el("span", { class: "thumb-picture" }), el("span", { class: "thumb-mark", "aria-hidden": "true" }));
  const stop = el("button", { type: "button", class: "thumb-stop icon", text: "×", title: t("cancel"), "aria-label": t("cancel_job"), onclick: () => cancelJob(job.id) });
  return el("li", { data: { job: job.id } }, show, stop);
}

function drawRailItem(item, job, isShown) {
  const [show, stop] = item.children;
  const picture = show.firstElementChild;
  item.dataset.state = job.state;
  item.dataset.unsent = job.isUnsent ? "yes" : "";
  const title = titleOf(job);
  const label = `${t(`state_${job.state}`)}: ${title}`;
  if (show.getAttribute("aria-label") !== label) show.setAttribute("aria-label", label);
  show.title = title;
  show.setAttribute("aria-current", String(isShown));
  const source = thumbOf(job);
  if (picture.dataset.source !== source) {
    picture.dataset.source = source;
    picture.style.backgroundImage = source ? `url("${source}")` : "";
  }
  setText(picture, source ? "" : title); // what waits shows what it will be
  item.style.setProperty("--done", job.total ? job.step / job.total : 0);
  const mark = { waiting: job.position ? String(job.position) : "…", failed: "!", running: "", finished: inGrid(job) > 1 ? String(inGrid(job)) : "", cancelled: "■" }[job.state];
  if (show.lastElementChild.textContent !== mark) show.lastElementChild.textContent = mark;
  stop.hidden = job.state in LAST;
}
