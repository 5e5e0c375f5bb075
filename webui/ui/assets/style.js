// The tab Style transfer: the gallery of styles that we drew, further styles with their weights, weights by layer, and
// the fold around what is seldom touched. Lists are kept in their control's value as JSON; "" is none.

const STYLED = rules.styles.flat();
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
  on("reveal", (name) => { if (STYLED.includes(name) || name in STYLE_LISTS) open(true); });
  on("values", () => {
    const changed = [...STYLED.filter((name) => !isSame(values[name], given.defaults[name])), ...Object.keys(STYLE_LISTS).filter((name) => values[name])];
    const count = head.querySelector(".fold-changed");
    count.hidden = !changed.length;
    count.textContent = changed.length ? t("sampling_changed", { n: changed.length }) : "";
    head.title = changed.map(t).join(t("list_comma"));
  });
};

/** A range and its number, in one line. */
function styleWeight(name, value, run) {
  const said = el("output", { class: "style-number" });
  const range = el("input", { type: "range", min: "0", max: "10", step: "0.05", value: String(value), "aria-label": name });
  const draw = () => {
    said.textContent = Number(range.value).toFixed(2);
    range.style.setProperty("--range_progress", `${range.value * 10}%`); // the part that Gradio's style colours
  };
  range.addEventListener("input", draw);
  draw();
  range.addEventListener("change", () => run(Number(range.value)));
  return { range, said };
}

darkroom.mountStyles = (element, props, trigger, watch) => {
  const box = element.querySelector(".style-part");
  const read = () => JSON.parse(props.value || "[]");
  const input = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp", "aria-label": t("add_style") });
  const add = el("label", { class: "style-add" }, el("span", { text: t("add_style") }), input);
  const error = el("p", { class: "drop-error", role: "alert", hidden: true });
  const write = (list) => {
    props.value = list.length ? JSON.stringify(list) : "";
    trigger("change");
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
  function draw() {
    const list = read();
    const rows = list.map((style, at) => {
      const name = t("further_style", { n: at + 2 });
      const { range, said } = styleWeight(t("weight_of", { name }), style.weight, (weight) => write(read().map((one, i) => (i === at ? { ...one, weight } : one))));
      const remove = el("button", { type: "button", class: "icon", text: "×", "aria-label": t("remove_picture", { name }), onclick: () => write(read().filter((_, i) => i !== at)) });
      return el("div", { class: "style-row" }, el("img", { src: thumbnailOf(style.image), alt: name, width: "36", height: "36" }), range, said, remove);
    });
    add.hidden = list.length >= MOST_FURTHER_STYLES;
    fill(box, el("p", { class: "drop-label", text: t("style_images") }), ...rows, add, error);
  }
  watch("value", draw);
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
      const { range, said } = styleWeight(t("weight_of", { name }), weights[name], (weight) => write({ ...read(), [name]: weight }));
      range.disabled = given.style.idle_layers.includes(name);
      if (range.disabled) range.setAttribute("aria-describedby", "why_layer_weights");
      return el("div", { class: "style-row" }, el("span", { class: "style-layer", text: name }), range, said);
    });
    const why = given.style.idle_layers.length ? el("p", { class: "why", id: "why_layer_weights", text: sentence("needs_vgg19") }) : null;
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
  const changes = Object.fromEntries(STYLED.map((name) => [name, request[name] ?? given.defaults[name]]));
  for (const [name, list] of Object.entries(STYLE_LISTS)) changes[name] = list.kept(request[name]);
  return changes;
}
