// What is offered, as cards: what it is for, how large and how quick it would be here, and what may be done with it.

import { emit } from "../core/bus.js";
import { el } from "../core/dom.js";
import { about, t } from "../core/language.js";
import { note } from "../core/note.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { fields } from "../form/fields.js";
import { form } from "../form/store.js";
import { undoTo } from "../form/undo.js";
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
    buttonOf(offer, ask));
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

function buttonOf(offer, ask) {
  const { id, name, state } = offer;
  const labelled = (text, options) => el("button", { type: "button", class: "solid", text: t(text), "aria-label": `${t(text)}: ${name}`, ...options });
  if (state === "finished") return labelled("model_use", { onclick: () => void useOffer(offer) });
  if (["waiting", "running", "paused"].includes(state)) return labelled("offer_coming", { disabled: true });
  return labelled("offer_get", { disabled: !models.places.is_operator, onclick: () => void ask({ offer: id }) });
}

/** Its checkpoint with the settings that it was made for, and its LoRA in the prompt. */
async function useOffer({ name, places, settings, prompt_suffix: suffix }) {
  await askForCheckpoints();
  const known = Object.fromEntries(Object.entries(settings).filter(([field]) => field in fields));
  const prompt = form.values.prompt ?? "";
  const changes = { checkpoint: places[0].replace(/\.safetensors$/, ""), ...known };
  if (suffix && !prompt.includes(suffix.trim())) changes.prompt = `${prompt.trimEnd()} ${suffix.trim()}`.trim();
  const before = Object.fromEntries(Object.keys(changes).map((field) => [field, form.values[field]]));
  form.set(changes, "person");
  emit("close-models");
  note(t("offer_used", { name }), undoTo(before));
}
