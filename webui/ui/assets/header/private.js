// Private mode: a button in the header that says whether it is on, and what it means. Turning it on or off makes this
// browser somebody else, so the page is loaded again, in its other tabs too.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { isPrivate } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { popover } from "../parts/popover.js";

const WIDTH = 320; // px

const privateTabs = "BroadcastChannel" in window ? new BroadcastChannel("darkroom-private") : null;
privateTabs?.addEventListener("message", () => location.reload());

export function mountPrivate(button, box) {
  document.documentElement.dataset.private = isPrivate ? "yes" : "";
  button.setAttribute("aria-label", t(isPrivate ? "private_on" : "private"));
  fill(button, el("span", { class: "private-sign", "aria-hidden": "true", text: isPrivate ? "●" : "○" }), el("span", { class: "private-word", text: t(isPrivate ? "private_on" : "private") }));
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", t("private"));
  popover(button, box, "private", WIDTH, () => drawPrivate(box));
}

async function drawPrivate(box) {
  const turn = el("button", { type: "button", class: "solid", text: t(isPrivate ? "private_turn_off" : "private_turn_on"), onclick: () => turnPrivate(!isPrivate) });
  const rules = el("p", { class: "quiet" });
  const used = el("p", { class: "quiet" });
  fill(box, el("p", { text: t("private_off_text") }), rules, isPrivate ? used : null, turn);
  try {
    const now = await api("GET", "/api/private");
    rules.textContent = t("private_rules", { minutes: now.minutes, limit: now.limit_megabytes });
    used.textContent = t("private_used", { used: now.megabytes, limit: now.limit_megabytes });
  } catch (error) {
    rules.textContent = error.message;
  }
}

async function turnPrivate(isOn) {
  try {
    await api(isOn ? "POST" : "DELETE", "/api/private");
  } catch (error) {
    if (error.kind !== "private_over") return note(error.message); // then it is off already
  }
  privateTabs?.postMessage("changed");
  location.reload();
}
