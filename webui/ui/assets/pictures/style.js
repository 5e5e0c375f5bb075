// The tab Style transfer: the gallery of styles that we drew, further styles with their weights, weights by layer, and
// the fold around what is seldom touched.

import { ApiError, api } from "../core/api.js";
import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { given } from "../core/given.js";
import { kept } from "../core/kept.js";
import { localized, t } from "../core/language.js";
import { orNote } from "../core/note.js";
import { fillPart } from "../core/places.js";
import { STYLED, isSame } from "../form/fields.js";
import { form } from "../form/store.js";
import { storePicture, thumbnailOf } from "../form/stored_pictures.js";
import { inactiveReason, reasonSentence } from "../form/validity.js";
import { helpMark } from "../parts/help_mark.js";

const LAYERS = given.style.layers; // from the finest to the coarsest
const MOST_FURTHER_STYLES = given.style.most_further;

const styleName = (style) => localized(style, "name");

fillPart("style_gallery", (element) => {
  const tiles = given.style.gallery.map((style) => el("button", { type: "button", class: "style-tile", title: styleName(style), "aria-label": t("use_style", { name: styleName(style) }), onclick: () => takeStyle(style) },
    el("img", { src: style.url, alt: "", loading: "lazy", width: "56", height: "56" }), el("span", { class: "style-name", text: styleName(style) })));
  fill(element.querySelector(".style-part"), el("div", { class: "style-tiles", role: "group", "aria-label": t("style_gallery") }, ...tiles));
});

/** A style of the gallery becomes the style picture, as any upload does. */
async function takeStyle(style) {
  await orNote(async () => form.set({ style_image: await storePicture(await api("GET", style.url), `${style.id}.webp`) }));
}

fillPart("styling", (element) => {
  const head = element.querySelector(".fold");
  head.append(el("span", { class: "fold-name", text: t("styling") }), el("span", { class: "fold-changed", hidden: true }));
  const open = (isOpen) => {
    document.documentElement.dataset.styling = isOpen ? "open" : "";
    head.setAttribute("aria-expanded", String(isOpen));
    kept.set("styling_open", isOpen);
  };
  element.firstElementChild.append(helpMark("groups", "styling"));
  head.addEventListener("click", () => open(document.documentElement.dataset.styling !== "open"));
  open(kept.get("styling_open", false));
  on("reveal", (name) => { if (STYLED.includes(name)) open(true); });
  const drawHead = () => {
    const changed = STYLED.filter((name) => !inactiveReason(name) && !isSame(form.values[name], given.defaults[name]));
    const count = head.querySelector(".fold-changed");
    count.hidden = !changed.length;
    count.textContent = changed.length ? t("sampling_changed", { n: changed.length }) : "";
    head.title = changed.map((name) => t(name)).join(t("list_comma"));
  };
  on("values", drawHead);
  drawHead();
});

const markMethod = () => { document.documentElement.dataset.styleMethod = form.values.method; };
on("values", markMethod);
markMethod();

/** A range and its number, in one line. `run` hears of every move. */
function styleRange(name, value, most, run) {
  const said = el("output", { class: "style-number" });
  const range = el("input", { type: "range", min: "0", max: String(most), step: "0.05", value: String(value), "aria-label": name });
  const draw = () => {
    said.textContent = Number(range.value).toFixed(2);
    range.style.setProperty("--range_progress", `${(range.value / most) * 100}%`); // the part that Gradio's style colours
  };
  range.addEventListener("input", () => { draw(); run(Number(range.value)); });
  draw();
  return { range, said, put: (now) => { if (Number(range.value) !== now) { range.value = String(now); draw(); } } };
}

const MOST_WEIGHT = 10;
const twoDigits = (value) => Math.round(value * 100) / 100;

