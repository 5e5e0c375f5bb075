// The request that the form says, as the API takes it.

import { given } from "../core/given.js";
import { t } from "../core/language.js";
import { keptCount } from "./critic.js";
import { SIDES, fields } from "./fields.js";
import { evenSide } from "./sides.js";
import { form } from "./store.js";
import { allInactive, ownEta } from "./validity.js";

/** The values as they are sent: what has no effect goes out as if nobody had set it. */
export function sentValues(now, task) {
  const going = { ...now };
  for (const name of Object.keys(allInactive(now))) if (name !== "scheduler") going[name] = given.defaults[name] ?? null;
  if (task === "style_transfer" && now.method === "instant") going.seed = null; // not shown
  for (const name of SIDES) going[name] = evenSide(now[name]);
  going.keep_best = keptCount(now);
  if (going.eta === ownEta(now.scheduler)) going.eta = null; // the scheduler's own share
  return going;
}

/** {task, …} with the fields of that task; what is empty is left out, so that it becomes the checkpoint's default. */
export function requestOf(now = form.values, task = form.task) {
  const going = sentValues(now, task);
  const named = given.tasks[task].filter((name) => !isNothing(going[name]));
  return { task, ...Object.fromEntries(named.map((name) => [name, going[name]])) };
}

const isNothing = (value) => value === null || value === undefined || value === "";

/** What a branch may have otherwise, of the request. */
export function branchOf(request, { image, step }) {
  const free = given.branch_free.filter((name) => name in request).map((name) => [name, request[name]]);
  return { image, step, ...Object.fromEntries(free), seed: request.seed ?? -1 };
}

/** Where a request is submitted. */
export const addressOf = (task) => `/api/${task.replaceAll("_", "-")}`;

/** A refusal of a request, in words that name the control, and which control that is: {message, field}. */
export function complaintOf(error) {
  const [first] = error.items;
  if (!first) return { message: error.message, field: "" };
  const field = [...first.loc].reverse().find((part) => part in fields) ?? "";
  const label = t(field);
  const { ctx = {} } = first;
  if (!field) return { message: error.message, field };
  if (ctx.reason) return { message: t("invalid_reason", { field: label, reason: ctx.reason }), field };
  if (first.type === "prompt" || first.type === "invalid_request") return { message: first.msg, field };
  if (fields[field].kind === "picture") return { message: t("invalid_picture", { field: label }), field };
  if (first.type === "string_too_long") return { message: t("invalid_long", { field: label, limit: ctx.max_length }), field };
  const { limits } = fields[field];
  if (limits) return { message: t("invalid_number", { field: label, ...limits }), field };
  return { message: t("invalid_value", { field: label }), field };
}
