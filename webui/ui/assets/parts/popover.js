// Boxes that open beside their button: the browser's own popovers. Escape, a click elsewhere and Back close them, and the
// focus goes back to where it came from.

import { canOpen, closed, opened } from "../core/history.js";
import { afterwards } from "../core/timing.js";
import { nodeOf } from "../gradio/boxes.js";

const [GAP, EDGE, HEAD, TALLEST, ENOUGH] = [6, 12, 48, 640, 320]; // px

export const isOpen = (box) => box.matches(":popover-open");

/** `button` shows and hides `box`, which is `width` pixels wide; `onopen` fills it, and may give something in it the focus.
 * `name` stands in the address. Returns what closes it. */
export function popover(button, box, name, width, onopen) {
  const close = () => { if (isOpen(box)) box.hidePopover(); };
  box.popover = "auto";
  box.tabIndex = -1;
  box.autofocus = true;
  button.popoverTargetElement = box;
  button.setAttribute("aria-expanded", "false");
  box.addEventListener("beforetoggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "closed") return closed(name);
    placeBeside(button, box, width);
    opened(name, close);
  });
  box.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") onopen();
  });
  box.addEventListener("focusout", ({ relatedTarget }) => { // nothing stays over what Tab leads to
    if (!relatedTarget || relatedTarget === button || box.contains(relatedTarget)) return;
    afterwards(() => { // what a script types takes the focus there and back at once
      const now = document.activeElement;
      if (now !== document.body && now !== button && !box.contains(now)) close();
    });
  });
  for (const event of ["scroll", "resize"]) window.addEventListener(event, () => { if (isOpen(box)) placeBeside(button, box, width); }, true);
  canOpen(name, () => { if (!isOpen(box)) box.showPopover(); });
  return close;
}

/** Below the button or above it, wherever there is more room; a phone has its own place for it. */
function placeBeside(button, box, width) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const foot = nodeOf("header")?.contains(button) ? innerHeight : nodeOf("foot")?.getBoundingClientRect().top ?? innerHeight;
  const [above, below] = [top - HEAD - GAP, foot - bottom - GAP - EDGE];
  const isBelow = below >= Math.min(above, ENOUGH);
  const edge = isBelow ? { top: `${bottom + GAP}px`, bottom: "auto" } : { top: "auto", bottom: `${innerHeight - top + GAP}px` };
  const left = Math.min(Math.max(EDGE, right - width), innerWidth - width - EDGE);
  Object.assign(box.style, { left: `${left}px`, maxHeight: `${Math.min(TALLEST, isBelow ? below : above)}px`, ...edge });
}
