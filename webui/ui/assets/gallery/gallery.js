// The gallery: a sheet over the whole width, pictures by day.

import "../texts/late/en.js";
import { api } from "../core/api.js";
import { on } from "../core/bus.js";
import { canOpen, closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { orNote } from "../core/note.js";
import { hideSheet, isOnTop, isShown, showSheet } from "../core/overlays.js";
import { fillPart } from "../core/places.js";
import { helpMark } from "../parts/help_mark.js";
import { closeCompare, isComparing } from "./compare.js";
import { clearGalleryFilter, mountGalleryFilter } from "./filter.js";
import { loadAhead, reloadGallery } from "./loading.js";
import { closeOne, openOne, turnPage } from "./one.js";
import { choosesPictures, mountGallerySelect, setPicking } from "./select.js";
import { gallery, liesBelow } from "./state.js";
import { picked } from "./tiles.js";
import { choosesWalkEnd, endWalk, isWalking } from "./walk.js";

fillPart("gallery", (element) => {
  const find = (selector) => element.querySelector(selector);
  Object.assign(gallery, { sheet: find(".sheet"), body: find(".sheet-body"), one: find(".sheet-one"), close: find(".sheet-close") });
  find("h2").textContent = t("gallery");
  find("h2").after(helpMark("parts", "gallery"));
  mountGalleryFilter(find(".sheet-tools"), find(".sheet-filter"));
  mountGallerySelect(find(".sheet-tools"), find(".sheet-picked"));
  for (const part of [gallery.body, find(".sheet-filter"), find(".sheet-picked"), find(".sheet-tools")]) liesBelow(part);
  gallery.sheet.setAttribute("aria-label", t("gallery"));
  gallery.close.textContent = t("close");
  gallery.close.addEventListener("click", closeGallery);
  gallery.body.addEventListener("scroll", loadAhead, { passive: true });
  document.addEventListener("keydown", press);
  canOpen("gallery", openGallery);
  canOpen("picture", openById);
});

on("open-gallery", openGallery);
on("close-gallery", closeGallery);
on("settings-given-back", closeGallery);
on("gallery-click", ({ picture, event }) => choosesWalkEnd(picture) || choosesPictures(picture, event) || openOne(picture));

function press(event) {
  if (!isOnTop(gallery.sheet)) return;
  if (event.key === "Escape") {
    event.preventDefault(); // the browser would close the whole sheet at the second
    leaveOneThing();
  }
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by && !gallery.one.hidden && !event.target.matches?.("input, select, textarea")) turnPage(by);
}

function openGallery() {
  if (!gallery.sheet || gallery.sheet.open) return;
  closeOne();
  setPicking(false);
  clearGalleryFilter();
  showSheet(gallery.sheet, leaveOneThing, closeGallery);
  opened("gallery", closeGallery);
  gallery.close.focus();
  reloadGallery();
}

/** A picture whose address was gone to: it need not be among those that are loaded. */
async function openById(id) {
  openGallery();
  const tile = gallery.tiles.get(id);
  if (tile) return openOne(tile.picture);
  await orNote(async () => openOne(await api("GET", `/api/gallery/${encodeURIComponent(id)}`)));
}

/** What Escape leaves first. */
function leaveOneThing() {
  if (isComparing()) return closeCompare();
  if (!gallery.one.hidden) return closeOne();
  if (isWalking()) return endWalk();
  if (picked.isOn) return void (setPicking(false), picked.button.focus());
  closeGallery();
}

function closeGallery() {
  if (!isShown(gallery.sheet)) return;
  endWalk();
  closeCompare();
  closeOne();
  setPicking(false);
  hideSheet(gallery.sheet);
  closed("gallery");
}
