// What can be done with the picture on the stage: save, vary, use as an input, its seed, its details.

const actions = {};

function mountActions(box) {
  const button = (key, run) => el("button", { type: "button", text: t(key), title: t(`${key}_hint`), onclick: run });
  actions.save = el("a", { class: "button", text: t("save"), title: t("save_hint"), role: "link" });
  actions.vary = button("vary", vary);
  actions.toImage = button("to_image", () => usePicture(pictureOnStage(), "init_image", "image_to_image"));
  actions.toStyle = button("to_style", () => usePicture(pictureOnStage(), "content_image", "style_transfer"));
  actions.seed = el("button", { type: "button", class: "seed", title: t("copy_seed"), onclick: copySeed });
  actions.details = button("details", () => {});
  actions.sheet = el("div", { class: "details", hidden: true, role: "group", "aria-label": t("details"), tabindex: "-1" });
  actions.format = formatPicker();
  fill(box, actions.save, actions.format, actions.vary, actions.toImage, actions.toStyle, el("span", { class: "space" }), actions.seed, actions.details, actions.sheet);
  mountSteps(box);
  actions.close = popover(actions.details, actions.sheet, () => drawDetails(actions.sheet, stage.shown?.request, pictureOnStage()));
}

/** The picture that the buttons mean: the enlarged one of several, else the first. */
function pictureOnStage() {
  return stage.shown?.pictures[stage.enlarged ?? 0] ?? null;
}

on("drawn", (job) => {
  if (!actions.save) return;
  const picture = job ? pictureOnStage() : null;
  for (const name of ["vary", "toImage", "toStyle", "seed", "details"]) actions[name].disabled = !picture;
  if (picture) {
    savesPicture(actions.save, picture);
    actions.save.removeAttribute("aria-disabled");
  } else {
    actions.save.removeAttribute("href");
    actions.save.setAttribute("aria-disabled", "true");
    actions.close();
  }
  const seed = picture?.seed;
  actions.seed.hidden = seed === undefined || seed === null;
  const text = t("seed_value", { seed });
  if (actions.seed.textContent !== text) actions.seed.textContent = text;
});

on("job", (job) => {
  if (job.state === "finished" && job.pictures[0]) rememberSeed(job.pictures[0].seed);
});

async function vary() {
  const job = stage.shown;
  if (!job?.request) return;
  stage.chosen = null;
  await submitDirectly({ ...job.request, seed: null });
}

/** A request of ours, as it stands, straight to the queue. */
async function submitDirectly(request) {
  const { task: kind, ...fields } = request;
  try {
    const { id } = await api("POST", `/api/${kind.replaceAll("_", "-")}`, fields);
    jobOf(id, request);
    emit("jobs");
  } catch (error) {
    note(error.hint ? `${error.message} ${error.hint}` : error.message);
  }
}

async function copySeed() {
  const { seed } = pictureOnStage();
  rememberSeed(seed);
  try {
    await navigator.clipboard.writeText(String(seed));
    note(t("seed_copied", { seed }), { text: t("use_seed"), run: () => setControls({ seed }) });
  } catch {
    setControls({ seed }); // no clipboard on plain http: the seed box takes it at least
    note(t("seed_set", { seed }));
  }
}

const lookName = (id) => given.looks[id]?.[language === "zh-CN" ? "name_zh" : "name"] ?? id;

/** A value as its control shows it. */
function shownValue(name, value) {
  const { words, names } = fields[name] ?? {};
  if (words?.length) return Object.keys(names).length ? names[value] ?? value : t(`${name}_${value}`);
  if (name === "looks") return value.map(lookName).join(t("list_comma"));
  if (name in STYLE_LISTS) return STYLE_LISTS[name].told(value);
  if (name === "branch_from") return t("branch_at", { step: value.step, total: value.origin.steps ?? "?", seed: value.origin.seed ?? "?" });
  if (name === "walk_to") return value.prompt || String(value.seed);
  if (typeof value === "boolean") return t(value ? "on" : "off");
  if (name === "checkpoint") return checkpoints.get(value)?.name ?? value;
  return String(value);
}

/** What made a picture, as a list of names and values. */
function drawDetails(box, request, picture) {
  const rows = [];
  const unasked = [...FOLDED, ...PICTURED, ...STYLED];
  const add = (name, value) => rows.push(el("dt", { text: name }), el("dd", { text: value }));
  if (request) {
    add(t("task"), t(request.task));
    for (const [name, value] of Object.entries(request)) {
      if (fields[name]?.is_told === false || fields[name]?.kind === "picture" || value === null || value === "" || value.length === 0 || name === "seed") continue;
      if (picture && (name === "width" || name === "height")) continue;
      if (value === given.defaults[name] && (unasked.includes(name) || !order.includes(name))) continue; // nobody asked for it
      if (name in STYLE_LISTS && !STYLE_LISTS[name].kept(value)) continue;
      if ((name === "num_images" && value === 1) || (name === "keep_best" && value === 0)) continue;
      add(t(name), shownValue(name, value));
    }
  }
  if (picture) {
    add(t("seed"), String(picture.seed));
    for (const [name, value] of scoreRows(request, picture)) add(name, value);
    add(t("pixels"), `${picture.width} × ${picture.height}`);
  }
  const use = request && el("button", { type: "button", class: "solid", text: t("use_settings"), onclick: () => {
    giveBack(picture ? { ...request, seed: picture.seed } : request);
    darkroom.closeGallery?.();
    actions.close();
    note(t(request.branch_from || request.stop_after ? "settings_without_step" : "settings_given_back"), undoOffer());
  } });
  fill(box, el("dl", {}, ...rows), use);
}
