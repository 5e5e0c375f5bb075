// How many of several images are kept, where somebody can judge them.

import { on } from "../core/bus.js";
import { kept } from "../core/kept.js";
import { checkpointOf, checkpoints } from "./checkpoints.js";
import { form } from "./store.js";
import { isWrong } from "./validity.js";

/** Whether the chosen checkpoint has nobody who could judge its pictures; while that is not known, as it was. */
export function criticIsMissing(now) {
  return checkpoints.areKnown ? !checkpointOf(now)?.critic : kept.get("no_critic", false);
}
on("checkpoints", () => kept.set("no_critic", criticIsMissing(form.values)));

/** How many are kept as the request has it: all (0), where the control has no say. */
export function keptCount(now) {
  return isWrong("keep_best", now) || criticIsMissing(now) ? 0 : Number(now.keep_best) || 0;
}
