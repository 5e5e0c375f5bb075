// The stage's elements, and that it draws itself anew.

import { emit } from "../core/bus.js";

export const stage = { node: null, parts: {}, before: null }; // before: the job that was shown before one without pictures

/** Draws everything that shows a job, as it stands now. */
export const draw = () => emit("view");
