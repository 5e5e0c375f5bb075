// In the gallery the pictures of a job that fit less lie behind a tile that unfolds them.

import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { setKept } from "../jobs/keeping.js";
import { hasScore, isKept } from "../jobs/pictures.js";
import { fitLess, scoreBadge } from "../parts/score.js";

/** For an open picture of the gallery that fits less: the button that keeps it. */
function keepButton(picture) {
  if (isKept(picture)) return null;
  return el("button", { type: "button", class: "plain", text: t("keep_too"), title: t("keep_too_hint"), onclick: () => setKept(picture, true) });
}

/** Puts a tile of the gallery where it belongs: beside those of its job, what fits less behind a tile that unfolds it. */
export function placeTile(grid, tile, picture) {
  if (!hasScore(picture)) return void grid.append(tile);
  tile.dataset.job = picture.job;
  if (!tile.querySelector(".score")) tile.append(scoreBadge(picture));
  if (tile.parentElement !== grid) grid.append(tile);
  const group = [...grid.children].filter((one) => one.dataset.job === picture.job);
  const tiles = group.filter((one) => one.picture).sort((a, b) => a.picture.rank - b.picture.rank);
  const rest = tiles.filter((one) => !isKept(one.picture));
  const fold = group.find((one) => !one.picture) ?? foldTile(grid, picture.job);
  const end = group[group.length - 1].nextSibling;
  for (const one of [...tiles.filter((other) => !rest.includes(other)), fold, ...rest]) grid.insertBefore(one, end === one ? one.nextSibling : end);
  drawFoldTile(fold, rest, fold.getAttribute("aria-expanded") === "true");
  for (const one of tiles) if (!rest.includes(one)) one.dataset.folded = "";
}

function foldTile(grid, job) {
  const fold = el("button", { type: "button", class: "cell-fold", title: t("fit_less_hint"), "aria-expanded": "false", data: { job } });
  fold.addEventListener("click", () => refold(grid, job, fold.getAttribute("aria-expanded") !== "true"));
  return fold;
}

/** Draws the fold of a job anew, after one of its pictures was deleted or brought back, or to open and close it. */
export function refold(grid, job, isOpen) {
  const group = [...grid.children].filter((one) => one.dataset.job === job);
  const fold = group.find((one) => !one.picture);
  if (fold) drawFoldTile(fold, group.filter((one) => one.picture && !isKept(one.picture)), isOpen ?? fold.getAttribute("aria-expanded") === "true");
}

function drawFoldTile(fold, rest, isOpen) {
  const there = rest.filter((one) => !one.hidden);
  fold.hidden = !there.length;
  fold.setAttribute("aria-expanded", String(isOpen));
  const images = there.slice(0, 4).map((one) => el("img", { src: one.picture.thumbnail_url, alt: "", loading: "lazy", decoding: "async" }));
  fill(fold, el("span", { class: "fold-pile", "aria-hidden": "true" }, ...images), el("span", { class: "fold-text", text: isOpen ? t("fold_away") : fitLess(there.length) }));
  for (const one of rest) one.dataset.folded = isOpen ? "" : "yes";
}

