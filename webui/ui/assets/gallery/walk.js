// A walk between two pictures of the gallery: choosing its two ends.

import { emit, on } from "../core/bus.js";
import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { submit } from "../jobs/outbox.js";
import { closeOne } from "./one.js";
import { gallery } from "./state.js";

const walk = { first: null, second: null, bar: null, count: 7 };
const WALK_COUNTS = [3, 5, 7, 9, 13];

on("walk-begin", beginWalk);

export const isWalking = () => walk.first !== null;

function beginWalk(picture) {
  closeOne();
  Object.assign(walk, { first: picture, second: null });
  drawWalkBar();
  walk.bar.querySelector("button, select")?.focus();
}

export function endWalk() {
  walk.bar?.remove();
  Object.assign(walk, { first: null, second: null, bar: null });
  gallery.sheet.dataset.walk = "";
  for (const tile of gallery.tiles.values()) tile.removeAttribute("data-end");
}

/** Whether a click on a tile chose the other end, instead of opening the picture. */
export function choosesWalkEnd(picture) {
  if (!walk.first) return false;
  if (picture.request?.task !== "text_to_image") note(t("walk_needs_text"));
  else if (picture.id !== walk.first.id) {
    walk.second = picture;
    drawWalkBar();
    walk.bar.querySelector(".solid").focus();
  }
  return true;
}

function drawWalkBar() {
  const { first, second } = walk;
  const count = el("select", { "aria-label": t("walk_count"), onchange: (event) => { walk.count = Number(event.target.value); } },
    ...WALK_COUNTS.map((n) => el("option", { value: n, text: t("walk_pictures", { n }), selected: n === walk.count })));
  const bar = el("div", { class: "walk-bar", role: "group", "aria-label": t("walk") },
    walkEndOf(first),
    el("span", { class: "walk-arrow", "aria-hidden": "true", text: "→" }),
    second ? walkEndOf(second) : el("span", { class: "walk-open", "aria-hidden": "true" }),
    el("p", { class: "walk-text", role: "status", text: second ? t("walk_ready") : t("walk_choose") }),
    second ? count : null,
    second ? el("button", { type: "button", class: "solid", text: t("walk_make"), onclick: makeWalk }) : null,
    el("button", { type: "button", class: "plain", text: t("cancel"), onclick: () => { endWalk(); gallery.close.focus(); } }));
  if (walk.bar) walk.bar.replaceWith(bar);
  else gallery.body.before(bar);
  walk.bar = bar;
  gallery.sheet.dataset.walk = "choosing";
  for (const tile of gallery.tiles.values()) {
    const end = tile.picture.id === first.id || tile.picture.id === second?.id;
    tile.toggleAttribute("data-end", end);
  }
}

const walkEndOf = (picture) => el("img", { class: "walk-end", src: picture.thumbnail_url, alt: picture.request.prompt || t("picture") });

async function makeWalk() {
  const { first, second, count } = walk;
  const request = { ...first.request, num_images: count };
  endWalk();
  emit("close-gallery");
  const answer = await submit("/api/walk", { first: first.id, second: second.id, num_images: count }, request);
  const list = (answer?.differences ?? []).map((name) => t(name)).join(t("list_comma"));
  if (list) note(t("walk_differs", { list }));
}
