// The best of several: which pictures of a job are kept, the fold with the others on the stage and in the gallery, and
// the control that asks for it. A job's pictures lie in one order everywhere: the kept ones, then the rest, each by rank.

const isKept = (picture) => picture.kept !== false;

/** The pictures of a job in that order; each keeps as `index` which of the job's images it is. */
function ranked(pictures) {
  const known = pictures.map((picture, index) => ({ index, ...picture }));
  return known.sort((a, b) => isKept(b) - isKept(a) || (a.rank ?? 0) - (b.rank ?? 0) || a.index - b.index);
}

/** How many of a job's pictures, from the first, the stage shows side by side: the kept ones, all where none is left. */
const inGrid = (job) => job.pictures.filter(isKept).length || job.pictures.length;

const hasScore = (picture) => typeof picture?.score === "number";
const scoreText = (picture) => picture.score.toFixed(3).replace("-", "−");

const fitLess = (n) => (n === 1 ? t("fit_less_one") : t("fit_less", { n }));

/** A small number on the picture; what it means is in its title, and said to those who hear the page. */
function scoreBadge(picture) {
  return el("span", { class: "score", title: t("score_hint", { score: scoreText(picture) }) },
    el("span", { class: "unseen", text: `${t("score")}: ` }), scoreText(picture));
}

/** Puts the score of `picture` into its frame on the stage, or takes away what is there. */
function drawScore(frame, picture) {
  const text = hasScore(picture) ? scoreText(picture) : "";
  if ((frame.dataset.score ?? "") === text) return;
  frame.dataset.score = text;
  frame.querySelector(".score-place")?.remove();
  if (text) frame.append(el("span", { class: "score-place" }, scoreBadge(picture)));
}

/** Rows of the details: what the critic said. */
function scoreRows(request, picture) {
  if (!hasScore(picture)) return [];
  return [
    [t("score"), scoreText(picture)],
    [t("rank"), request ? t("rank_of", { rank: picture.rank, count: request.num_images }) : String(picture.rank)],
    [t("critic"), picture.critic],
  ];
}

/** The fold at the foot of the stage, with what fits less than the pictures above it. */
function drawRest(job) {
  const box = stage.parts.rest;
  const count = job?.state === "finished" ? job.pictures.length - inGrid(job) : 0;
  const isOpen = count > 0 && Boolean(job.isUnfolded);
  stage.node.dataset.rest = count ? (isOpen ? "open" : "closed") : "";
  box.hidden = !count;
  const key = count ? JSON.stringify([job.id, isOpen, stage.enlarged, job.pictures.map((picture) => [picture.id, isKept(picture)])]) : "";
  if (box.dataset.key === key) return;
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const scrolled = box.querySelector(".rest-list")?.scrollLeft ?? 0;
  box.dataset.key = key;
  if (!count) return fill(box);
  const toggle = el("button", {
    type: "button", class: "rest-toggle", text: fitLess(count), title: t("fit_less_hint"), "aria-expanded": String(isOpen),
    data: { part: "toggle" }, onclick: () => unfold(job, !isOpen),
  });
  const first = inGrid(job);
  const list = isOpen && el("ul", { class: "rest-list", "aria-label": fitLess(count) },
    ...job.pictures.slice(first).map((picture, i) => restItem(job, picture, first + i)));
  fill(box, toggle, list || null);
  if (list) list.scrollLeft = scrolled;
  if (focused) ([...box.querySelectorAll("button")].find((button) => button.dataset.part === focused) ?? toggle).focus({ preventScroll: true });
}

function unfold(job, isOpen) {
  job.isUnfolded = isOpen;
  if (!isOpen && stage.enlarged !== null && stage.enlarged >= inGrid(job)) stage.enlarged = null;
  draw();
}

