// On a phone the controls below the prompt are behind the button Settings, and with them the way to those of the program.

import { emit, on } from "../core/bus.js";
import { canOpen, closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { worker } from "../jobs/worker.js";

fillPart("more", (element) => {
  const [button, operator] = element.querySelectorAll("button");
  button.textContent = t("settings");
  operator.textContent = t("operator_settings");
  operator.addEventListener("click", () => emit("open-operator"));
  const showOperator = () => { operator.hidden = !worker.isOperator; };
  on("jobs", showOperator);
  showOperator();
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
