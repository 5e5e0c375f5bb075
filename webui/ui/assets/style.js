// The tab Style transfer: the gallery of styles that we drew, further styles with their weights, weights by layer, and
// the fold around what is seldom touched. Lists are kept in their control's value as JSON; "" is none.

const LAYERS = given.style.layers; // from the finest to the coarsest
const MOST_FURTHER_STYLES = given.style.most_further;

const styleName = (style) => (language === "zh-CN" ? style.name_zh : style.name);

darkroom.mountStyleGallery = (element) => {
  const tiles = given.style.gallery.map((style) => el("button", { type: "button", class: "style-tile", title: styleName(style), "aria-label": t("use_style", { name: styleName(style) }), onclick: () => takeStyle(style) },
    el("img", { src: style.url, alt: "", loading: "lazy", width: "56", height: "56" })));
  fill(element.querySelector(".style-part"), el("div", { class: "style-tiles", role: "group", "aria-label": t("style_gallery") }, ...tiles));
};

/** A style of the gallery becomes the style picture, as any upload does. */
async function takeStyle(style) {
  try {
    const blob = await (await fetch(style.url)).blob();
    await uploads.get("style_image")?.send(new File([blob], `${style.id}.webp`, { type: blob.type }));
  } catch {
    note(t("error_no_answer"));
  }
}

darkroom.mountStyling = (element) => {
  const head = element.querySelector(".fold");
  head.append(el("span", { class: "fold-name", text: t("styling") }), el("span", { class: "fold-changed", hidden: true }));
  const open = (isOpen) => {
    document.documentElement.dataset.styling = isOpen ? "open" : "";
    head.setAttribute("aria-expanded", String(isOpen));
    kept.set("styling_open", isOpen);
  };
  head.addEventListener("click", () => open(document.documentElement.dataset.styling !== "open"));
  open(kept.get("styling_open", false));
  on("reveal", (name) => { if (STYLED.includes(name)) open(true); });
  on("values", () => {
    const changed = STYLED.filter((name) => !inactiveReason(name) && !isSame(values[name] ?? "", given.defaults[name] ?? ""));
    const count = head.querySelector(".fold-changed");
    count.hidden = !changed.length;
    count.textContent = changed.length ? t("sampling_changed", { n: changed.length }) : "";
    head.title = changed.map(t).join(t("list_comma"));
  });
};

on("values", () => { document.documentElement.dataset.styleMethod = values.method; });

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

darkroom.mountStyles = (element, props, trigger, watch) => {
  const box = element.querySelector(".style-part");
  const read = () => JSON.parse(props.value || "[]");
  const first = () => values.style_image_weight ?? given.defaults.style_image_weight;
  const input = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp", "aria-label": t("add_style") });
  const add = el("label", { class: "style-add" }, el("span", { text: t("add_style") }), input);
  const error = el("p", { class: "drop-error", role: "alert", hidden: true });
  let drawn = ""; // the pictures that there are rows for
  let follow = () => {}; // puts the ranges where the weights are
  const write = (list, weightOfFirst = first()) => {
    props.value = list.length ? JSON.stringify(list) : "";
    trigger("change");
    if (!list.length) weightOfFirst = given.defaults.style_image_weight;
    if (weightOfFirst !== first()) setControls({ style_image_weight: weightOfFirst });
    draw();
  };
  input.addEventListener("change", async () => {
    const file = input.files[0];
    input.value = "";
    error.hidden = true;
    if (!file) return;
    const form = new FormData();
    form.append("file", file, file.name || "picture");
    try {
      const stored = await api("POST", "/api/images", form);
      write([...read(), { image: stored.id, weight: 1 }]);
    } catch (failure) {
      error.textContent = [failure.message, failure.hint].filter(Boolean).join(" ");
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
    return [el("div", { class: "style-row" }, picture(values.style_image, nameOf(0)), range, picture(second.image, nameOf(1)), remover(0))];
  }

  /** More of them have a weight each. */
  function weighed(list) {
    const all = [{ image: values.style_image, weight: first() }, ...list];
    const ranges = all.map((one, at) => styleRange(t("weight_of", { name: nameOf(at) }), one.weight, MOST_WEIGHT, (weight) =>
      (at ? write(read().map((other, i) => (i === at - 1 ? { ...other, weight } : other))) : setControls({ style_image_weight: weight }))));
    follow = (now) => [first(), ...now.map((one) => one.weight)].forEach((weight, at) => ranges[at].put(weight));
    return all.map((one, at) => el("div", { class: "style-row" }, picture(one.image, nameOf(at)), ranges[at].range, ranges[at].said, at ? remover(at - 1) : null));
  }

  function draw() {
    const list = read();
    const pictures = JSON.stringify([values.style_image, ...list.map((one) => one.image)]);
    if (pictures === drawn) return follow(list);
    drawn = pictures;
    add.hidden = list.length >= MOST_FURTHER_STYLES;
    const rows = list.length === 1 ? between(list) : list.length ? weighed(list) : [];
    if (!list.length) follow = () => {};
    fill(box, list.length ? el("p", { class: "drop-label", text: t(list.length === 1 ? "between_styles" : "style_images") }) : null, ...rows, add, error);
  }
  watch("value", draw);
  on("values", draw);
  draw();
};

darkroom.mountLayers = (element, props, trigger, watch) => {
  const box = element.querySelector(".style-part");
  const read = () => ({ ...Object.fromEntries(LAYERS.map((name) => [name, 1])), ...JSON.parse(props.value || "{}") });
  const write = (weights) => {
    props.value = LAYERS.every((name) => weights[name] === 1) ? "" : JSON.stringify(weights);
    trigger("change");
  };
  function draw() {
    const weights = read();
    const rows = LAYERS.map((name) => {
      const { range, said } = styleRange(t("weight_of", { name }), weights[name], MOST_WEIGHT, () => {});
      range.addEventListener("change", () => write({ ...read(), [name]: Number(range.value) }));
      range.disabled = given.style.inactive_layers.includes(name);
      if (range.disabled) range.setAttribute("aria-describedby", "why_layer_weights");
      return el("div", { class: "style-row" }, el("span", { class: "style-layer", text: name }), range, said);
    });
    const why = given.style.inactive_layers.length ? el("p", { class: "why", id: "why_layer_weights", text: sentence("needs_vgg19") }) : null;
    fill(box, el("p", { class: "drop-label", text: t("layer_weights") }), ...rows, why);
  }
  watch("value", draw);
  draw();
};

/** Fields of a request that are lists, as their controls keep them and as words. */
const STYLE_LISTS = {
  style_images: {
    kept: (list) => (list?.length ? JSON.stringify(list) : ""),
    told: (list) => list.map((style, at) => `${t("further_style", { n: at + 2 })} ${style.weight}`).join(t("list_comma")),
  },
  layer_weights: {
    kept: (weights) => (Object.values(weights ?? {}).every((weight) => weight === 1) ? "" : JSON.stringify(weights)),
    told: (weights) => Object.entries(weights).filter(([, weight]) => weight !== 1).map(([name, weight]) => `${name} ${weight}`).join(t("list_comma")),
  },
};

/** What a style transfer gives back to its controls; pictures of before know nothing of some. */
function styleGivenBack(request) {
  const changes = Object.fromEntries(fieldsIn("style", "styling").map((name) => [name, request[name] ?? given.defaults[name]]));
  for (const [name, list] of Object.entries(STYLE_LISTS)) changes[name] = list.kept(request[name]);
  return changes;
}