function restItem(job, picture, index) {
  const isShown = stage.enlarged === index;
  const show = el("button", {
    type: "button", class: "rest-show", "aria-pressed": String(isShown), "aria-label": `${t("picture_n", { n: index + 1 })}, ${t("score")}: ${scoreText(picture)}`,
    data: { part: `show ${picture.id}` }, onclick: () => { stage.enlarged = isShown ? null : index; draw(); },
  }, el("img", { src: `${picture.url}?size=256`, alt: "", width: picture.width, height: picture.height, decoding: "async" }), scoreBadge(picture));
  const keep = el("button", {
    type: "button", class: "rest-keep", text: t("keep_too"), title: t("keep_too_hint"), data: { part: `keep ${picture.id}` },
    onclick: () => setKept(picture, true),
  });
  return el("li", {}, show, keep);
}

/** Takes a picture among the kept, or back into the fold, with the way back in the note. */
async function setKept(picture, wanted) {
  let kept;
  try {
    ({ kept } = await api(wanted ? "POST" : "DELETE", `/api/images/${picture.id}/keep`));
  } catch (error) {
    return note(error.hint ? `${error.message} ${error.hint}` : error.message);
  }
  for (const job of jobs.values()) {
    if (!job.pictures.some((one) => one.id === picture.id)) continue;
    const shown = stage.shown === job && stage.enlarged !== null ? job.pictures[stage.enlarged]?.id : null;
    job.pictures = ranked(job.pictures.map((one) => (one.id === picture.id ? { ...one, kept } : one)));
    if (shown) stage.enlarged = job.pictures.findIndex((one) => one.id === shown);
  }
  const tile = gallery.tiles.get(picture.id);
  if (tile) {
    tile.picture.kept = kept;
    placeTile(tile.parentElement, tile, tile.picture);
    if (gallery.opened?.id === picture.id && !gallery.one.hidden) openOne(tile.picture);
  }
  emit("jobs");
  note(t(kept ? "kept_too" : "put_aside"), { text: t("undo"), run: () => setKept(picture, !kept) });
}

/** For an open picture of the gallery that fits less: the button that keeps it. */
function keepButton(picture) {
  if (isKept(picture)) return null;
  return el("button", { type: "button", class: "plain", text: t("keep_too"), title: t("keep_too_hint"), onclick: () => setKept(picture, true) });
}

/** Puts a tile of the gallery where it belongs: beside those of its job, what fits less behind a tile that unfolds it. */
function placeTile(grid, tile, picture) {
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
function refold(grid, job, isOpen) {
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

// The control: there where several images are made; inactive, and saying why, where nobody could judge them.

const criticIsMissing = (now) => checkpoints.size > 0 && !checkpoints.get(now.checkpoint)?.critic;

/** How many are kept as the request has it: all, where the control has no say. */
function keptCount(now) {
  return isWrong("keep_best", now) || criticIsMissing(now) ? 0 : Number(now.keep_best) || 0;
}

/** Shows the row where there are several images; before the page knows, as it was, so that nothing jumps. */
function showRow(images) {
  const { dataset } = document.documentElement;
  dataset.images = images ?? 1;
  dataset.several = images > 1 ? "yes" : "";
}
showRow(kept.get("controls", {}).num_images);

function drawKeepBest() {
  const box = byId("keep_best");
  if (!box) return;
  const isInactive = checkpoints.size ? criticIsMissing(values) : kept.get("no_critic", false);
  if (checkpoints.size) kept.set("no_critic", isInactive);
  if (isRestored) showRow(values.num_images);
  const why = byId("best_why");
  const text = isInactive ? t("no_critic") : "";
  if (why && why.textContent !== text) why.textContent = text;
  for (const input of box.querySelectorAll("input")) {
    input.disabled = isInactive;
    describe(input, "best_why", isInactive);
  }
  setAttribute(box, "data-inactive", isInactive ? "yes" : "");
  if (isRestored && values.keep_best && keptCount(values) !== values.keep_best) setControls({ keep_best: 0 });
}
for (const event of ["values", "checkpoints", "grown"]) on(event, drawKeepBest);
