// How much work a request is, and from how long such work took, how long it will take. Kept in this browser.

import { kept } from "../core/kept.js";
import { drawnMegapixels, hasSides } from "./sides.js";

const PACES = "paces"; // seconds for a step and a megapixel, by task and checkpoint

export const isAtOnce = (request) => request.task === "style_transfer" && request.method === "instant";

/** How many pictures a request makes. */
export const requestImages = (request) => (Number.isInteger(request?.only_image) ? 1 : request?.num_images ?? 1);

const paceKey = (request) => `${request.task}/${isAtOnce(request) ? "instant" : (request.checkpoint ?? "")}`;

/** Steps times megapixels times pictures. */
export function workOf(request) {
  if (request.task === "style_transfer") return (isAtOnce(request) ? 1 : request.iterations) * (request.size ** 2 / 1e6);
  const share = request.task === "image_to_image" && !hasSides(request) ? request.denoising_strength : 1;
  return request.steps * drawnMegapixels(request) * requestImages(request) * share;
}

/** A request took so long. */
export function learnPace(request, tookSeconds) {
  const work = workOf(request);
  if (work > 0) kept.set(PACES, { ...kept.get(PACES, {}), [paceKey(request)]: tookSeconds / work });
}

/** Seconds that a request will take, or 0 where none like it was made here. */
export function estimatedSeconds(request) {
  const pace = kept.get(PACES, {})[paceKey(request)];
  return pace ? pace * workOf(request) : 0;
}
