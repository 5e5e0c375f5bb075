// Width and height by proportions, and steps by how much care is asked for, from the checkpoint's own.

import { defaultsOf } from "./checkpoints.js";

const RATIOS = ["1:1", "4:3", "3:2", "16:9"];
const QUALITY = { draft: 0.5, normal: 1, fine: 1.75 }; // of the checkpoint's own number of steps
const PLAIN = { width: 512, height: 512, steps: 20 }; // where nothing is known of the checkpoint
const [SMALLEST, LARGEST, MULTIPLE] = [64, 2048, 8]; // pixels

const multiple = (pixels) => Math.max(SMALLEST, Math.min(LARGEST, Math.round(pixels / MULTIPLE) * MULTIPLE));

/** Width and height in those proportions, with as many pixels as `own` has, by default the checkpoint's own size; upright
 * where `now` is. */
export function sizeFor(ratio, now, own = defaultsOf(now.checkpoint) ?? PLAIN) {
  const [across, down] = ratio.split(":").map(Number);
  const side = Math.sqrt((own.width * own.height * across) / down);
  const [width, height] = [multiple(side), multiple((side * down) / across)];
  return now.height > now.width && across !== down ? { width: height, height: width } : { width, height };
}

/** Whether width and height have those proportions, lying or upright. */
export function hasRatio(ratio, now) {
  const { width, height } = sizeFor(ratio, now);
  return [[width, height], [height, width]].some(([across, down]) => across === now.width && down === now.height);
}

/** The proportions that width and height have at the checkpoint's own number of pixels, or null. */
export const ratioOf = (now) => RATIOS.find((ratio) => {
  const { width, height } = sizeFor(ratio, now);
  return width === now.width && height === now.height;
}) ?? null;

/** As many pixels as `own` has, in the proportions that somebody chose; `own` itself where nobody has. */
export function proportionedSize(own, now, untouched) {
  if (untouched.has("width") && untouched.has("height")) return { width: own.width, height: own.height };
  const [short, long] = [now.width, now.height].sort((one, other) => one - other);
  return sizeFor(now.ratio ?? `${long}:${short}`, now, own);
}

export const stepsFor = (quality, now) => Math.max(1, Math.round((defaultsOf(now.checkpoint) ?? PLAIN).steps * QUALITY[quality]));

/** Three quarters of a side in steps of 64 pixels, halves to even: as the hint of the error words it. */
export function smallerSide(side) {
  const parts = (side * 0.75) / 64;
  const rounded = parts % 1 === 0.5 ? 2 * Math.round(parts / 2) : Math.round(parts);
  return Math.max(64, rounded * 64);
}
