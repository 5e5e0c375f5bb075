// The gallery: a sheet over the whole width, pictures by day; one opens with its settings and gives them back.

const gallery = { days: new Map(), before: null, isEnd: false, isLoading: false, opened: null };
const PAGE_LENGTH = 60;

darkroom.mountGallery = (element) => {
  const find = (selector) => element.querySelector(selector);
  Object.assign(gallery, { sheet: find(".sheet"), body: find(".sheet-body"), one: find(".sheet-one"), close: find(".sheet-close") });
  find("h2").textContent = t("gallery");
  gallery.sheet.setAttribute("aria-label", t("gallery"));
  gallery.close.setAttribute("aria-label", t("close"));
  gallery.close.addEventListener("click", () => darkroom.closeGallery());
  gallery.body.addEventListener("scroll", () => {
    if (gallery.body.scrollTop + gallery.body.clientHeight > gallery.body.scrollHeight - 600) loadMore();
  });
  document.addEventListener("keydown", (event) => {
    if (gallery.sheet.hidden) return;
    if (event.key === "Escape") walk.first ? endWalk() : gallery.one.hidden ? darkroom.closeGallery() : closeOne();
    keepFocus(event, gallery.sheet);
    if (!gallery.one.hidden && (event.key === "ArrowLeft" || event.key === "ArrowRight")) step(event.key === "ArrowRight" ? 1 : -1);
  });
};

darkroom.openGallery = () => {
  if (!gallery.sheet.hidden) return;
  gallery.cameFrom = document.activeElement;
  Object.assign(gallery, { before: null, isEnd: false, days: new Map() });
  fill(gallery.body);
  closeOne();
  gallery.sheet.hidden = false;
  coverPage(true);
  gallery.close.focus();
  loadMore();
};

darkroom.closeGallery = () => {
  if (gallery.sheet.hidden) return;
  endWalk();
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
  gallery.isLoading = true;
  try {
    const query = new URLSearchParams({ limit: PAGE_LENGTH, ...(gallery.before ? { before: gallery.before } : {}) });
    const page = await api("GET", `/api/gallery?${query}`);
    const { pictures } = page;
    gallery.before = page.next;
    gallery.isEnd = !gallery.before || pictures.length === 0;
    for (const picture of pictures) addPicture(picture);
    if (!gallery.days.size) fill(gallery.body, el("p", { class: "sheet-empty", text: t("gallery_empty") }));
  } catch (error) {
    gallery.isEnd = true;
    gallery.body.append(el("p", { class: "sheet-empty", role: "alert", text: error.message }));
  } finally {
    gallery.isLoading = false;
  }
}

const dateOf = (picture) => new Date(typeof picture.created === "number" ? picture.created * 1000 : picture.created);

function dayName(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return date.toLocaleDateString(language, { weekday: "long", year: "numeric", month: "long", day: "numeric" });
}

function addPicture(picture) {
  const name = dayName(dateOf(picture));
  if (!gallery.days.has(name)) {
    const grid = el("div", { class: "grid" });
    gallery.days.set(name, grid);
    gallery.body.append(el("section", { class: "day" }, el("h3", { text: name }), grid));
  }
  const prompt = picture.request?.prompt || t(picture.request?.task ?? "picture");
  const tile = el("button", { type: "button", class: "cell", "aria-label": prompt, title: prompt, onclick: () => choosesWalkEnd(picture) || openOne(picture) },
    el("img", { src: picture.thumbnail_url, alt: "", loading: "lazy", decoding: "async", width: picture.width, height: picture.height }));
  picture.tile = tile;
  tile.picture = picture;
  placeTile(gallery.days.get(name), tile, picture);
}

function openOne(picture) {
  gallery.opened = picture;
  const details = el("div", { class: "one-details" });
  drawDetails(details, picture.request, picture);
  const remove = el("button", { type: "button", class: "plain", text: t("delete"), onclick: () => deletePicture(picture) });
  const save = savesPicture(el("a", { class: "button", text: t("save"), title: t("save_hint") }), picture);
  const back = el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: closeOne });
  const prompt = picture.request?.prompt;
  const image = el("img", { src: picture.url, alt: prompt || t("picture") });
  const frame = el("div", { class: "one-picture" }, image);
  swipeable(frame, { isThere: (by) => Boolean(beside(by)), go: step, follow: (dx) => { image.style.transform = dx ? `translateX(${dx}px)` : ""; } });
  fill(
    gallery.one,
    frame,
    el("div", { class: "one-side" }, back, details, el("div", { class: "one-buttons" }, save, formatPicker(), walkButton(picture), keepButton(picture), remove), pictureTools(picture)),
  );
  gallery.one.hidden = false;
  gallery.body.inert = true;
  back.focus();
}

function closeOne() {
  if (!gallery.one || gallery.one.hidden) return;
  gallery.one.hidden = true;
  gallery.body.inert = false;
  fill(gallery.one);
  gallery.opened?.tile.focus();
}

/** The picture that lies `by` tiles on from the open one. */
function beside(by) {
  const tiles = [...gallery.body.querySelectorAll(".cell")].filter((tile) => !tile.hidden && tile.dataset.folded !== "yes");
  return tiles[tiles.indexOf(gallery.opened?.tile) + by]?.picture;
}

function step(by) {
  const next = beside(by);
  if (next) openOne(next);
}

async function deletePicture(picture) {
  try {
    await api("DELETE", `/api/images/${picture.id}`);
  } catch (error) {
    return note(error.message);
  }
  closeOne();
  setDeleted(picture, true);
  gallery.close.focus();
  note(t("deleted"), { text: t("undo"), run: async () => {
    try {
      await api("POST", `/api/images/${picture.id}/restore`);
      setDeleted(picture, false);
    } catch (error) {
      note(error.message);
    }
  } });
}

/** Takes a picture out of gallery, rail and stage, or puts it back. */
function setDeleted(picture, isDeleted) {
  picture.tile.hidden = isDeleted;
  refold(picture.tile.parentElement, picture.job);
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
