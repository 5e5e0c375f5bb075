// On a phone the controls below the prompt are behind the button Settings, and with them the way to those of the program.

import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { canOpen, closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { worker } from "../jobs/worker.js";

fillPart("more", (element) => {
  const button = element.querySelector("button");
  button.textContent = t("settings");
  const show = (isOpen) => {
    document.documentElement.classList.toggle("settings-open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) opened("settings", () => show(false));
    else closed("settings");
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  canOpen("settings", () => show(true));
  on("show-settings", () => show(true));
  show(false);
});

fillPart("to_operator", (element) => {
  const button = el("button", { type: "button", class: "to-operator", text: t("to_operator"), onclick: () => emit("open-operator") });
  const draw = () => { button.hidden = !worker.isOperator; };
  fill(element, button);
  on("jobs", draw);
  draw();
});
