// A branch that is armed: the next Generate goes on from a step of another job. What a branch has as its origin has it
// cannot be changed meanwhile.

import { emit, on } from "../core/bus.js";
import { given } from "../core/given.js";
import { kept } from "../core/kept.js";
import { fields, order } from "./fields.js";
import { form } from "./store.js";
import { FOLLOWING } from "./validity.js";

/** Controls that say nothing while a branch is armed; the row of sizes is one of them. */
export const TIED = ["size_row", ...order.filter((name) => !["ratio", "width", "height", ...given.branch_free].includes(name))];
// Those that nobody but a person changes, or the settings of another picture: the others follow by themselves.
const COURSE = [...TIED.filter((name) => name in fields && !FOLLOWING.includes(name)), "width", "height"];
let armed = kept.get("branch"); // {job, image, step, total, task, prompt, preview}

export const branch = {
  /** Where the next Generate branches off in the open tab: {job, image, step, …}, or null. */
  get armed() { return armed && armed.task === form.task ? armed : null; },

  arm(origin) {
    armed = origin;
    kept.set("branch", armed);
    emit("branch");
  },

  disarm() {
    if (!armed) return;
    armed = null;
    kept.set("branch", null);
    emit("branch");
  },
};

/** Settings of another picture are no branch's: what is tied would show what is not so. */
on("values", ({ changed, asked }) => {
  if (branch.armed && COURSE.some((name) => changed.includes(name) && asked.includes(name))) branch.disarm();
});
on("task", () => emit("branch"));
