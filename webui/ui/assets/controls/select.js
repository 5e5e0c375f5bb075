// Lists of one choice: the browser's own, which open by Enter, Space, arrow or click and never by Tab alone.

import { emit, on } from "../core/bus.js";
import { el, fill, setAttribute } from "../core/dom.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { AUTOMATIC_VAE, checkpoints } from "../form/checkpoints.js";
import { fields } from "../form/fields.js";
import { shownValue } from "../form/shown_value.js";
import { form } from "../form/store.js";
import { inactiveReason, offeredFor } from "../form/validity.js";

const ALL = " all"; // no checkpoint's id: opens the sheet with all models
const isPhone = matchMedia("(width < 600px)"); // without a button for it; elsewhere an arrow key would open it by chance

/** [label, value] of all that can be chosen; while the checkpoints are not known, what is chosen. */
function choicesFor(name) {
  if (name === "checkpoint") {
    const chosen = form.values.checkpoint;
    const known = checkpoints.areKnown ? checkpoints.choices : [[chosen ?? "", chosen]];
    return isPhone.matches ? [...known, [t("models_all"), ALL]] : known;
  }
  if (name === "vae") return vaeChoices(form.values.vae);
  const offered = [...(fields[name].may_be_empty ? [null] : []), ...(offeredFor(name, form.values) ?? fields[name].words)];
  return offered.map((value) => [shownValue(name, value), value]);
}

/** What was read off a picture is among them, whether it is here or not: then the request is refused, with the reason. */
function vaeChoices(chosen) {
  const known = [null, AUTOMATIC_VAE, ...checkpoints.vaes.map((one) => one.id)];
  return [...known, ...(known.includes(chosen) ? [] : [chosen])].map((id) => [shownValue("vae", id), id]);
}

fillPart("select", (element) => {
  const select = element.querySelector("select");
  const name = select.dataset.field;
  element.querySelector(".select-label").textContent = t(name);
  select.setAttribute("aria-label", t(name)); // the label's own text has the choices in it
  let drawn = "";

  function draw() {
    const choices = choicesFor(name);
    const key = JSON.stringify(choices);
    if (key !== drawn) {
      drawn = key;
      fill(select, ...choices.map(([label, value]) => el("option", { value: value ?? "", text: label })));
    }
    const value = form.values[name] ?? "";
    if (select.value !== value) select.value = value;
    select.disabled = name !== "checkpoint" && Boolean(inactiveReason(name));
    setAttribute(select, "title", select.selectedOptions[0]?.textContent ?? "");
  }

  select.addEventListener("change", () => {
    if (select.value !== ALL) return form.set({ [name]: select.value || null }, "person");
    draw();
    emit("open-models");
  });
  for (const event of ["values", "checkpoints"]) on(event, draw);
  isPhone.addEventListener("change", draw);
  draw();
});
