// One finger sideways. Going down the page and pinching stay the browser's (`touch-action` in stage.css), and while the page is zoomed in, so does everything.

import { alarm } from "../core/timing.js";

const SWIPE_START = 12; // px; the tremble of a tap is less
const SWIPE_SHARE = 0.22; // of the width: as far as this, letting go turns the page
const SWIPE_PACE = 0.4; // px a millisecond: a flick turns it as well
const CLICK_FOLLOWS = 80; // ms

/**
 * `box` takes touches; `follow(dx)` moves what is seen, `go(by)` shows the next (1) or the one before (-1), and
 * `isThere(by)` says whether there is one. `follow(0)` puts everything back.
 */
export function swipeable(box, { isThere, follow, go }) {
  const fingers = new Set();
  let swipe = null;

  const end = () => { swipe = null; box.dataset.swiping = ""; };
  const giveUp = () => { if (swipe?.isOn) follow(0, true); end(); };

  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    if (event.isPrimary) fingers.clear();
    fingers.add(event.pointerId);
    if (fingers.size > 1 || isZoomed()) return giveUp();
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
  alarm(() => box.removeEventListener("click", swallow, { capture: true })).set(CLICK_FOLLOWS);
}

const isZoomed = () => (window.visualViewport?.scale ?? 1) > 1.01;
window.visualViewport?.addEventListener("resize", () => document.documentElement.classList.toggle("zoomed", isZoomed()));

