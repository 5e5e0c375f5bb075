// What of the gallery is shown: words, favourites, a board, up to a day. And the boards themselves.

import { api } from "../core/api.js";
import { emit } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { language, t } from "../core/language.js";
import { note } from "../core/note.js";
import { debounced } from "../core/timing.js";

export const galleryFilter = { q: "", starred: false, board: null, until: null, boards: [], total: null, naming: null };
const SEARCH_PAUSE = 200; // ms after the last key

export function mountGalleryFilter(tools, bar) {
  const search = el("input", { type: "search", class: "gallery-search", placeholder: t("gallery_search"), "aria-label": t("gallery_search"), title: t("gallery_search_hint"), maxlength: 1000, autocomplete: "off", spellcheck: "false" });
  const look = () => {
    if (galleryFilter.q === search.value.trim()) return;
    galleryFilter.q = search.value.trim();
    emit("gallery-reload");
  };
  search.addEventListener("input", debounced(look, SEARCH_PAUSE));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") look();
    if (event.key !== "Escape" || !search.value) return;
    event.stopPropagation();
    event.preventDefault(); // empties the field first, and closes the sheet the next time
    search.value = "";
    look();
  });
  const day = el("input", { type: "date", class: "gallery-day", "aria-label": t("gallery_day"), title: t("gallery_day") });
  day.addEventListener("change", () => {
    galleryFilter.until = day.value ? new Date(`${day.value}T00:00`).setDate(new Date(`${day.value}T00:00`).getDate() + 1) / 1000 : null;
    emit("gallery-reload");
  });
  Object.assign(galleryFilter, { search, day, bar });
  tools.append(search, day);
}

/** As it is when the sheet opens: everything, the newest first. */
export function clearGalleryFilter() {
  Object.assign(galleryFilter, { q: "", starred: false, board: null, until: null, total: null, naming: null });
  galleryFilter.search.value = "";
  galleryFilter.day.value = "";
  drawGalleryFilter();
  loadBoards();
}

/** The conditions as the API takes them. */
export function galleryQuery() {
  const { q, starred, board, until } = galleryFilter;
  return { ...(q && { q }), ...(starred && { starred }), ...(board && { board }), ...(until && { until }) };
}

export const isGalleryFiltered = () => Object.keys(galleryQuery()).length > 0;

export async function loadBoards() {
  try {
    galleryFilter.boards = await api("GET", "/api/boards");
  } catch (error) {
    return note(error.message);
  }
  if (!galleryFilter.boards.some((board) => board.id === galleryFilter.board)) galleryFilter.board = null;
  drawGalleryFilter();
  emit("boards");
}

export function drawGalleryFilter() {
  const { bar, boards, total } = galleryFilter;
  const focused = bar.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const scrolled = bar.firstElementChild?.scrollLeft ?? 0;
  const chosen = boards.find((board) => board.id === galleryFilter.board);
  const chip = (part, text, isOn, set) => el("button", { type: "button", class: "chip", text, "aria-pressed": String(isOn), data: { part }, onclick: () => {
    Object.assign(galleryFilter, { starred: false, board: null, naming: null }, set);
    drawGalleryFilter();
    emit("gallery-reload");
  } });
  const chips = el("div", { class: "gallery-chips", role: "group", "aria-label": t("boards") },
    chip("all", t("gallery_all"), !galleryFilter.starred && !chosen, {}),
    chip("starred", `★ ${t("favourites")}`, galleryFilter.starred, { starred: true }),
    ...boards.map((board) => chip(board.id, `${board.name} · ${board.count}`, board === chosen, { board: board.id })),
    el("button", { type: "button", class: "chip", text: t("board_new"), data: { part: "new" }, onclick: () => nameBoard("") }));
  const tools = chosen && !galleryFilter.naming && el("div", { class: "board-tools" },
    el("button", { type: "button", class: "link", text: t("board_rename"), data: { part: "rename" }, onclick: () => nameBoard(chosen.id) }),
    el("button", { type: "button", class: "link", text: t("board_delete"), data: { part: "delete" }, onclick: () => deleteBoard(chosen) }));
  const count = el("p", { class: "gallery-count", role: "status", text: total === null ? "" : total === 1 ? t("gallery_count_one") : t("gallery_count", { n: total.toLocaleString(language) }) });
  fill(bar, chips, galleryFilter.naming, tools, count);
  chips.scrollLeft = scrolled;
  if (focused) [...bar.querySelectorAll("[data-part]")].find((node) => node.dataset.part === focused)?.focus({ preventScroll: true });
}

/** A field for a board's name in the bar; `id` is empty for a new one. `then` hears of the board. */
export function nameBoard(id, then = null) {
  const board = galleryFilter.boards.find((one) => one.id === id);
  const input = el("input", { type: "text", "aria-label": t("board_name"), placeholder: t("board_name"), maxlength: 80, value: board?.name ?? "" });
  const close = () => { galleryFilter.naming = null; drawGalleryFilter(); };
  const save = async (event) => {
    event.preventDefault();
    if (!input.value.trim()) return input.focus();
    try {
      const named = await api("POST", id ? `/api/boards/${id}` : "/api/boards", { name: input.value });
      galleryFilter.naming = null;
      if (then) await then(named);
      else if (!id) galleryFilter.board = named.id;
      await loadBoards();
      if (!id && !then) emit("gallery-reload");
      galleryFilter.bar.querySelector("[aria-pressed=true]")?.focus();
    } catch (error) {
      note(error.told);
      input.focus();
    }
  };
  galleryFilter.naming = el("form", { class: "board-naming", onsubmit: save },
    input,
    el("button", { type: "submit", class: "solid", text: t("board_save") }),
    el("button", { type: "button", class: "plain", text: t("cancel"), onclick: close }));
  galleryFilter.naming.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); event.preventDefault(); close(); }
  });
  drawGalleryFilter();
  input.focus();
  input.select();
}

async function deleteBoard(board) {
  try {
    await api("DELETE", `/api/boards/${board.id}`);
  } catch (error) {
    return note(error.message);
  }
  galleryFilter.board = null;
  await loadBoards();
  emit("gallery-reload");
  galleryFilter.bar.querySelector("[data-part=all]").focus();
  note(t("board_deleted", { name: board.name }), { text: t("undo"), run: async () => {
    try {
      await api("POST", `/api/boards/${board.id}/restore`);
      await loadBoards();
    } catch (error) {
      note(error.message);
    }
  } });
}
