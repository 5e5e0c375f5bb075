// What Python's declarations say of each field of a request: where its control stands and of what kind it is.

import { given } from "../core/given.js";

export const fields = given.fields;

/** Names of everything that the form says, in the order of its controls. */
export const order = given.order;

/** Names of the fields whose controls stand in these groups, in the order of their declaration. */
export const fieldsIn = (...groups) => Object.keys(fields).filter((name) => groups.includes(fields[name].group));

/** The same in rows: what stands side by side is in one. */
export function rowsIn(...groups) {
  const rows = [];
  for (const name of fieldsIn(...groups)) {
    if (fields[name].beside) rows.at(-1).push(name);
    else rows.push([name]);
  }
  return rows;
}

/** Whether a field's control is one of Gradio's, which can be greyed out. */
export const isOrdinary = (name) => ![null, "picture", "json"].includes(fields[name]?.kind ?? null);

export const FOLDED = fieldsIn("sampling");
export const PICTURED = fieldsIn("picture", "masking", "framing", "sides"); // what is about the picture that goes in
export const STYLED = fieldsIn("styling");
export const SIDES = fieldsIn("sides"); // left, top, right, bottom
export const PROMPTS = ["negative_prompt", "prompt"]; // the last one written is the first one that Ctrl+Z takes back

/** Whether two values of a field mean the same: of numbers up to rounding, and nothing is nothing. */
export function isSame(one, other) {
  if (one === other) return true;
  const isNothing = (value) => value === null || value === undefined || value === -1 || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  if (isNothing(one) || isNothing(other)) return isNothing(one) && isNothing(other);
  if (typeof one === "number" && typeof other === "number") return Math.abs(one - other) < 1e-9;
  return typeof one === "object" && JSON.stringify(one) === JSON.stringify(other);
}
