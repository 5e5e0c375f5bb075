// Getting models: what is offered for this machine, what is being downloaded, and what somebody names.

import { api } from "../core/api.js";
import { emit } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { orNote } from "../core/note.js";
import { alarm } from "../core/timing.js";
import { isComing } from "../jobs/downloads.js";
import { drawDownloads } from "./downloads.js";
import { fileChoices, isPath } from "./local_file.js";
import { offerCard } from "./offers.js";
import { bytes, models } from "./state.js";

const CARDS = ["quick", "best", "edits"]; // the first that one sees, in this order
const LOOKS_AGAIN = 1000; // ms, while something comes
const AFTER_FAILURE = 10_000;
const MEASURES = 3000; // ms, until the machine has measured itself

const get = { offers: [], downloads: [], key: "", boxes: null, changed: () => {} };
const soon = alarm(() => void look());

/** Fills `box`, once; `changed()` runs when a model was added. */
export function drawGet(box, changed) {
  get.changed = changed;
  if (get.boxes && box.contains(get.boxes.all)) return void soon.set(0);
  const [downloads, offers] = [el("div", { class: "get-downloads" }), el("div", { class: "get-offers" })];
  get.boxes = { downloads, offers, all: el("div", { class: "get" }, downloads, offers, models.places.is_operator ? addressForm() : el("p", { class: "quiet", text: t("get_operator") })) };
  get.key = "";
  fill(box, get.boxes.all);
  void look();
}

const isSeen = () => get.boxes.all.checkVisibility();

/** Asks for both lists, draws what changed, and asks again while something comes. */
async function look() {
  const isAnswered = await orNote(async () => {
    [get.offers, get.downloads] = await Promise.all([api("GET", "/api/models/offers"), models.places.is_operator ? api("GET", "/api/models/downloads") : []]);
  });
  if (!isAnswered) return void (isSeen() && soon.set(AFTER_FAILURE));
  drawDownloads(get.boxes.downloads, get.downloads, change);
  drawOffers();
  if (!isSeen()) return;
  if (get.downloads.some(isComing)) soon.set(LOOKS_AGAIN);
  else if (get.offers.some(({ seconds_here: seconds }) => seconds === null)) soon.set(MEASURES);
}

function drawOffers() {
  const key = JSON.stringify(get.offers);
  if (key === get.key) return;
  get.key = key;
  const isOpen = get.boxes.offers.querySelector("details")?.open ?? false;
  const focused = get.boxes.offers.contains(document.activeElement) ? document.activeElement.closest(".offer")?.dataset.offer : null;
  const named = CARDS.flatMap((card) => get.offers.filter(({ recommended }) => recommended.includes(card)).slice(0, 1));
  const first = [...new Set(named)];
  const card = (offer) => offerCard(offer, CARDS.filter((one) => offer.recommended.includes(one)), ask);
  const list = (offers) => el("ul", { class: "offers" }, ...offers.map(card));
  const rest = get.offers.filter((offer) => !first.includes(offer));
  fill(get.boxes.offers,
    el("h3", { text: t("get_offers") }),
    first.length ? list(first) : el("p", { class: "quiet", text: t("get_measuring") }),
    rest.length ? el("details", { open: isOpen || !first.length }, el("summary", { text: t("get_more", { n: rest.length }) }), list(rest)) : null,
    models.places.is_operator && get.offers.some(({ size_bytes: size }) => size === null) ? sizesButton() : null);
  if (focused) [...get.boxes.offers.querySelectorAll(".offer")].find(({ dataset }) => dataset.offer === focused)?.querySelector("button:enabled, a")?.focus({ preventScroll: true });
}

/** Sizes and licences are the Hub's; nobody asks it unless somebody wants to know. */
function sizesButton() {
  const button = el("button", { type: "button", class: "plain", text: t("get_sizes"), title: t("get_sizes_hint") });
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = t("get_sizes_asking");
    await orNote(async () => { get.offers = await api("POST", "/api/models/offers/read"); });
    get.key = "";
    drawOffers();
  });
  return button;
}

/** Asks for a download. Its answer, as soon as it is there; or null where it was refused. */
async function ask(what) {
  let answer = null;
  await orNote(async () => { answer = await api("POST", "/api/models/downloads", what); });
  if (answer) void looked();
  return answer;
}

async function change(method, address) {
  if (await orNote(() => api(method, address))) await looked();
}

/** After a change, which the ring in the header shows, too. */
async function looked() {
  emit("downloads-changed");
  await look();
}

/** A repository, a file of one, an address, or a file here: looked at first, then fetched or taken. */
function addressForm() {
  const input = el("input", { type: "text", required: true, maxlength: 2000, placeholder: "stabilityai/sd-turbo", "aria-label": t("get_address"), spellcheck: "false", autocomplete: "off" });
  const said = el("div", { class: "get-plan", role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    fill(said, el("p", { class: "quiet", text: t("get_looking") }));
    const text = input.value.trim();
    const what = askedFor(text);
    const empty = () => { fill(said); input.value = ""; };
    const isFound = await orNote(async () => {
      if (isPath(text)) await fileChoices(text, said, () => { empty(); return get.changed(); });
      else fill(said, ...planOf(await api("POST", "/api/models/downloads/plan", what), what, empty));
    });
    if (!isFound) fill(said);
  };
  return el("form", { class: "folder-add get-address", onsubmit: (event) => void submit(event) },
    el("h3", { text: t("get_address") }), el("p", { class: "quiet", text: t("get_address_hint") }), input, el("button", { type: "submit", class: "plain", text: t("get_look") }), said);
}

/** `owner/name` is a repository of the Hub, `owner/name/file` a file in it; all else is an address. */
export function askedFor(text) {
  if (/^(?:www\.)?(?:huggingface\.co|hf\.co|civitai\.com)\//i.test(text)) return { url: text };
  const [, repository, file] = /^([\w.-]+\/[\w.-]+?)(?:\/(\S+\.\w+))?$/.exec(text) ?? [];
  if (!repository) return { url: text };
  return file ? { repository, files: [file] } : { repository };
}

function planOf(plan, what, done) {
  const facts = [t("get_to_fetch", { size: bytes(plan.bytes_to_fetch) }), plan.license, plan.gated ? t("offer_agree") : null];
  const button = el("button", { type: "button", class: "solid", text: t("offer_get"), disabled: !plan.fits, onclick: async () => { if (await ask(what)) done(); } });
  return [
    el("p", { class: "folder-name", text: plan.name }),
    el("p", { class: "quiet", text: facts.filter(Boolean).join(" · ") }),
    plan.fits ? null : el("p", { class: "model-said", text: t("get_no_room") }),
    button,
  ].filter(Boolean);
}
