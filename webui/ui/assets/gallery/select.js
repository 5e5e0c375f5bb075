// Many pictures at once: chosen with Ctrl, Shift or the Select button; starred, put on boards, saved as a zip, compared,
// deleted with undo.

import { api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { language, t } from "../core/language.js";
import { note } from "../core/note.js";
import { setDeleted } from "../jobs/keeping.js";
import { saveFormat } from "../parts/save_format.js";
import { openCompare } from "./compare.js";
import { galleryFilter, galleryQuery, loadBoards, nameBoard } from "./filter.js";
import { refold } from "./rest.js";
import { gallery, shownTiles } from "./state.js";
import { drawPicked, drawTileStar, picked } from "./tiles.js";

const MANY = 500; // pictures in one call; more go in several

export function mountGallerySelect(tools, bar) {
  picked.bar = bar;
  picked.button = el("button", { type: "button", class: "plain", text: t("select"), title: t("select_hint"), "aria-pressed": "false", onclick: () => setPicking(!picked.isOn) });
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", t("select"));
  tools.append(picked.button);
}

export function setPicking(isOn) {
  if (picked.isOn === isOn) return;
  picked.isOn = isOn;
  if (!isOn) {
    picked.pictures.clear();
    picked.last = null;
  }
  gallery.sheet.dataset.picking = isOn ? "yes" : "";
  picked.button.setAttribute("aria-pressed", String(isOn));
  for (const tile of gallery.tiles.values()) drawPicked(tile);
  drawPickedBar();
}

/** Whether a click on a tile chose pictures, instead of opening one. */
export function choosesPictures(picture, event) {
  const adds = event.ctrlKey || event.metaKey;
  if (!picked.isOn && !adds && !event.shiftKey) return false;
  setPicking(true);
  const tiles = shownTiles();
  const [from, to] = [picked.last, picture].map((one) => (one ? tiles.indexOf(gallery.tiles.get(one.id)) : -1)); // by id: they may have been loaded anew
  if (event.shiftKey && from >= 0) for (const tile of tiles.slice(Math.min(from, to), Math.max(from, to) + 1)) pick(tile.picture, true);
  else pick(picture, !picked.pictures.has(picture.id));
  picked.last = picture;
  drawPickedBar();
  return true;
}

function pick(picture, isPicked) {
  if (isPicked) picked.pictures.set(picture.id, picture);
  else picked.pictures.delete(picture.id);
  if (picture.tile) drawPicked(picture.tile);
}

/** All pictures of a day that match, those too that were not scrolled to yet; again: none of them. */
async function pickDay(date) {
  const since = new Date(date).setHours(0, 0, 0, 0);
  const until = new Date(since).setDate(new Date(since).getDate() + 1);
  const found = [];
  try {
    for (let before = ""; before !== null; ) {
      const query = { ...galleryQuery(), since: since / 1000, until: until / 1000, limit: 200, ...(before && { before }) };
      const page = await api("GET", `/api/gallery?${new URLSearchParams(query)}`);
      found.push(...page.pictures);
      before = page.next;
    }
  } catch (error) {
    note(error.message);
  }
  const isAll = found.every((one) => picked.pictures.has(one.id));
  for (const one of found) pick(gallery.tiles.get(one.id)?.picture ?? one, !isAll);
  drawPickedBar();
}

function drawPickedBar() {
  const { bar } = picked;
  const chosen = [...picked.pictures.values()];
  bar.hidden = !picked.isOn;
  if (!picked.isOn) return fill(bar);
  const focused = bar.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const button = (part, text, run, isOff = !chosen.length) => el("button", { type: "button", class: "plain", text, disabled: isOff, data: { part }, onclick: run });
  const isStarred = chosen.length > 0 && chosen.every((one) => one.starred);
  const { boards } = galleryFilter;
  const put = el("select", { "aria-label": t("board_put"), disabled: !chosen.length, data: { part: "board" }, onchange: () => putOnBoard(put.value) },
    el("option", { value: "", text: t("board_put"), disabled: true, selected: true, hidden: true }),
    ...boards.map((board) => el("option", { value: board.id, text: board.name })),
    el("option", { value: "new", text: t("board_new") }));
  const offBoard = galleryFilter.board && button("off", t("board_off"), () => changeBoard(galleryFilter.board, { remove: chosen.map((one) => one.id) }));
  fill(bar,
    el("p", { role: "status", class: "picked-count", text: chosen.length === 1 ? t("picked_one") : t("picked", { n: chosen.length.toLocaleString(language) }) }),
    button("star", isStarred ? t("unstar") : t("star"), () => starPictures(chosen, !isStarred)),
    put, offBoard,
    button("zip", t("download"), () => downloadPictures(chosen)),
    button("compare", t("compare"), () => openCompare(...chosen), chosen.length !== 2),
    button("delete", t("delete"), () => deletePictures(chosen)),
    button("done", t("done"), () => { setPicking(false); picked.button.focus(); }, false));
  bar.querySelector("[data-part=compare]").title = t("compare_hint");
  if (focused) [...bar.querySelectorAll("[data-part]")].find((node) => node.dataset.part === focused && !node.disabled)?.focus();
}
on("gallery-pick-day", pickDay);
on("compare-closed", () => picked.bar.querySelector("[data-part=compare]")?.focus());
on("boards", () => { if (picked.isOn) drawPickedBar(); });

/** One call for every MANY of them; the ids of those that were there. */
async function callForMany(path, pictures, more = {}) {
  const done = [];
  for (let first = 0; first < pictures.length; first += MANY) {
    const ids = pictures.slice(first, first + MANY).map((one) => one.id);
    done.push(...(await api("POST", path, { ids, ...more })).ids);
  }
  return new Set(done);
}

/** Stars pictures or takes that back, and shows it; `true` if it went well. */
export async function starPictures(pictures, starred) {
  try {
    const done = await callForMany("/api/gallery/star", pictures, { starred });
    for (const one of pictures) if (done.has(one.id)) setStarred(one, starred);
  } catch (error) {
    note(error.message);
    return false;
  }
  drawPickedBar();
  return true;
}

function setStarred(picture, starred) {
  picture.starred = starred;
  const tile = gallery.tiles.get(picture.id);
  if (tile) {
    tile.picture.starred = starred;
    drawTileStar(tile);
  }
}

function putOnBoard(id) {
  const add = [...picked.pictures.keys()];
  if (id === "new") return nameBoard("", (board) => changeBoard(board.id, { add }));
  return changeBoard(id, { add });
}

async function changeBoard(id, { add = [], remove = [] }) {
  let board;
  try {
    for (let first = 0; first < Math.max(add.length, remove.length); first += MANY) {
      board = await api("POST", `/api/boards/${id}/pictures`, { add: add.slice(first, first + MANY), remove: remove.slice(first, first + MANY) });
    }
  } catch (error) {
    return note(error.told);
  }
  await loadBoards();
  if (galleryFilter.board === id) emit("gallery-reload");
  const [list, text, way] = add.length ? [add, "board_added", { remove: add }] : [remove, "board_removed", { add: remove }];
  note(t(text, { n: list.length, name: board.name }), { text: t("undo"), run: () => changeBoard(id, way) });
}

async function downloadPictures(pictures) {
  try {
    const { url, left_out: leftOut } = await api("POST", "/api/gallery/zip", { ids: pictures.map((one) => one.id), format: saveFormat() });
    el("a", { href: url, download: "" }).click();
    if (leftOut) note(leftOut === 1 ? t("texts_left_out_one") : t("texts_left_out_many", { n: leftOut }));
  } catch (error) {
    note(error.told);
  }
}

/** `true` if any of them was there. */
export async function deletePictures(pictures) {
  let done = new Set();
  try {
    done = await callForMany("/api/gallery/delete", pictures);
  } catch (error) {
    note(error.message);
  }
  const gone = pictures.filter((one) => done.has(one.id));
  if (!gone.length) return false;
  for (const one of gone) setTileDeleted(one, true);
  galleryFilter.total -= gone.length;
  setPicking(false);
  picked.button.focus();
  loadBoards();
  note(gone.length === 1 ? t("deleted") : t("deleted_many", { n: gone.length }), { text: t("undo"), run: async () => {
    try {
      const back = await callForMany("/api/gallery/restore", gone);
      for (const one of gone) if (back.has(one.id)) setTileDeleted(one, false);
      galleryFilter.total += back.size;
      loadBoards();
    } catch (error) {
      note(error.message);
    }
  } });
  return true;
}

/** Takes a picture out of gallery, rail and stage, or puts it back. */
function setTileDeleted(picture, isDeleted) {
  const tile = gallery.tiles.get(picture.id);
  if (tile) {
    tile.hidden = isDeleted;
    refold(tile.parentElement, picture.job);
  }
  setDeleted(picture, isDeleted);
}
