// Through the last pictures: one finger sideways, or the arrow keys on the stage. Going down the page and pinching stay
// the browser's (`touch-action` in stage.css), and while the page is zoomed in, so does everything.

const SWIPE_START = 12; // px; the tremble of a tap is less
const SWIPE_SHARE = 0.22; // of the width: as far as this, letting go turns the page
const SWIPE_PACE = 0.4; // px a millisecond: a flick turns it as well
const SWIPE_SECONDS = 0.18;

/**
 * `box` takes touches; `follow(dx)` moves what is seen, `go(by)` shows the next (1) or the one before (-1), and
 * `isThere(by)` says whether there is one. `follow(0)` puts everything back.
 */
function swipeable(box, { isThere, follow, go }) {
  const fingers = new Set();
  let swipe = null;

  const end = () => { swipe = null; box.dataset.swiping = ""; };
  const giveUp = () => { if (swipe?.isOn) follow(0, true); end(); };

  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    if (event.isPrimary) fingers.clear();
    fingers.add(event.pointerId);
    if (fingers.size > 1 || darkroom.isZoomed()) return giveUp();
    swipe = { id: event.pointerId, x: event.clientX, y: event.clientY, at: event.timeStamp, dx: 0, pace: 0, isOn: false };
  });

  box.addEventListener("pointermove", (event) => {
    if (swipe?.id !== event.pointerId) return;
    const [dx, dy] = [event.clientX - swipe.x, event.clientY - swipe.y];
    if (!swipe.isOn) {
      if (Math.abs(dy) > SWIPE_START && Math.abs(dy) > Math.abs(dx)) return end();
      if (Math.abs(dx) < SWIPE_START || Math.abs(dx) < 1.5 * Math.abs(dy)) return;
      swipe.isOn = true;
      box.dataset.swiping = "yes";
      box.setPointerCapture(event.pointerId);
    }
    const passed = event.timeStamp - swipe.at;
    if (passed > 0) swipe.pace = 0.5 * swipe.pace + (0.5 * (dx - swipe.dx)) / passed;
    Object.assign(swipe, { dx, at: event.timeStamp });
    follow(isThere(dx < 0 ? 1 : -1) ? dx : dx / 4); // nothing there: it gives way a little, and comes back
  });

  box.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (swipe?.id !== event.pointerId) return;
    const { dx, pace, isOn } = swipe;
    const by = dx < 0 ? 1 : -1;
    const isMeant = Math.abs(dx) > SWIPE_SHARE * box.clientWidth || (Math.abs(pace) > SWIPE_PACE && pace * dx > 0);
    if (!isOn || !isMeant || !isThere(by)) return giveUp();
    swallowClick(box);
    end();
    go(by);
  });

  box.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (swipe?.id === event.pointerId) giveUp(); // the browser took it: it scrolls, or pinches
  });
}

/** The click that some browsers send after a swipe opens nothing. */
function swallowClick(box) {
  const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
  box.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => box.removeEventListener("click", swallow, { capture: true }), 80);
}

darkroom.isZoomed = () => (window.visualViewport?.scale ?? 1) > 1.01;
window.visualViewport?.addEventListener("resize", () => document.documentElement.classList.toggle("zoomed", darkroom.isZoomed()));

/** Jobs that can be looked at, in the order of the thumbnails. */
const jobsToSee = () => railOrder().filter((job) => job === stage.shown || sourcesOf(job).some(Boolean));

/** What lies `by` steps on: another picture of the job whose picture is enlarged, else another job. */
function neighbour(by) {
  const job = stage.shown;
  if (!job) return null;
  const index = stage.enlarged === null ? -1 : stage.enlarged + by;
  const isBeside = index >= inGrid(job) === stage.enlarged >= inGrid(job); // nobody slips into the fold
  if (index >= 0 && sourcesOf(job)[index] && isBeside) return { job, enlarged: index };
  const list = jobsToSee();
  const next = list[list.indexOf(job) + by];
  return next ? { job: next, enlarged: null } : null;
}

/** Shows what lies `by` steps on. Back at the newest, the stage follows what runs again. */
function turn(by) {
  const next = neighbour(by);
  if (!next) return;
  const hadFocus = stage.parts.pictures.contains(document.activeElement);
  choose(next.job.id);
  if (next.enlarged === null) {
    stage.chosen = null;
    if (jobToShow() !== next.job) stage.chosen = next.job.id;
  }
  stage.enlarged = next.enlarged;
  draw();
  if (hadFocus) stage.node.focus();
  const list = jobsToSee();
  stage.parts.said.textContent = t("picture_at", {
    n: list.indexOf(next.job) + 1, count: list.length, prompt: altOf(next.job, next.enlarged ?? 0),
  });
}

/** The neighbour, beside the stage while a finger pulls it in. */
const peek = { node: null, key: "" };

function drawPeek(by) {
  const next = neighbour(by);
  const key = next ? `${next.job.id}/${next.enlarged}` : "";
  if (peek.node && peek.key === key) return;
  dropPeek();
  if (!next) return;
  const all = sourcesOf(next.job);
  const sources = next.enlarged === null ? all.slice(0, inGrid(next.job) || undefined) : [all[next.enlarged]];
  const frames = sources.filter(Boolean).map((source) => {
    const image = el("img", { src: source, alt: "", onload: () => fitFrame(image, image) });
    return el("div", { class: "frame" }, image);
  });
  peek.node = el("div", { class: "stage-pictures stage-peek", "aria-hidden": "true", data: { count: frames.length } }, ...frames);
  peek.key = key;
  stage.node.append(peek.node);
}

function dropPeek() {
  peek.node?.remove();
  peek.node = null;
}

function slide(dx, isAnimated = false) {
  const time = isAnimated && !matchMedia("(prefers-reduced-motion: reduce)").matches ? SWIPE_SECONDS : 0;
  const { pictures } = stage.parts;
  const at = dx + Math.sign(dx || peek.from || 0) * -stage.node.clientWidth;
  for (const [node, x] of [[pictures, dx], [peek.node, at]]) {
    if (!node) continue;
    node.style.transition = time ? `transform ${time}s ease-out` : "none";
    node.style.transform = x ? `translateX(${x}px)` : "";
  }
  return time * 1000;
}

/** The picture that was pulled in stands for the new one until that is decoded. */
async function handOver() {
  peek.isTurning = true;
  const isReady = () => [...stage.parts.pictures.querySelectorAll("img")].every((image) => image.complete && image.naturalWidth);
  for (let i = 0; i < 20 && !isReady(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  dropPeek();
  peek.isTurning = false;
}

function mountSwipe() {
  swipeable(stage.node, {
    isThere: (by) => !peek.isTurning && neighbour(by) !== null,
    follow: (dx, isBack = false) => {
      if (peek.isTurning) return;
      if (isBack) return void setTimeout(dropPeek, slide(0, true));
      peek.from = dx;
      drawPeek(dx < 0 ? 1 : -1);
      slide(dx);
    },
    go: (by) => {
      peek.isTurning = true;
      setTimeout(() => {
        turn(by);
        stage.parts.pictures.style.transform = stage.parts.pictures.style.transition = "";
        handOver();
      }, slide(-by * stage.node.clientWidth, true));
    },
  });
  stage.node.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isOurs = event.target === stage.node || stage.parts.pictures.contains(event.target);
    if (!by || !isOurs || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    turn(by);
  });
}
