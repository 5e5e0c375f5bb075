// The sign above the prompt while a branch is armed.

import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { branch } from "../form/branch.js";
import { promptBox } from "../gradio/boxes.js";

const SHORT = 40; // characters of a prompt
const shortened = (text) => (text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text || "…");

fillPart("branch", (element) => {
  const chip = el("div", { id: "branch_chip", class: "dr", role: "group", "aria-label": t("branch") });
  element.append(chip);
  const drawBranch = () => {
    const { armed } = branch;
    chip.hidden = !armed;
    const key = armed ? `${armed.job}/${armed.image}/${armed.step}` : "";
    if (chip.dataset.key === key) return;
    chip.dataset.key = key;
    if (!armed) return fill(chip);
    fill(chip,
      armed.preview ? el("img", { src: armed.preview, alt: "" }) : null,
      el("div", {},
        el("p", { role: "status", text: t("branch_armed", { step: armed.step, total: armed.total, prompt: shortened(armed.prompt) }) }),
        el("p", { text: t("branch_rule") })),
      el("button", { type: "button", "aria-label": t("branch_off"), title: t("branch_off"), text: "×", onclick: () => { branch.disarm(); promptBox("prompt")?.focus(); } }));
  };
  on("branch", drawBranch);
  drawBranch();
});
