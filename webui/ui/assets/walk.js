// A walk between two pictures of the gallery: choosing its two ends, and on the stage a slider that goes along it.

const walk = { first: null, second: null, bar: null, count: 7 };
const WALK_COUNTS = [3, 5, 7, 9, 13];

/** The button of an open picture that makes it the first end; pictures that no text made have none. */
function walkButton(picture) {
  if (picture.request?.task !== "text_to_image") return null;
  return el("button", { type: "button", class: "plain", text: t("walk"), title: t("walk_hint"), onclick: () => beginWalk(picture) });
}

function beginWalk(picture) {
  closeOne();
  Object.assign(walk, { first: picture, second: null });
  drawWalkBar();
  walk.bar.querySelector("button, select")?.focus();
}

function endWalk() {
  walk.bar?.remove();
  Object.assign(walk, { first: null, second: null, bar: null });
  gallery.sheet.dataset.walk = "";
  for (const tile of gallery.tiles.values()) tile.removeAttribute("data-end");
}

/** Whether a click on a tile chose the other end, instead of opening the picture. */
function choosesWalkEnd(picture) {
  if (!walk.first) return false;
  if (picture.request?.task !== "text_to_image") note(t("walk_needs_text"));
  else if (picture.id !== walk.first.id) {
    walk.second = picture;
    drawWalkBar();
    walk.bar.querySelector(".solid").focus();
  }
  return true;
}

function drawWalkBar() {
  const { first, second } = walk;
  const count = el("select", { "aria-label": t("walk_count"), onchange: (event) => { walk.count = Number(event.target.value); } },
    ...WALK_COUNTS.map((n) => el("option", { value: n, text: t("walk_pictures", { n }), selected: n === walk.count })));
  const bar = el("div", { class: "walk-bar", role: "group", "aria-label": t("walk") },
    walkEndOf(first),
    el("span", { class: "walk-arrow", "aria-hidden": "true", text: "→" }),
    second ? walkEndOf(second) : el("span", { class: "walk-open", "aria-hidden": "true" }),
    el("p", { class: "walk-text", role: "status", text: second ? t("walk_ready") : t("walk_choose") }),
    second ? count : null,
    second ? el("button", { type: "button", class: "solid", text: t("walk_make"), onclick: makeWalk }) : null,
    el("button", { type: "button", class: "plain", text: t("cancel"), onclick: () => { endWalk(); gallery.close.focus(); } }));
  if (walk.bar) walk.bar.replaceWith(bar);
  else gallery.body.before(bar);
  walk.bar = bar;
  gallery.sheet.dataset.walk = "choosing";
  for (const tile of gallery.tiles.values()) {
    const end = tile.picture.id === first.id || tile.picture.id === second?.id;
    tile.toggleAttribute("data-end", end);
  }
}

const walkEndOf = (picture) => el("img", { class: "walk-end", src: picture.thumbnail_url, alt: picture.request.prompt || t("picture") });

async function makeWalk() {
  let answer;
  try {
    answer = await api("POST", "/api/walk", { first: walk.first.id, second: walk.second.id, num_images: walk.count });
  } catch (error) {
    return note(error.hint ? `${error.message} ${error.hint}` : error.message);
  }
  jobOf(answer.id, answer.request);
  stage.chosen = answer.id;
  endWalk();
  darkroom.closeGallery();
  emit("jobs");
  const list = answer.differences.map((name) => t(name)).join(t("list_comma"));
  if (list) note(t("walk_differs", { list }));
}

// On the stage: one picture at a time, and the slider says where on the way it is.

const isWalk = (job) => Boolean(job?.request?.walk_to) && job.pictures.length > 1;

on("drawn", (job) => {
  if (!stage.node) return;
  const wanted = isWalk(job);
  stage.node.dataset.walk = wanted ? "yes" : "";
  if (!wanted) {
    walk.shown = null;
    return void walk.slider?.remove();
  }
  const last = job.pictures.length - 1;
  if (walk.shown !== job.id) {
    walk.shown = job.id;
    walk.images = job.pictures.map((picture) => Object.assign(new Image(), { src: picture.url })); // sliding shows no gaps
    stage.enlarged = 0;
    drawPictures(job);
  }
  walk.slider ??= walkSlider();
  if (!walk.slider.isConnected) stage.node.append(walk.slider);
  const at = Math.min(stage.enlarged ?? 0, last);
  const input = walk.slider.firstElementChild;
  Object.assign(input, { max: last, value: at });
  input.setAttribute("aria-valuetext", t("image_of", { n: at + 1, count: last + 1 }));
  input.style.setProperty("--fill", `${(at / last) * 100}%`);
});

function walkSlider() {
  const input = el("input", { type: "range", min: "0", step: "1", "aria-label": t("walk_along"), oninput: () => {
    stage.enlarged = Number(input.value);
    draw();
  } });
  const own = (event) => event.stopPropagation(); // the stage's own swipes and arrow keys lead to other jobs
  return el("div", { class: "walk-slider", onpointerdown: own, onkeydown: own }, input);
}
