// Between the form's store and Gradio's controls, both ways. Gradio tells of what a person does, one control at a time
// (`heard`); what the store says otherwise is handed to Gradio in one event (`apply`), for the controls that differ.
// How long Gradio takes to draw that, and in which order, changes nothing: nothing is read back.

import { emit, on } from "../core/bus.js";
import { given } from "../core/given.js";
import { checkpointOf, checkpoints } from "../form/checkpoints.js";
import { criticIsMissing } from "../form/critic.js";
import { PROMPTS, fields } from "../form/fields.js";
import { isAlike } from "../form/rules.js";
import { shownValue } from "../form/shown_value.js";
import { form } from "../form/store.js";
import { CHECKED, inactiveReason, limitsOf, offeredFor } from "../form/validity.js";
import { fieldOf, promptBox, typeAll } from "./boxes.js";

const controls = given.controls; // names of what `apply` answers for, in its order; the tabs come last
const shown = {}; // what each control shows, as far as it was heard or handed over
const shapes = {}; // how each was handed over, as JSON
let shownTask = given.first_task;
let askGradio = null; // makes Gradio call `apply`
let isDue = false;
let isLoaded = false;
let isChosen = false; // a person chose a tab

for (const name of controls) shown[name] = fields[name]?.may_be_empty ? undefined : given.start[name];

/** How Gradio is to show a control: what can be chosen, and whether anything can. */
function shapeOf(name) {
  if (name === "keep_best") return { interactive: !criticIsMissing(form.values) };
  if (!CHECKED.includes(name)) return {};
  const shape = { interactive: !inactiveReason(name) };
  const offered = offeredFor(name, form.values);
  if (offered) shape.choices = offered.map((id) => [shownValue(name, id), id]);
  if (name === "clip_skip") shape.maximum = Math.min(checkpointOf(form.values)?.clip_layers ?? Infinity, limitsOf("clip_skip").maximum);
  return shape;
}

const isTyped = (name) => isLoaded && PROMPTS.includes(name) && promptBox(name) !== null;

/** Controls that show something else than the store says, or that can be used otherwise. */
function differing() {
  return controls.filter((name) => !isAlike(shown[name], form.values[name]) || JSON.stringify(shapeOf(name)) !== (shapes[name] ?? "{}"));
}

/** Brings what differs to the controls: prompts are typed, so that Ctrl+Z takes them back; the rest Gradio sets. */
function mirror() {
  if (!askGradio) return;
  for (const name of differing().filter(isTyped)) {
    shown[name] = form.values[name];
    typeAll(promptBox(name), form.values[name] ?? "");
  }
  if (isDue || (shownTask === form.task && !differing().length)) return;
  isDue = true;
  askGradio();
}

window.darkroom = {
  /** Gradio is there; `trigger(name)` raises an event that calls `apply`. */
  ready(trigger) {
    askGradio = () => trigger("apply");
  },

  /** Everything is drawn for the first time. */
  loaded() {
    if (!differing().length && shownTask === form.task) isLoaded = true;
    mirror();
    markSettled();
    emit("drawn-by-gradio");
  },

  /** What each control is to show; undefined leaves it alone. */
  apply() {
    isDue = false;
    const due = differing();
    const handed = controls.map((name) => (due.includes(name) ? handOver(name) : undefined));
    const tabs = shownTask === form.task ? undefined : { __type__: "update", selected: form.task };
    shownTask = form.task;
    return [...handed, tabs];
  },

  /** What was handed over is drawn. */
  applied() {
    isLoaded = true;
    mirror(); // what has changed since
    markSettled();
  },

  /** A person set a control. */
  heard(name, value) {
    const now = value === undefined || (value === "" && fields[name]?.may_be_empty) ? null : value;
    shown[name] = now;
    form.set({ [name]: now }, "person");
    mirror(); // what was refused or rounded goes back
  },

  /** A person left a box. */
  left(name) {
    emit("left", name);
  },

  /** A button of Gradio's was pressed. */
  pressed(name) {
    emit(`press-${name}`);
  },

  /** A person chose a tab; which one, `opened` tells next. */
  chosen() {
    isChosen = true;
  },

  /** A tab was opened. Gradio tells so of those that were handed over, too, and late: by then another may be asked for. */
  opened(name) {
    if (!isChosen) return;
    isChosen = false;
    shownTask = name;
    form.setTask(name);
  },
};

function handOver(name) {
  const shape = shapeOf(name);
  shown[name] = form.values[name];
  shapes[name] = JSON.stringify(shape);
  return { __type__: "update", ...shape, value: form.values[name] ?? null };
}

/** Of texts Gradio tells only what keys wrote: no paste, no composed characters, nothing deleted. */
document.addEventListener("input", ({ target }) => {
  const field = fieldOf(target);
  if (field) window.darkroom.heard(field, target.value);
});

for (const event of ["values", "checkpoints", "task"]) on(event, mirror);
on("checkpoints", markSettled);

/** The controls show what was kept, and what the checkpoint changes in it: from now on only people do. */
function markSettled() {
  if (isLoaded && checkpoints.areKnown && !isDue) document.documentElement.dataset.settled = "yes";
}
