// The fold Sampling: its head says what in it is not at its default, and puts that back.

import { emit, on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { fillPart } from "../core/places.js";
import { FOLDED } from "../form/fields.js";
import { shownValue } from "../form/shown_value.js";
import { form } from "../form/store.js";
import { changedSettings, ownDefault, restingValue } from "../form/validity.js";
import { helpMark } from "../parts/help_mark.js";

const fold = { head: null, back: null };

function openSampling(isOpen) {
  document.documentElement.dataset.sampling = isOpen ? "open" : "";
  fold.head?.setAttribute("aria-expanded", String(isOpen));
  kept.set("sampling_open", isOpen);
}
openSampling(kept.get("sampling_open", false));

fillPart("sampling", (element) => {
  fold.head = element.querySelector(".fold");
  fold.back = element.querySelector(".fold-back");
  fold.head.addEventListener("click", () => openSampling(document.documentElement.dataset.sampling !== "open"));
  element.firstElementChild.append(helpMark("groups", "sampling"));
  fold.back.addEventListener("click", putBack);
  openSampling(kept.get("sampling_open", false));
  drawFold();
});

/** Everything in the fold to its default, with the way back in the note. */
function putBack() {
  const past = Object.fromEntries(FOLDED.map((name) => [name, form.values[name]]));
  const before = form.untouched;
  const scheduler = ownDefault("scheduler");
  const changes = Object.fromEntries(FOLDED.map((name) => [name, restingValue(name, { ...form.values, scheduler })]));
  form.setUntouched([...form.untouched, "scheduler", "sigmas", "eta"]);
  form.set(changes);
  fold.head.focus({ preventScroll: true });
  note(t("sampling_put_back"), { text: t("undo"), run: () => { form.setUntouched(before); form.set(past); } });
}

function drawFold() {
  if (!fold.head) return;
  const changed = changedSettings();
  const count = changed.length ? t("sampling_changed", { n: changed.length }) : "";
  const told = changed.map((name) => `${t(name)} ${shownValue(name, form.values[name])}`).join(t("list_comma"));
  if (fold.head.dataset.told !== told || !fold.head.childElementCount) {
    fill(fold.head, el("span", { class: "fold-name", text: t("sampling") }), count ? el("span", { class: "fold-changed", text: count }) : null);
    fold.head.title = told;
    fold.head.dataset.told = told;
  }
  setText(fold.back, t("put_back"));
  fold.back.title = t("put_back_hint");
  fold.back.hidden = !changed.length;
}

for (const event of ["values", "checkpoints"]) on(event, drawFold);
on("reveal", (name) => {
  if (!FOLDED.includes(name)) return;
  emit("show-settings");
  openSampling(true);
});
