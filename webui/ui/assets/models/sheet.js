// The sheet with all models: by kind, with a search; one of them opens beside the others. Loaded when it is opened first.

import "../texts/late/en.js";
import { ApiError } from "../core/api.js";
import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { canOpen, closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { hideSheet, showSheet } from "../core/overlays.js";
import { fillPart } from "../core/places.js";
import { alarm, debounced } from "../core/timing.js";
import { helpMark } from "../parts/help_mark.js";
import { drawFolders, drawTrash } from "./folders.js";
import { drawGet } from "./get.js";
import { drawOne } from "./one.js";
import { KINDS, bytes, isConverting, loadModels, modelOf, models, shownModels } from "./state.js";
import { tileOf } from "./tiles.js";

const LOOKS_AGAIN = 3000; // ms, while old files are being converted
const SEARCH_PAUSE = 120; // ms after the last key
const PLACES = ["folders", "trash"];
const GET = "get"; // in the place of a kind: models that are not here yet
let isOpen = false;
const again = alarm(() => { if (isOpen) void reload(); });
const styled = new Promise((resolve) => {
  document.head.append(el("link", { rel: "stylesheet", href: new URL("../models.css", import.meta.url).href, onload: resolve, onerror: resolve }));
});

fillPart("models", (element) => {
  const search = el("input", { type: "search", class: "gallery-search", placeholder: t("models_search"), "aria-label": t("models_search"), autocomplete: "off", spellcheck: "false", maxlength: 200 });
  const close = el("button", { type: "button", class: "sheet-close plain", text: t("close"), onclick: closeModels });
  const filter = el("div", { class: "sheet-filter" });
  const body = el("div", { class: "sheet-body" });
  const one = el("div", { class: "models-one", hidden: true, role: "region", "aria-label": t("model_details") });
  const sheet = el("dialog", { class: "dr sheet models", "aria-label": t("models") },
    el("div", { class: "sheet-head" }, el("h2", { text: t("models") }), helpMark("parts", "models"), el("div", { class: "sheet-tools" }, search), close),
    filter, el("div", { class: "models-room" }, body, one));
  search.addEventListener("input", debounced(() => { models.q = search.value.trim(); draw(); }, SEARCH_PAUSE));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !search.value) return;
    event.stopPropagation();
    event.preventDefault(); // empties the field first, and closes the sheet the next time
    search.value = models.q = "";
    draw();
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // the browser would close the whole sheet at the second
    leaveOneThing();
  });
  Object.assign(models, { sheet, body, one, filter, close, search });
  element.append(sheet);
});

canOpen("models", openModels); // "get" stands behind it where that is to be seen
canOpen("model", (id) => { void openModels(); openOne(id); });
on("open-models", (kind) => openModels(kind));
on("close-models", closeModels);
on("checkpoints", () => isOpen && draw());
on("downloads", ({ came }) => { if (isOpen && came.length) void reload(); });

async function openModels(kind = "") {
  if (!models.sheet || isOpen) return;
  isOpen = true;
  if (kind === GET) models.kind = GET;
  opened("models", closeModels, models.kind === GET ? GET : "");
  await styled;
  if (!isOpen) return;
  showSheet(models.sheet, leaveOneThing, closeModels);
  models.close.focus();
  if (!models.all.length) fill(models.body, el("p", { class: "sheet-empty", text: t("models_loading") }));
  await reload();
  if (models.opened) showOne(models.opened);
}

/** What Escape leaves first. */
function leaveOneThing() {
  if (models.opened) closeOne();
  else closeModels();
}

async function reload() {
  try {
    await loadModels();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return fill(models.body, el("p", { class: "sheet-empty", role: "alert", text: error.message }));
  }
  draw();
  if (models.all.some(isConverting)) again.set(LOOKS_AGAIN);
}

function draw() {
  if (!models.places) return;
  drawFilter();
  if (models.kind === GET && !models.q) return drawGet(models.body, reload);
  const focused = models.body.contains(document.activeElement) ? document.activeElement.closest(".model")?.dataset.id : null;
  const found = shownModels();
  const list = el("ul", { class: "model-tiles" }, ...found.map((model) => tileOf(model, openOne)), models.kind === "checkpoint" && !models.q ? getTile() : null);
  fill(models.body, found.length ? list : el("div", { class: "sheet-empty" }, el("p", { text: t(models.q ? "models_nothing" : "models_none", { kind: t(`kind_${models.kind}`) }) }),
    models.q ? null : el("p", { class: "quiet", text: t("models_none_hint", { folder: folderOf(models.kind) }) })));
  if (focused) [...list.children].find((tile) => tile.dataset.id === focused)?.firstElementChild.focus({ preventScroll: true });
}

