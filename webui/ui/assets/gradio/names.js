// Puts right what Gradio draws: a slider's range is "Steps" (its box "Steps value"), every field has exactly one element
// with its name, tabs go by arrow keys, chips are one group. And it says below a row of
// controls why one of them does nothing. Looks at what Gradio draws whenever it has drawn something.

import { on } from "../core/bus.js";
import { byId, describe, el, setAttribute, setText } from "../core/dom.js";
import { sentences, t } from "../core/language.js";
import { TIED, branch } from "../form/branch.js";
import { criticIsMissing } from "../form/critic.js";
import { PROMPTS, fields, rowsIn } from "../form/fields.js";
import { form } from "../form/store.js";
import { inactiveReason, reasonSentence } from "../form/validity.js";
import { inputsOf, nodeOf, promptBox } from "./boxes.js";

const PARTS = { slider: "slider", number: "input", text: "input", chips: "group" };
const RENAMED = {
  ...Object.fromEntries(Object.entries(fields).filter(([, { kind }]) => kind in PARTS).map(([name, { kind }]) => [name, PARTS[kind]])),
  quality: "group", ratio: "group", // fill no field
};
const CALLED = { ratio: "proportions" };
const TITLES = { swap: "swap_sides", dice: "seed_new", reuse: "seed_reuse", generate: "generate_hint", stop: "stop_hint" };

const setName = (node, name) => node && setAttribute(node, "aria-label", name);

function correctNames() {
  for (const [field, kind] of Object.entries(RENAMED)) correctName(field, kind, nodeOf(field));
  for (const [id, key] of Object.entries(TITLES)) {
    const button = nodeOf(id);
    if (!button) continue;
    setAttribute(button, "title", t(key));
    setName(button, id === "generate" || id === "stop" ? t(id) : t(key)); // the shortcut drawn beside it is no name
  }
}

function correctName(field, kind, box) {
  if (!box) return;
  const name = t(CALLED[field] ?? field);
  if (kind === "slider") {
    setName(box.querySelector("input[type=range]"), name);
    setName(box.querySelector("input[type=number]"), t("value_of", { name }));
  } else if (kind === "input") {
    setName(box.querySelector("textarea, input"), name);
  } else {
    const group = box.matches("fieldset") ? box : (box.querySelector("fieldset") ?? box);
    setAttribute(group, "role", "radiogroup");
    setName(group, name);
  }
}

const taskTabs = () => [...(nodeOf("tasks")?.querySelectorAll("[role=tab]") ?? [])].filter((tab) => tab.offsetParent);

function correctStops() {
  for (const tab of taskTabs()) setAttribute(tab, "tabindex", tab.getAttribute("aria-selected") === "true" ? "0" : "-1");
  for (const group of document.querySelectorAll(".chips")) {
    for (const chip of group.querySelectorAll("input[type=radio]")) setAttribute(chip, "name", `${group.id}_chip`);
  }
}

document.addEventListener("keydown", (event) => {
  if (!taskTabs().includes(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
  const tabs = taskTabs();
  const at = tabs.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = tabs.at(to % tabs.length);
  tab.click();
  tab.focus();
});

const EXPLAINED = [...rowsIn("sampling"), ["negative_prompt"], ...rowsIn("picture", "masking", "framing", "sides"), ...rowsIn("styling")];

/** Below each row the reason why something in it does nothing; neighbours that share a sentence say it once. */
function drawReasons() {
  const found = EXPLAINED.filter(([first]) => fields[first].kind !== "json").map((row) => {
    const reasons = [...new Set(row.map((name) => inactiveReason(name)).filter(Boolean))];
    return { row, text: sentences(reasons.map(reasonSentence)) };
  });
  found.forEach(({ row, text }, at) => {
    const box = reasonBox(row);
    if (!box) return;
    setText(box, text);
    box.hidden = !text || text === found[at + 1]?.text;
    for (const name of row) {
      const isInactive = Boolean(inactiveReason(name));
      nodeOf(name)?.classList.toggle("inactive", isInactive);
      for (const input of inputsOf(name)) describe(input, box.id, isInactive);
    }
  });
  for (const input of inputsOf("keep_best")) describe(input, "best_why", criticIsMissing(form.values));
  if (nodeOf("keep_best")) setAttribute(nodeOf("keep_best"), "data-inactive", criticIsMissing(form.values) ? "yes" : "");
  for (const name of PROMPTS) if (promptBox(name) && byId(`${name}_notes`) && !inactiveReason(name)) setAttribute(promptBox(name), "aria-describedby", `${name}_notes`);
}

/** The line below a row of controls that says why one of them does nothing; made where it is not there yet. */
function reasonBox(row) {
  const id = `why_${row[0]}`;
  const last = nodeOf(row.at(-1));
  const box = byId(id) ?? (last && el("p", { id, class: "why", hidden: true }));
  if (last && box.previousElementSibling !== last) last.after(box);
  return box;
}

/** What has its origin's value in a branch takes no input. */
function drawTied() {
  const isOn = branch.armed !== null;
  for (const name of TIED) {
    const node = nodeOf(name);
    if (!node) continue;
    node.inert = isOn;
    setAttribute(node, "data-tied", isOn ? "yes" : ""); // no class: Gradio writes these anew
  }
}

let isDue = false;

/** Once in a frame, however much was drawn. */
function correctSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    correctNames();
    correctStops();
    drawReasons();
    drawTied();
  });
}

for (const event of ["values", "checkpoints", "branch", "drawn-by-gradio"]) on(event, correctSoon);

export function watchGradio() {
  new MutationObserver((changes) => {
    if (changes.some(({ target }) => !target.closest?.("darkroom-part"))) correctSoon(); // our own parts have nothing of Gradio's
  }).observe(document.querySelector("gradio-app"), { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
}
