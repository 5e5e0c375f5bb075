// What goes together: which settings say nothing beside others, which would be refused, and what has to change then.
// The rules are Python's (`given.sampling`), evaluated by `rules.js`; nothing here knows a family or a scheduler.

import { given } from "../core/given.js";
import { language } from "../core/language.js";
import { checkpointOf, factsOf } from "./checkpoints.js";
import { FOLDED, fields, isOrdinary, isSame, order } from "./fields.js";
import { choicesOf, firstRefusal, inactiveFields } from "./rules.js";
import { form } from "./store.js";

const table = given.sampling;
const rulesAbout = (name) => table.rules.filter(({ field }) => field === name);
const mayBeInactive = (name) => rulesAbout(name).some(({ effect }) => effect !== "error");

/** Controls whose choices or use change as other settings do. */
export const CHECKED = order.filter((name) => isOrdinary(name) && mayBeInactive(name));

/** What changes by itself with scheduler and checkpoint. */
export const FOLLOWING = ["sigmas", "resize_mode", "clip_skip", "eta"];

/** Bounds of a slider of the fold that depend on others: {minimum, maximum, step}. */
export const limitsOf = (name) => table.limits[name];

/** The scheduler's own share of noise, or undefined. */
export const ownEta = (scheduler) => table.eta[scheduler];

/** Why `name` has no effect beside the other settings, as the code of a sentence; undefined where it has one. */
export function inactiveReason(name, now = form.values) {
  const facts = factsOf(now);
  return facts ? inactiveFields(rulesAbout(name), now, facts)[name] : undefined;
}

/** All fields without effect, each with the reason's code. */
export function allInactive(now) {
  const facts = factsOf(now);
  return facts ? inactiveFields(table.rules, now, facts) : {};
}

/** Whether the value of `name` would be an error, whatever its default is. */
export function isWrong(name, now) {
  const errors = rulesAbout(name).filter(({ effect }) => effect === "error");
  return firstRefusal(errors, now, given.defaults, factsOf(now) ?? { lacking: [], choices: {} }) !== null;
}

/** A reason's code as a sentence. */
export function reasonSentence(reason) {
  const text = table.reasons[language][reason];
  return language === "zh-CN" ? `${text}。` : `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** What a setting is where nobody says anything. */
export function ownDefault(name, now = form.values) {
  if (name === "eta") return ownEta(now.scheduler);
  return checkpointOf(now)?.defaults[name] ?? given.defaults[name] ?? null;
}

/** What a control is put back to; it stays as it is where nothing else is known of it. */
export const restingValue = (name, now) => ownDefault(name, now) ?? (fields[name]?.may_be_empty ? null : now[name]);

/** The values that can be chosen for `name` beside the others, or null where that does not depend on them. */
export function offeredFor(name, now) {
  const facts = factsOf(now);
  if (!facts || !(name in facts.choices)) return null;
  return choicesOf(facts, now, name, ...(name === "sigmas" ? ["scheduler"] : []));
}

/** What has to change so that `now` is nothing that would be refused; `untouched` are names of what nobody has set. */
export function mended(now, untouched = form.untouched) {
  const found = {};
  const facts = factsOf(now);
  if (facts) {
    const own = ownDefault("scheduler", now);
    const schedulers = offeredFor("scheduler", now);
    if (!schedulers.includes(now.scheduler)) found.scheduler = schedulers.includes(own) ? own : schedulers[0];
    const sigmas = offeredFor("sigmas", { ...now, ...found });
    if (!sigmas.includes(now.sigmas)) [found.sigmas] = sigmas;
    if (!offeredFor("resize_mode", now).includes(now.resize_mode)) found.resize_mode = given.defaults.resize_mode;
    if (isWrong("clip_skip", now)) found.clip_skip = facts.clip_layers;
  }
  const eta = ownEta(found.scheduler ?? now.scheduler);
  if (untouched.has("eta") && eta !== undefined && eta !== now.eta) found.eta = eta;
  return found;
}

/** Names of what in the fold Sampling is not at its default and has an effect. */
export const changedSettings = () => FOLDED.filter((name) => !inactiveReason(name) && !isSame(form.values[name] ?? null, ownDefault(name) ?? null));
