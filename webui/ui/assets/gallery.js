// The gallery: a sheet over the whole width, pictures by day; one opens with its settings and gives them back.

const gallery = { days: new Map(), tiles: new Map(), before: null, isEnd: false, isLoading: false, opened: null, asked: 0 };
const PAGE_LENGTH = 120;
const AHEAD_SCREENS = 3; // so far before its end the next page is asked for
const SLICE = 30; // ms of making tiles, before the page may do something else

darkroom.mountGallery = (element) => {
  const find = (selector) => element.querySelector(selector);
  Object.assign(gallery, { sheet: find(".sheet"), body: find(".sheet-body"), one: find(".sheet-one"), close: find(".sheet-close") });
  find("h2").textContent = t("gallery");
  mountGalleryFilter(find(".sheet-tools"), find(".sheet-filter"));
  mountGallerySelect(find(".sheet-tools"), find(".sheet-picked"));
  gallery.sheet.setAttribute("aria-label", t("gallery"));
  gallery.close.setAttribute("aria-label", t("close"));
  gallery.close.addEventListener("click", () => darkroom.closeGallery());
  gallery.body.addEventListener("scroll", loadAhead, { passive: true });
  document.addEventListener("keydown", (event) => {
    if (gallery.sheet.hidden) return;
    if (event.key === "Escape") leaveOneThing();
    keepFocus(event, gallery.sheet);
    if (!gallery.one.hidden && !event.target.matches?.("input, select, textarea") && (event.key === "ArrowLeft" || event.key === "ArrowRight")) step(event.key === "ArrowRight" ? 1 : -1);
  });
};

darkroom.openGallery = () => {
  if (!gallery.sheet.hidden) return;
  gallery.cameFrom = document.activeElement;
  closeOne();
  setPicking(false);
  clearGalleryFilter();
  gallery.sheet.hidden = false;
  coverPage(true);
  gallery.close.focus();
  reloadGallery();
};

/** From the newest on, with the conditions as they are now. An answer to earlier ones that comes late changes nothing. */
function reloadGallery() {
  gallery.watcher?.disconnect();
  gallery.watcher = new IntersectionObserver(keepNear, { root: gallery.body, rootMargin: "200% 0px" });
  Object.assign(gallery, { before: null, isEnd: false, isLoading: false, days: new Map(), tiles: new Map(), asked: gallery.asked + 1 });
  return loadMore();
}

/** What Escape leaves first. */
function leaveOneThing() {
  if (comparing.box) return closeCompare();
  if (!gallery.one.hidden) return closeOne();
  if (walk.first) return endWalk();
  if (picked.isOn) return void (setPicking(false), picked.button.focus());
  darkroom.closeGallery();
}

/** What lies below an open picture, or two that are compared, takes no focus. */
function coverGallery(isCovered) {
  for (const part of [gallery.body, galleryFilter.bar, picked.bar, gallery.sheet.querySelector(".sheet-tools")]) part.inert = isCovered;
}

darkroom.closeGallery = () => {
  if (gallery.sheet.hidden) return;
  endWalk();
  closeCompare();
  closeOne();
  setPicking(false);
  gallery.sheet.hidden = true;
  coverPage(false);
  gallery.cameFrom?.focus?.();
};

/** What lies below the open sheet neither scrolls nor takes focus. */
function coverPage(isCovered) {
  document.documentElement.classList.toggle("sheet-open", isCovered);
  for (const id of ["header", "studio"]) byId(id).inert = isCovered;
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
      await new Promise((resolve) => setTimeout(resolve));
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

function loadAhead() {
  const { scrollTop, clientHeight, scrollHeight } = gallery.body;
  if (scrollTop + (1 + AHEAD_SCREENS) * clientHeight > scrollHeight) loadMore();
}

/** The tiles that can be scrolled to, in their order: none that was deleted or is folded away. */
const shownTiles = () => [...gallery.days.values()].flatMap((grid) => [...grid.querySelectorAll(".cell")]).filter((tile) => !tile.hidden && tile.dataset.folded !== "yes");

function openOne(picture) {
  gallery.opened = picture;
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
  swipeable(frame, { isThere: (by) => Boolean(beside(by)), go: step, follow: (dx) => { image.style.transform = dx ? `translateX(${dx}px)` : ""; } });
  fill(
    gallery.one,
    frame,
    el("div", { class: "one-side" }, back, details, el("div", { class: "one-buttons" }, save, formatPicker(), star, walkButton(picture), keepButton(picture), remove), pictureTools(picture)),
  );
  gallery.one.hidden = false;
  coverGallery(true);
  back.focus();
}

function closeOne() {
  if (!gallery.one || gallery.one.hidden) return;
  gallery.one.hidden = true;
  coverGallery(false);
  fill(gallery.one);
  const section = gallery.opened?.tile.closest(".day") ?? [...gallery.body.children].find((one) => one.grid?.contains(gallery.opened?.tile));
  if (section) keepNear([{ target: section, isIntersecting: true }]); // the arrow keys may have led far away
  gallery.opened?.tile.focus();
}

/** The picture that lies `by` tiles on from the open one. */
function beside(by) {
  const tiles = shownTiles();
  return tiles[tiles.indexOf(gallery.opened?.tile) + by]?.picture;
}

function step(by) {
  const next = beside(by);
  if (next) openOne(next);
}

async function deletePicture(picture) {
  if (!(await deletePictures([picture]))) return;
  closeOne();
  gallery.close.focus();
}

/** Takes a picture out of gallery, rail and stage, or puts it back. */
function setDeleted(picture, isDeleted) {
  const tile = gallery.tiles.get(picture.id);
  if (tile) {
    tile.hidden = isDeleted;
    refold(tile.parentElement, picture.job);
  }
  for (const job of jobs.values()) {
    if (isDeleted && job.pictures.some((one) => one.id === picture.id)) {
      job.deleted = [...(job.deleted ?? []), ...job.pictures.filter((one) => one.id === picture.id)];
      job.pictures = job.pictures.filter((one) => one.id !== picture.id);
      job.gone = job.pictures.length === 0;
    } else if (!isDeleted && job.deleted?.some((one) => one.id === picture.id)) {
      job.pictures = ranked([...job.pictures, ...job.deleted.filter((one) => one.id === picture.id)]);
      job.deleted = job.deleted.filter((one) => one.id !== picture.id);
      job.gone = false;
    }
  }
  emit("jobs");
}
