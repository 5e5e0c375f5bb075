// One picture of the gallery, open over the tiles: with its settings, and what can be done with it.

import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { setKept } from "../jobs/keeping.js";
import { isKept } from "../jobs/pictures.js";
import { drawDetails } from "../parts/details.js";
import { formatPicker, savesPicture } from "../parts/save_format.js";
import { swipeable } from "../parts/swipe.js";
import { pictureTools } from "./again.js";
import { placeTile } from "./rest.js";
import { deletePictures, starPictures } from "./select.js";
import { coverGallery, gallery, shownTiles } from "./state.js";
import { keepNear } from "./tiles.js";

export function openOne(picture) {
  gallery.opened = picture;
  opened("picture", closeOne, picture.id);
  const details = el("div", { class: "one-details" });
  drawDetails(details, picture.request, picture);
  const remove = el("button", { type: "button", class: "plain", text: t("delete"), onclick: () => deletePicture(picture) });
  const save = savesPicture(el("a", { class: "button", text: t("save"), title: t("save_hint") }), picture);
  const back = el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: closeOne });
  const prompt = picture.request?.prompt;
  const image = el("img", { src: picture.url, alt: prompt || t("picture") });
  image.addEventListener("error", () => fill(frame, el("p", { class: "broken-text", role: "alert", text: t("picture_broken") })), { once: true });
  const star = el("button", { type: "button", class: "plain", text: picture.starred ? t("unstar") : t("star"), onclick: async () => {
    if (await starPictures([picture], !picture.starred)) star.textContent = picture.starred ? t("unstar") : t("star");
  } });
  const frame = el("div", { class: "one-picture" }, image);
  swipeable(frame, { isThere: (by) => Boolean(beside(by)), go: turnPage, follow: (dx) => { image.style.transform = dx ? `translateX(${dx}px)` : ""; } });
  fill(
    gallery.one,
    frame,
    el("div", { class: "one-side" }, back, details, el("div", { class: "one-buttons" }, save, formatPicker(), star, walkButton(picture), keepButton(picture), remove), pictureTools(picture)),
  );
  gallery.one.hidden = false;
  coverGallery("one", true);
  back.focus();
}

export function closeOne() {
  if (!gallery.one || gallery.one.hidden) return;
  gallery.one.hidden = true;
  coverGallery("one", false);
  fill(gallery.one);
  const section = gallery.opened?.tile?.closest(".day") ?? [...gallery.body.children].find((one) => one.grid?.contains(gallery.opened?.tile));
  if (section) keepNear([{ target: section, isIntersecting: true }]); // the arrow keys may have led far away
  gallery.opened?.tile?.focus();
  closed("picture");
}

/** The picture that lies `by` tiles on from the open one. */
function beside(by) {
  const tiles = shownTiles();
  return tiles[tiles.indexOf(gallery.opened?.tile) + by]?.picture;
}

export function turnPage(by) {
  const next = beside(by);
  if (next) openOne(next);
}

async function deletePicture(picture) {
  if (!(await deletePictures([picture]))) return;
  closeOne();
  gallery.close.focus();
}


/** The button that makes a picture the first end of a walk; pictures that no text made have none. */
function walkButton(picture) {
  if (picture.request?.task !== "text_to_image") return null;
  return el("button", { type: "button", class: "plain", text: t("walk"), title: t("walk_hint"), onclick: () => emit("walk-begin", picture) });
}

/** For a picture that fits less: the button that keeps it. */
function keepButton(picture) {
  if (isKept(picture)) return null;
  return el("button", { type: "button", class: "plain", text: t("keep_too"), title: t("keep_too_hint"), onclick: () => setKept(picture, true) });
}

on("kept", ({ id, isKept: isKeptNow }) => {
  const tile = gallery.tiles.get(id);
  if (!tile) return;
  tile.picture.kept = isKeptNow;
  placeTile(tile.parentElement, tile, tile.picture);
  if (gallery.opened?.id === id && !gallery.one.hidden) openOne(tile.picture);
});
