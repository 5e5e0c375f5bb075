// Boxes that open beside a button of the form, which scrolls: they stand over the page, wherever there is room.

import { nodeOf } from "../gradio/boxes.js";

const [GAP, EDGE, HEAD, TALLEST, ENOUGH] = [6, 12, 60, 440, 320]; // px

/** Below the button or above it, wherever there is more room; a phone has its own place for it. */
export function placeBeside(button, box, width) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const foot = nodeOf("foot")?.getBoundingClientRect().top ?? innerHeight;
  const [above, below] = [top - HEAD, foot - bottom - GAP - EDGE];
  const isBelow = below >= Math.min(above, ENOUGH);
  const edge = isBelow ? { top: `${bottom + GAP}px`, bottom: "auto" } : { top: "auto", bottom: `${innerHeight - top + GAP}px` };
  const left = Math.min(Math.max(EDGE, right - width), innerWidth - width - EDGE);
  Object.assign(box.style, { left: `${left}px`, maxHeight: `${Math.min(TALLEST, isBelow ? below : above)}px`, ...edge });
}

/** Keeps an open box where its button is. */
export function keepBeside(button, box, width) {
  const follow = () => { if (!box.hidden) placeBeside(button, box, width); };
  for (const name of ["scroll", "resize"]) window.addEventListener(name, follow, true);
}