/** Behind the checkpoints that are here: those that are not. */
const getTile = () => el("li", { class: "model model-get" },
  el("button", { type: "button", class: "model-open", onclick: () => showKind(GET) }, el("span", { class: "model-letters", "aria-hidden": "true", text: "+" }), el("span", { class: "model-name", text: t("get_model") }), el("span", { class: "model-facts", text: t("get_model_hint") })));

/** Where files of a kind go. */
const folderOf = (kind) => ({ checkpoint: "models/", lora: "models/loras/", embedding: "models/embeddings/", vae: "models/vae/", upscaler: "models/upscalers/", control: "models/controlnet/", adapter: "models/ip-adapter/", clip: "models/clip/", detector: "models/detectors/" })[kind];

function drawFilter() {
  const { places } = models;
  const part = models.filter.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const count = (kind) => models.all.filter((model) => model.kind === kind).length;
  const chips = KINDS.filter((kind, at) => at < 4 || count(kind)).map((kind) => el("button", {
    type: "button", class: "chip", data: { part: kind }, text: `${t(`kind_${kind}`)} · ${count(kind)}`, "aria-pressed": String(!models.q && kind === models.kind),
    onclick: () => showKind(kind),
  }));
  const getting = el("button", { type: "button", class: "chip chip-get", data: { part: GET }, text: t("get_model"), "aria-pressed": String(!models.q && models.kind === GET), onclick: () => showKind(GET) });
  fill(models.filter,
    el("div", { class: "gallery-chips", role: "group", "aria-label": t("model_kind") }, getting, ...chips),
    el("div", { class: "board-tools" },
      el("button", { type: "button", class: "link", data: { part: "folders" }, text: t("model_folders"), onclick: () => openOne("folders") }),
      places.is_operator && places.trash_count ? el("button", { type: "button", class: "link", data: { part: "trash" }, text: t("model_trash_of", { size: bytes(places.trash_bytes) }), onclick: () => openOne("trash") }) : null),
    el("p", { class: "gallery-count", role: "status", text: models.q ? t("models_found", { n: shownModels().length }) : t("models_free", { size: bytes(places.free_bytes) }) }));
  if (part) [...models.filter.querySelectorAll("[data-part]")].find((node) => node.dataset.part === part)?.focus({ preventScroll: true });
}

function showKind(kind) {
  models.search.value = models.q = "";
  models.kind = kind;
  closeOne();
  opened("models", closeModels, kind === GET ? GET : "");
  draw();
}

/** A model, the folders or the trash beside the others. */
function openOne(id) {
  models.opened = id;
  opened("model", shutOne, id);
  if (models.places) showOne(id)?.focus({ preventScroll: true });
}

function showOne(id) {
  const { one } = models;
  const model = modelOf(id);
  if (!model && !PLACES.includes(id)) return void closeOne();
  one.hidden = false;
  models.sheet.classList.add("has-one");
  one.scrollTop = 0;
  for (const tile of models.body.querySelectorAll(".model")) tile.classList.toggle("is-open", tile.dataset.id === id);
  if (id === "folders") return drawFolders(one, closeOne, () => changed("folders"));
  if (id === "trash") return void drawTrash(one, closeOne, () => changed("trash")).then((title) => title.focus({ preventScroll: true }));
  return drawOne(one, model, closeOne, changed);
}

/** Everything anew after a change; `id` is what is shown then, or null. */
async function changed(id) {
  await reload();
  if (!models.opened) return;
  if (id) openOne(id);
  else closeOne();
}

function closeOne() {
  if (!models.opened) return;
  shutOne();
  closed("model");
}

function shutOne() {
  const id = models.opened;
  models.opened = null;
  models.one.hidden = true;
  models.sheet.classList.remove("has-one");
  const tile = [...models.body.querySelectorAll(".model")].find((one) => one.dataset.id === id);
  tile?.classList.remove("is-open");
  (tile?.firstElementChild ?? models.filter.querySelector(`[data-part="${id}"]`) ?? models.close).focus({ preventScroll: true });
}

function closeModels() {
  if (!isOpen) return;
  isOpen = false;
  closeOne();
  hideSheet(models.sheet);
  closed("models");
}
