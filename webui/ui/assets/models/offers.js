// What is offered, as cards: what it is for, how large and how quick it would be here, and what may be done with it.

import { emit } from "../core/bus.js";
import { el } from "../core/dom.js";
import { about, t } from "../core/language.js";
import { useBundle } from "../form/bundle.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { form } from "../form/store.js";
import { addWait } from "../jobs/waits.js";
import { bytes, models } from "./state.js";

/** `cards` are what it is recommended as; `ask(what)` asks for a download. */
export function offerCard(offer, cards, ask) {
  return el("li", { class: "offer", data: { offer: offer.id } },
    cards.length ? el("p", { class: "offer-cards", text: cards.map((card) => t(`offer_${card}`)).join(" · ") }) : null,
    el("h4", { text: offer.name }),
    el("p", { text: offer.purpose }),
    el("p", { class: "quiet", text: factsOf(offer) }),
    el("p", { class: "quiet" }, el("span", { text: licenseOf(offer) }), ...offer.license_pages.slice(0, 1).map(({ url }) => el("a", { href: url, target: "_blank", rel: "noopener noreferrer", text: t("offer_page"), "aria-label": `${t("offer_page")}: ${offer.name}` }))),
    offer.fits === false ? el("p", { class: "model-said", text: t("offer_too_large") }) : null,
    buttonsOf(offer, ask));
}

function factsOf({ size_bytes: size, seconds_here: seconds, slow, memory_bytes: memory, languages }) {
  return [
    size === null ? t("offer_size_unknown") : bytes(size),
    seconds === null ? null : t(slow ? "offer_slow" : "offer_seconds", { time: about(seconds) }),
    memory === null ? null : t("offer_memory", { size: bytes(memory) }),
    t(languages.includes("zh") || languages.includes("zh-CN") ? "offer_chinese" : "offer_english"),
  ].filter(Boolean).join(" · ");
}

function licenseOf({ license, may_sell: maySell, must_agree: mustAgree }) {
  const sold = maySell === true ? "offer_sell" : maySell === false ? "offer_no_sell" : "offer_conditions";
  return [license ?? t("offer_no_license"), t(sold), mustAgree ? t("offer_agree") : null].filter(Boolean).join(" · ");
}

function buttonsOf(offer, ask) {
  const { id, name, state } = offer;
  const labelled = (kind, text, options) => el("button", { type: "button", class: kind, text: t(text), "aria-label": `${t(text)}: ${name}`, ...options });
  if (state === "finished") return labelled("solid", "model_use", { onclick: () => void useHere(offer) });
  if (["waiting", "running", "paused"].includes(state)) return labelled("solid", "offer_coming", { disabled: true });
  const disabled = !models.places.is_operator;
  return el("div", { class: "offer-buttons" },
    labelled("solid", "offer_get_use", { disabled, onclick: () => void getAndUse(offer, ask) }),
    labelled("plain", "offer_get", { disabled, onclick: () => void ask({ offer: id }) }));
}

/** The page waits for it, with what it says now: `stage/waiting.js`. */
async function getAndUse(offer, ask) {
  const now = { task: form.task, values: form.values, untouched: form.untouched };
  const answer = await ask({ offer: offer.id });
  if (!answer) return;
  addWait(answer.id, offer, now);
  emit("prompt-waits");
  emit("close-models");
}

async function useHere(offer) {
  await askForCheckpoints();
  useBundle(offer, offer.places);
  emit("close-models");
}
