// Pages of the gallery, one after the other as far as somebody scrolls.

import { api } from "../core/api.js";
import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { pause } from "../core/timing.js";
import { drawGalleryFilter, galleryFilter, galleryQuery, isGalleryFiltered } from "./filter.js";
import { gallery } from "./state.js";
import { addPicture, keepNear } from "./tiles.js";

const PAGE_LENGTH = 120;
const AHEAD_SCREENS = 3; // so far before its end the next page is asked for
const SLICE = 30; // ms of making tiles, before the page may do something else

on("gallery-reload", reloadGallery);

/** From the newest on, with the conditions as they are now. An answer to earlier ones that comes late changes nothing. */
export function reloadGallery() {
  gallery.watcher?.disconnect();
  gallery.watcher = new IntersectionObserver(keepNear, { root: gallery.body, rootMargin: "200% 0px" });
  Object.assign(gallery, { before: null, isEnd: false, isLoading: false, days: new Map(), tiles: new Map(), asked: gallery.asked + 1 });
  return loadMore();
}

async function loadMore() {
  if (gallery.isEnd || gallery.isLoading) return;
  const { asked, before } = gallery;
  gallery.isLoading = true;
  try {
    const query = new URLSearchParams({ limit: PAGE_LENGTH, ...galleryQuery(), ...(before && { before }) });
    const page = await api("GET", `/api/gallery?${query}`);
    if (asked !== gallery.asked) return;
    if (!before) {
      fill(gallery.body);
      gallery.body.scrollTop = 0;
      galleryFilter.total = page.total;
      drawGalleryFilter();
    }
    gallery.before = page.next;
    gallery.isEnd = !gallery.before || page.pictures.length === 0;
    let until = performance.now() + SLICE;
    for (const picture of page.pictures) {
      addPicture(picture);
      if (performance.now() < until) continue;
      await pause(0);
      if (asked !== gallery.asked) return;
      until = performance.now() + SLICE;
    }
    if (!gallery.days.size) fill(gallery.body, el("p", { class: "sheet-empty", text: t(isGalleryFiltered() ? "gallery_nothing" : "gallery_empty") }));
  } catch (error) {
    if (asked !== gallery.asked) return;
    gallery.isEnd = true;
    gallery.body.append(el("p", { class: "sheet-empty", role: "alert", text: error.message }));
  } finally {
    if (asked === gallery.asked) gallery.isLoading = false;
  }
  loadAhead(); // a large screen takes several pages
}

export function loadAhead() {
  const { scrollTop, clientHeight, scrollHeight } = gallery.body;
  if (scrollTop + (1 + AHEAD_SCREENS) * clientHeight > scrollHeight) loadMore();
}
