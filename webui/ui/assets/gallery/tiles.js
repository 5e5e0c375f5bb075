// The gallery's days and tiles. What was scrolled far away keeps its place and gives the browser its images back.

import { emit } from "../core/bus.js";
import { el } from "../core/dom.js";
import { language, t } from "../core/language.js";
import { placeTile } from "./rest.js";
import { gallery } from "./state.js";

const dateOf = (picture) => new Date(typeof picture.created === "number" ? picture.created * 1000 : picture.created);

const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);

function dayName(date) {
  const days = Math.round((midnight(new Date()) - midnight(date)) / 864e5);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return date.toLocaleDateString(language, { weekday: "long", year: "numeric", month: "long", day: "numeric" });
}

/** The grid of a day, at the gallery's end where it has none yet. */
function gridOf(date) {
  const day = midnight(date); // and not by its name: a name takes longer to make than a tile
  if (!gallery.days.has(day)) {
    const grid = el("div", { class: "grid" });
    gallery.days.set(day, grid);
    const name = dayName(date);
    const whole = el("button", { type: "button", class: "link day-pick", text: t("select_day"), "aria-label": t("select_day_of", { day: name }), onclick: () => emit("gallery-pick-day", date) });
    const section = el("section", { class: "day" }, el("div", { class: "day-head" }, el("h3", { text: name }), whole), grid);
    section.grid = grid;
    gallery.body.append(section);
    gallery.watcher.observe(section);
  }
  return gallery.days.get(day);
}

export function addPicture(picture) {
  const prompt = picture.request?.prompt || t(picture.request?.task ?? "picture");
  const tile = el("button", { type: "button", class: "cell", "aria-label": prompt, title: prompt, onclick: (event) => emit("gallery-click", { picture, event }) });
  picture.tile = tile;
  tile.picture = picture;
  drawThumbnail(tile);
  gallery.tiles.set(picture.id, tile);
  drawTileStar(tile);
  if (picked.isOn) {
    if (picked.pictures.has(picture.id)) picked.pictures.set(picture.id, picture);
    drawPicked(tile);
  }
  placeTile(gridOf(dateOf(picture)), tile, picture);
}

/** Puts the picture into its tile, where it is not there. */
function drawThumbnail(tile) {
  if (tile.querySelector(":scope > :is(img, .broken-text)")) return;
  const { thumbnail_url: src, width, height } = tile.picture;
  const image = el("img", { src, alt: "", loading: "lazy", decoding: "async", width, height });
  image.addEventListener("error", () => {
    image.replaceWith(el("span", { class: "broken-text", text: t("picture_broken") }));
    tile.setAttribute("aria-label", `${tile.title}: ${t("picture_broken")}`);
  }, { once: true });
  tile.prepend(image);
}

/**
 * Days that were scrolled far away leave the page, and only their height stays: so it never has more than it can lay out.
 * Their images go: the browser looks at each one that it holds, whenever it lays the page out.
 */
export function keepNear(entries) {
  const isIdle = ({ target: { grid }, isIntersecting }) => !isIntersecting && grid.isConnected && !grid.contains(document.activeElement);
  const leaving = entries.filter(isIdle).map(({ target }) => [target, target.offsetHeight]); // all read before any is written
  for (const [section, height] of leaving) {
    section.style.minHeight = `${height}px`;
    section.grid.remove();
    for (const image of section.grid.querySelectorAll(".cell > img")) {
      image.removeAttribute("src"); // else what is on its way here is waited for
      image.remove();
    }
  }
  for (const { target: section, isIntersecting } of entries) {
    if (!isIntersecting || section.grid.isConnected) continue;
    for (const tile of section.grid.querySelectorAll(".cell")) drawThumbnail(tile);
    section.append(section.grid);
    section.style.minHeight = "";
  }
}

/** Whether pictures are being chosen, and which are. */
export const picked = { pictures: new Map(), isOn: false, last: null, bar: null, button: null };

export function drawPicked(tile) {
  if (picked.isOn) tile.setAttribute("aria-pressed", String(picked.pictures.has(tile.picture.id)));
  else tile.removeAttribute("aria-pressed");
}

export function drawTileStar(tile) {
  const star = tile.querySelector(".cell-star");
  if (!tile.picture.starred) return void star?.remove();
  if (!star) tile.append(el("span", { class: "cell-star" }, el("span", { class: "unseen", text: t("favourite") }), "★"));
}