fillPart("style_images", (element) => {
  const box = element.querySelector(".style-part");
  const read = () => form.values.style_images ?? [];
  const first = () => form.values.style_image_weight ?? given.defaults.style_image_weight;
  const input = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp", "aria-label": t("add_style") });
  const add = el("label", { class: "style-add" }, el("span", { text: t("add_style") }), input);
  const error = el("p", { class: "drop-error", role: "alert", hidden: true });
  let drawn = ""; // the pictures that there are rows for
  let follow = () => {}; // puts the ranges where the weights are
  const write = (list, weightOfFirst = first()) => form.set({
    style_images: list.length ? list : null,
    style_image_weight: list.length ? weightOfFirst : given.defaults.style_image_weight,
  });
  input.addEventListener("change", async () => {
    const file = input.files[0];
    input.value = "";
    error.hidden = true;
    if (!file) return;
    try {
      write([...read(), { image: await storePicture(file), weight: 1 }]);
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      error.textContent = failure.told;
      error.hidden = false;
    }
  });
  const picture = (reference, name) => el("img", { src: thumbnailOf(reference), alt: name, width: "36", height: "36" });
  const nameOf = (at) => (at ? t("further_style", { n: at + 1 }) : t("style_image"));
  const remover = (at) => el("button", { type: "button", class: "icon", text: "×", "aria-label": t("remove_picture", { name: nameOf(at + 1) }), onclick: () => write(read().filter((_, i) => i !== at)) });

  /** Between two styles one slider goes from the first to the second. */
  function between([second]) {
    const share = (one) => one.weight / (one.weight + first() || 1);
    const move = (to) => write([{ ...read()[0], weight: twoDigits(to) }], twoDigits(1 - to));
    const { range, put } = styleRange(t("between_styles"), share(second), 1, move);
    follow = (list) => put(share(list[0]));
    return [el("div", { class: "style-row" }, picture(form.values.style_image, nameOf(0)), range, picture(second.image, nameOf(1)), remover(0))];
  }

  /** More of them have a weight each. */
  function weighed(list) {
    const all = [{ image: form.values.style_image, weight: first() }, ...list];
    const ranges = all.map((one, at) => styleRange(t("weight_of", { name: nameOf(at) }), one.weight, MOST_WEIGHT, (weight) =>
      (at ? write(read().map((other, i) => (i === at - 1 ? { ...other, weight } : other))) : form.set({ style_image_weight: weight }))));
    follow = (now) => [first(), ...now.map((one) => one.weight)].forEach((weight, at) => ranges[at].put(weight));
    return all.map((one, at) => el("div", { class: "style-row" }, picture(one.image, nameOf(at)), ranges[at].range, ranges[at].said, at ? remover(at - 1) : null));
  }

  function draw() {
    const list = read();
    const pictures = JSON.stringify([form.values.style_image, ...list.map((one) => one.image)]);
    if (pictures === drawn) return follow(list);
    drawn = pictures;
    add.hidden = list.length >= MOST_FURTHER_STYLES;
    const rows = list.length === 1 ? between(list) : list.length ? weighed(list) : [];
    if (!list.length) follow = () => {};
    fill(box, list.length ? el("p", { class: "drop-label", text: t(list.length === 1 ? "between_styles" : "style_images") }) : null, ...rows, add, error);
  }
  on("values", draw);
  draw();
});

fillPart("layer_weights", (element) => {
  const box = element.querySelector(".style-part");
  const read = () => ({ ...Object.fromEntries(LAYERS.map((name) => [name, 1])), ...form.values.layer_weights });
  const write = (weights) => form.set({ layer_weights: LAYERS.every((name) => weights[name] === 1) ? null : weights });
  let drawn = "";
  function draw() {
    const weights = read();
    if (JSON.stringify(weights) === drawn) return;
    drawn = JSON.stringify(weights);
    const rows = LAYERS.map((name) => {
      const { range, said } = styleRange(t("weight_of", { name }), weights[name], MOST_WEIGHT, () => {});
      range.addEventListener("change", () => write({ ...read(), [name]: Number(range.value) }));
      range.disabled = given.style.inactive_layers.includes(name);
      if (range.disabled) range.setAttribute("aria-describedby", "why_layer_weights");
      return el("div", { class: "style-row" }, el("span", { class: "style-layer", text: name }), range, said);
    });
    const why = given.style.inactive_layers.length ? el("p", { class: "why", id: "why_layer_weights", text: reasonSentence("needs_vgg19") }) : null;
    fill(box, el("p", { class: "drop-label", text: t("layer_weights") }), ...rows, why);
  }
  on("values", draw);
  draw();
});
