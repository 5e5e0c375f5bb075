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
    if (event.key === "Escape") gallery.one.hidden ? darkroom.closeGallery() : closeOne();
    if (event.key === "Tab") keepFocus(event);
    if (!gallery.one.hidden && (event.key === "ArrowLeft" || event.key === "ArrowRight")) step(event.key === "ArrowRight" ? 1 : -1);
  });
};

darkroom.openGallery = () => {
  gallery.cameFrom = document.activeElement;
  Object.assign(gallery, { before: null, isEnd: false, days: new Map() });
  fill(gallery.body);
  closeOne();
  gallery.sheet.hidden = false;
  document.documentElement.classList.add("sheet-open");
  gallery.close.focus();
  loadMore();
};

darkroom.closeGallery = () => {
  gallery.sheet.hidden = true;
  document.documentElement.classList.remove("sheet-open");
  gallery.cameFrom?.focus?.();
};

/** Tab stays within the open sheet. */
function keepFocus(event) {
  const scope = gallery.one.hidden ? gallery.sheet : gallery.one;
  const stops = [...scope.querySelectorAll("button, a[href], input")].filter((node) => node.offsetParent && !node.disabled);
  const [first, last] = [stops[0], stops.at(-1)];
  const goes = event.shiftKey ? first : last;
  if (document.activeElement !== goes && scope.contains(document.activeElement)) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
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
  const tile = el("button", { type: "button", class: "cell", "aria-label": prompt, title: prompt, onclick: () => openOne(picture) },
    el("img", { src: picture.thumbnail_url, alt: "", loading: "lazy", decoding: "async", width: picture.width, height: picture.height }));
  picture.tile = tile;
  tile.picture = picture;
  gallery.days.get(name).append(tile);
}

function openOne(picture) {
  gallery.opened = picture;
  const details = el("div", { class: "one-details" });
  drawDetails(details, picture.request, picture);
  const remove = el("button", { type: "button", class: "plain", text: t("delete"), onclick: () => deletePicture(picture) });
  const save = el("a", { class: "button", href: picture.url, download: `darkroom-${picture.seed}.png`, text: t("save") });
  const back = el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: closeOne });
  const prompt = picture.request?.prompt;
  fill(
    gallery.one,
    el("div", { class: "one-picture" }, el("img", { src: picture.url, alt: prompt || t("picture") })),
    el("div", { class: "one-side" }, back, details, el("div", { class: "one-buttons" }, save, remove)),
  );
  gallery.one.hidden = false;
  back.focus();
}

function closeOne() {
  if (!gallery.one || gallery.one.hidden) return;
  gallery.one.hidden = true;
  fill(gallery.one);
  gallery.opened?.tile.focus();
}

function step(by) {
  const tiles = [...gallery.body.querySelectorAll(".cell")].filter((tile) => !tile.hidden);
  const next = tiles[tiles.indexOf(gallery.opened?.tile) + by];
  if (next) openOne(next.picture);
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
  for (const job of jobs.values()) {
    if (isDeleted && job.pictures.some((one) => one.id === picture.id)) {
      job.deleted = [...(job.deleted ?? []), ...job.pictures.filter((one) => one.id === picture.id)];
      job.pictures = job.pictures.filter((one) => one.id !== picture.id);
      job.gone = job.pictures.length === 0;
    } else if (!isDeleted && job.deleted?.some((one) => one.id === picture.id)) {
      job.pictures = [...job.pictures, ...job.deleted.filter((one) => one.id === picture.id)];
      job.deleted = job.deleted.filter((one) => one.id !== picture.id);
      job.gone = false;
    }
  }
  emit("jobs");
}
