// On a phone the controls below the prompt are behind the button Settings.

import { on } from "../core/bus.js";
import { canOpen, closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";

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
