// Pictures in frames: one fades into the next, and each is as large as its frame allows.

import { el } from "../core/dom.js";

const SMALL = 400; // pixels; a preview that is shown larger than it is

/** A frame with an empty img, for `showIn`. */
export const emptyFrame = (key, alt = "") =>
  el("div", { class: "frame", data: { key } }, el("img", { alt, draggable: "true", decoding: "async", hidden: true })); // until its proportions are known

/** Cross-fade with a single img: the last picture stays behind it as a background while the new one fades in. */
export function showIn(frame, source) {
  const image = frame.firstElementChild;
  if (image.dataset.source === source) return;
  const before = image.dataset.source;
  image.dataset.source = source;
  const next = new Image();
  next.decoding = "async";
  next.src = source;
  const swap = () => {
    if (image.dataset.source !== source) return;
    if (before) {
      image.style.backgroundImage = `url("${image.src}")`;
      image.getAnimations().forEach((animation) => animation.cancel());
    }
    image.src = source;
    fitFrame(image, next);
    image.hidden = false;
  };
  next.decode().then(swap, swap);
}

/** The img takes the whole stage and contains its picture; small pictures are shown larger, never smaller than meant. */
export function fitFrame(image, loaded) {
  const ratio = `${loaded.naturalWidth || 1} / ${loaded.naturalHeight || 1}`;
  for (const part of [image.parentElement, image]) part?.style.setProperty("--ratio", ratio);
  image.dataset.small = loaded.naturalWidth < SMALL ? "yes" : "";
}
