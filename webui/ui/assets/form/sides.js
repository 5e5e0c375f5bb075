// What is added at a picture's sides, in pixels.

import { SIDES } from "./fields.js";

const MULTIPLE = 8; // of which a side's pixels are, as the autoencoders want it

/** Left, top, right and bottom. */
export const sidesOf = (request) => SIDES.map((name) => Number(request[name]) || 0);

export const hasSides = (request) => sidesOf(request).some((pixels) => pixels > 0);

/** Pixels that are computed, in millions. */
export function drawnMegapixels(request) {
  const isPlain = request.inpaint_area === "only_masked" || request.task !== "image_to_image";
  const [left, top, right, bottom] = isPlain ? [0, 0, 0, 0] : sidesOf(request);
  return ((request.width + left + right) * (request.height + top + bottom)) / 1e6;
}

/** The nearest that a request may have. */
export const evenSide = (pixels) => Math.round((Number(pixels) || 0) / MULTIPLE) * MULTIPLE;
