// What the form says: the one place that knows. Controls show it and write to it; requests are made of it.
// A change is merged, completed by what follows from it, kept in the browser and told once: `emit("values", {before, changed, by, asked})`.

import { emit } from "../core/bus.js";
import { given } from "../core/given.js";
import { kept } from "../core/kept.js";
import { fields, order } from "./fields.js";
import { isAlike } from "./rules.js";

const KEPT_FROM_THE_START = ["width", "height", "steps", "guidance_scale", "scheduler", "sigmas", "eta"];

/** What version 1 kept, so that it draws the same: one look, sigmas between the timesteps' ends, whole steps, lists as
 * text. */
export function upgradedValues({ look, ...saved }) {
  const now = { ...saved };
  for (const name of order) if (fields[name]?.kind === "json" && typeof now[name] === "string") now[name] = parsed(now[name]);
  if ("looks" in now || !("prompt" in now)) return now;
  Object.assign(now, { looks: look ? [look] : [], denoising_start: "whole_step" });
  return now.sigmas === "default" ? now : { ...now, sigma_range: "timesteps" };
}

function parsed(text) {
  try {
    return JSON.parse(text || "null");
  } catch {
    return null;
  }
}

/** What of `saved` is what this version keeps; another version's, and what somebody else wrote there, is left out. */
function fittingValues(saved) {
  const isFit = (name) => {
    const [value, start] = [saved[name], given.start[name]];
    if (fields[name]?.kind === "json") return value === null || typeof value === "object";
    if (Array.isArray(start)) return Array.isArray(value) && value.every((one) => typeof one === "string");
    if (value === null) return start === null || typeof start !== "string" && !Array.isArray(start);
    if (start === null) return ["string", "number"].includes(typeof value);
    return typeof value === typeof start && (typeof value !== "number" || Number.isFinite(value));
  };
  return Object.fromEntries(order.filter((name) => name in saved && isFit(name)).map((name) => [name, saved[name]]));
}

const stored = kept.get("controls", {});
const saved = upgradedValues(typeof stored === "object" && !Array.isArray(stored) ? stored : {});
const known = fittingValues(saved);
let values = Object.freeze({ ...given.start, ...known });
let task = kept.get("task") in given.tasks ? kept.get("task") : given.first_task;
let untouched = new Set([kept.get("untouched", KEPT_FROM_THE_START)].flat());
if (!("eta" in saved)) untouched.add("eta"); // what was kept before it had a control
const derivations = [];
let told = null; // the changes that are being told, while they are

export const form = {
  /** All values by name, frozen. */
  get values() { return values; },
  /** The task whose tab is open. */
  get task() { return task; },
  /** Names of what nobody has set, and what therefore follows the checkpoint. */
  get untouched() { return untouched; },

  /**
   * Merges `changes` by name. `by` is "person" for what somebody types or drags in a control, else "page".
   * What `derive`d functions answer is merged too, until they have nothing more to say.
   */
  set(changes, by = "page") {
    const before = values;
    const wanted = Object.entries(changes).filter(([name, value]) => order.includes(name) && value !== undefined && !isAlike(before[name], value));
    if (!wanted.length) return;
    values = complete(before, Object.freeze({ ...before, ...Object.fromEntries(wanted) }), by);
    keep();
    tell(before, by, wanted.map(([name]) => name));
  },

  /** `run(now, before, by)` answers with further changes that follow from a change; it must come to rest. */
  derive(run) {
    derivations.push(run);
  },

  setTask(name) {
    if (name === task) return;
    task = name;
    kept.set("task", task);
    emit("task", task);
  },

  /** Completes the values anew, after something else changed that they follow from. */
  settle() {
    const before = values;
    values = complete(before, before, "page");
    if (values === before) return;
    keep();
    tell(before, "page", []);
  },

  /** From now on `name` does not follow the checkpoint's default. */
  touch(...names) {
    untouched = new Set([...untouched].filter((name) => !names.includes(name)));
    keep();
  },

  /** From now on these do, and nothing else. */
  setUntouched(names) {
    untouched = new Set(names);
    keep();
  },
};

const MOST_ROUNDS = 20;

function complete(before, now, by) {
  let last = before;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const more = Object.assign({}, ...derivations.map((run) => run(now, last, by)));
    const wanted = Object.entries(more).filter(([name, value]) => !isAlike(now[name], value));
    if (!wanted.length) return now;
    last = now;
    now = Object.freeze({ ...now, ...Object.fromEntries(wanted) });
  }
  throw new Error("the form does not come to rest");
}

function keep() {
  kept.set("controls", values);
  kept.set("untouched", [...untouched]);
}

/** A listener that sets something is heard after the others have heard of the change before. `asked`: names in it. */
function tell(before, by, asked) {
  const after = values;
  const changed = order.filter((name) => !isAlike(before[name], after[name]));
  if (told) return void told.push({ before, changed, by, asked });
  told = [{ before, changed, by, asked }];
  for (const change of told) emit("values", change);
  told = null;
}
