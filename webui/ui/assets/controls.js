// What the controls do in the browser: keep what was typed, chips that set the size, dice, looks, defaults of a
// checkpoint. Gradio hands us all values at once, in the order of `given.order`, and takes them back the same way.

const order = given.order;
let values = {};
let task = kept.get("task", "text_to_image");
let checkpoints = new Map();
let untouched = new Set(kept.get("untouched", ["width", "height", "steps", "guidance_scale", "scheduler", "sigmas", "eta"]));
if (!("eta" in kept.get("controls", {}))) untouched.add("eta"); // what was kept before it had a control
let waitingChanges = {};
let fresh = {}; // changes that Gradio was given a moment ago; until it has drawn them, it may still hand us what was before
let isApplying = false; // Gradio was told to ask for them
const FRESH_MS = 200;
const RESTORED_MS = 2000; // the whole page is being drawn then
let lastSeed = kept.get("last_seed");
let isRestored = false;
let areCheckpointsAsked = false;
let firstCheckpoint = null; // what the server chose

const DEFAULTED = ["width", "height", "steps", "guidance_scale", "scheduler", "sigmas"];
const QUALITY = { draft: 0.5, normal: 1, fine: 1.75 }; // of the checkpoint's own number of steps
const named = (list) => Object.fromEntries(order.map((name, i) => [name, list[i]]));
const listed = (object) => order.map((name) => object[name]);

/** Sets controls to `changes` by name; what is not named stays. */
function setControls(changes) {
  emit("replacing", changes);
  Object.assign(waitingChanges, changes);
  if (isApplying || !darkroom.trigger) return;
  isApplying = true;
  darkroom.trigger("apply");
}

darkroom.applied = (list) => {
  isApplying = false;
  fresh = { ...fresh, ...waitingChanges };
  values = { ...named(list), ...fresh };
  waitingChanges = {};
  setTimeout(markSettled, 50);
  ageFresh(FRESH_MS);
  save();
  return dressed(values);
};

let freshUntil = 0;

/** What is fresh stays so for that long; no less than it was told before. */
function ageFresh(milliseconds) {
  freshUntil = Math.max(freshUntil, performance.now() + milliseconds);
  clearTimeout(ageFresh.timer);
  ageFresh.timer = setTimeout(() => { fresh = {}; }, freshUntil - performance.now());
}

darkroom.restore = (list) => {
  const saved = upgradedControls(kept.get("controls", {}));
  firstCheckpoint = named(list).checkpoint;
  const empty = order.filter((name) => fields[name]?.may_be_empty).map((name) => [name, null]);
  values = { ...named(list), ...Object.fromEntries(empty), ...saved };
  if (saved.checkpoint && !checkpointIsThere(saved.checkpoint, list)) values.checkpoint = named(list).checkpoint;
  fresh = Object.fromEntries(order.map((name) => [name, saved[name]]).filter(([name, value]) => value !== undefined && !isSame(value, named(list)[name])));
  ageFresh(RESTORED_MS);
  isRestored = true;
  setTimeout(() => { if (task !== "text_to_image") byId(`tab_${task}-button`)?.click(); emit("task", task); emit("values", values); matchRatio(); markSettled(); });
  return dressed(values);
};

/** What version 1 kept, so that it draws the same: one look, and sigmas between the timesteps' ends. */
function upgradedControls({ look, ...saved }) {
  if ("looks" in saved || !("prompt" in saved)) return saved;
  const before = { ...saved, looks: look ? [look] : [] };
  return before.sigmas === "default" ? before : { ...before, sigma_range: "timesteps" };
}

/** What was kept is back in the controls, and what the checkpoint changes in them: from now on only people do. */
function markSettled() {
  if (isRestored && areCheckpointsAsked && !isApplying) document.documentElement.dataset.settled = "yes";
}

const checkpointIsThere = (id) => checkpoints.size === 0 || checkpoints.has(id);

darkroom.changed = (list) => {
  if (!isRestored) return;
  const before = values;
  const drawn = named(list);
  for (const name of Object.keys(fresh)) if (isSame(drawn[name], fresh[name])) delete fresh[name];
  values = { ...drawn, ...fresh };
  for (const name of order) if (before[name] !== values[name]) changedBy(name, before[name], values[name]);
  save();
  emit("values", values);
};

function save() {
  kept.set("controls", values);
  kept.set("untouched", [...untouched]);
}

function changedBy(name, before, value) {
  if (DEFAULTED.includes(name) && value !== defaultsOf(values.checkpoint)?.[name]) untouched.delete(name);
  if (name === "ratio" && value) setControls(sizeFor(value));
  if ((name === "width" || name === "height") && values.ratio) {
    const wanted = sizeFor(values.ratio);
    if (![[wanted.width, wanted.height], [wanted.height, wanted.width]].some(([w, h]) => w === values.width && h === values.height)) setControls({ ratio: null });
  }
  if (name === "quality" && value) setControls({ steps: stepsFor(value) });
  if (name === "steps" && values.quality && value !== stepsFor(values.quality)) setControls({ quality: null });
  if (name === "eta" && value !== rules.eta[values.scheduler] && !inactiveReason("eta")) untouched.delete("eta");
  if (name === "guidance_start" || name === "guidance_end") pushInterval(name);
  if (name === "checkpoint" && before) adopt(before, value);
  if (name === "init_image" && value) followPicture();
}

/** The proportions that width and height have at the checkpoint's own number of pixels, or none. */
function matchRatio() {
  if (!isRestored) return;
  const found = ["1:1", "4:3", "3:2", "16:9"].find((ratio) => {
    const { width, height } = sizeFor(ratio);
    return width === values.width && height === values.height;
  });
  if (found && values.ratio !== found) setControls({ ratio: found });
}

const defaultsOf = (id) => checkpoints.get(id)?.defaults;
const multiple = (x) => Math.max(64, Math.min(2048, Math.round(x / 8) * 8));

/** Width and height in those proportions, with the checkpoint's own number of pixels. */
function sizeFor(ratio) {
  const [across, down] = ratio.split(":").map(Number);
  const own = defaultsOf(values.checkpoint) ?? { width: 512, height: 512 };
  const side = Math.sqrt((own.width * own.height * across) / down);
  const [width, height] = [multiple(side), multiple((side * down) / across)];
  return values.height > values.width && across !== down ? { width: height, height: width } : { width, height };
}

const stepsFor = (quality) => Math.max(1, Math.round((defaultsOf(values.checkpoint)?.steps ?? 20) * QUALITY[quality]));

/** A new checkpoint: its defaults for what nobody has touched, said in a line that takes it back. */
function adopt(before, now) {
  const defaults = defaultsOf(now);
  if (!defaults) return;
  const changes = {};
  const past = {};
  for (const name of DEFAULTED) {
    if (!untouched.has(name) || defaults[name] === undefined || values[name] === defaults[name]) continue;
    changes[name] = defaults[name];
    past[name] = values[name];
  }
  for (const [name, value] of Object.entries(mended({ ...values, ...changes }))) {
    changes[name] = value;
    past[name] = values[name];
  }
  if (!Object.keys(changes).length) return;
  setControls(changes);
  const list = Object.entries(changes).map(([name, value]) => `${t(name)} ${shownValue(name, value)}`).join(t("list_comma"));
  note(t("defaults_adopted", { list }), { text: t("undo"), run: () => setControls({ ...past, checkpoint: before }) });
}

/** Image to image starts at the size that an open one becomes for its picture. */
async function followPicture() {
  const { init_image: picture, checkpoint } = values;
  if (!checkpoint) return;
  try {
    const size = await api("GET", `/api/images/${encodeURIComponent(picture)}/fitted-size?checkpoint=${encodeURIComponent(checkpoint)}`);
    if (values.init_image === picture) setControls({ ...size, ratio: null });
  } catch (error) {
    note(error.hint ? `${error.message} ${error.hint}` : error.message);
  }
}

darkroom.chooseTask = (chosen) => {
  if (!isRestored) return; // Gradio opens its first tab, before the one that was kept is opened again
  task = chosen;
  kept.set("task", task);
  document.documentElement.dataset.task = task;
  emit("task", task);
};
document.documentElement.dataset.task = task;

/** Just before the values leave: what task they are for, and the stage says at once that something happens. */
darkroom.beforeSubmit = (list) => {
  values = named(list);
  save();
  const same = JSON.stringify([task, values, branchSent()]);
  const isFixed = values.seed !== null && values.seed !== "" && values.seed !== -1;
  if (isFixed && same === darkroom.lastSubmitted) offerNewSeed();
  darkroom.lastSubmitted = same;
  emit("submitting", task);
  return [`${task} ${language} ${isPrivate ? "private" : "open"} ${branchSent()}`, ...sent(values)];
};

/** The same request with the same seed gives the same picture: it is made, and a new seed is one click away. */
function offerNewSeed() {
  note(t("same_again"), { text: t("new_seed"), run: () => { setControls({ seed: null }); setTimeout(generate, 60); } });
}

function generate() {
  byId("generate")?.click();
}

function rememberSeed(seed) {
  lastSeed = seed;
  kept.set("last_seed", seed);
  emit("last-seed", seed);
}

let isPressed = false; // the pointer, somewhere

/** The negative prompt is one closed line while it is empty and nobody is in it. It closes once a click is over, so
 * that nothing moves away from under the pointer. */
function foldNegative() {
  const isUsed = Boolean(values.negative_prompt) || byId("negative_prompt")?.contains(document.activeElement);
  if (isUsed || !isPressed) document.documentElement.dataset.negative = isUsed ? "open" : "";
}
for (const [event, pressed] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  document.addEventListener(event, () => { isPressed = pressed; if (!pressed) setTimeout(foldNegative); }, true);
}
document.addEventListener("focusin", foldNegative);
document.addEventListener("focusout", () => setTimeout(foldNegative));
on("values", foldNegative);

/** Settings of a picture back into its tab. Picture references come along where the request has them. */
function giveBack(request) {
  const changes = { looks: [] };
  for (const name of order) if (name in request) changes[name] = request[name];
  if (request.task !== "style_transfer") {
    // What is not said goes back to its default: it must not stay from before.
    for (const name of ["prompt", "negative_prompt"]) changes[name] ??= "";
    for (const name of ["num_images", ...DEFAULTED, ...FOLDED]) changes[name] ??= restingValue(name, { ...values, ...changes });
    changes.seed = request.seed ?? null;
    changes.variation_seed = request.variation_seed ?? null;
    changes.keep_best = request.keep_best ?? 0; // pictures of before know nothing of it
  }
  if (changes.looks.some((id) => !(id in given.looks))) Object.assign(changes, { looks: [], ...promptsMade(request) });
  if (request.task === "style_transfer") Object.assign(changes, styleGivenBack(request));
  if (request.task === "image_to_image") {
    for (const name of ["denoising_strength", ...PICTURED]) changes[name] ??= given.defaults[name] ?? "";
    maskGoesWith(request.mask, request.init_image);
  }
  changes.quality = null;
  changes.ratio = null;
  for (const name of [...DEFAULTED, "eta"]) untouched.delete(name);
  byId(`tab_${request.task}-button`)?.click();
  setControls(changes);
}

/** What looks made of the prompts: for one that is not there any more. */
function promptsMade({ looks, look_texts: texts, prompt, negative_prompt: negativePrompt }) {
  if (texts?.length !== looks.length) return {};
  const around = (made, text) => (text.includes("{prompt}") ? text.replace("{prompt}", () => made) : [made, text].filter(Boolean).join(", "));
  return {
    prompt: texts.reduce((made, look) => around(made, look.prompt), prompt),
    negative_prompt: texts.reduce((made, look) => around(made, look.negative_prompt), negativePrompt),
  };
}

async function fetchCheckpoints() {
  try {
    checkpoints = new Map((await api("GET", "/api/checkpoints")).map((one) => [one.id, one]));
  } catch (error) {
    if (error.status === 0) setTimeout(fetchCheckpoints, 2000);
  }
  emit("checkpoints");
  if (isRestored && !checkpointIsThere(values.checkpoint)) setControls({ checkpoint: firstCheckpoint });
  matchRatio();
  areCheckpointsAsked = true;
  markSettled();
}
fetchCheckpoints();

const click = (id, run) => document.addEventListener("click", (event) => { if (event.target.closest(`#${id}`)) run(); });
click("swap", () => setControls({ width: values.height, height: values.width }));
click("dice", () => setControls({ seed: null }));
click("reuse", () => (lastSeed === null ? note(t("no_seed_yet")) : setControls({ seed: lastSeed })));
click("surprise", () => {
  const other = given.surprises.filter((one) => one.prompt !== values.prompt && one.prompt_zh !== values.prompt);
  const one = other[Math.floor(Math.random() * other.length)];
  if (one) setControls({ prompt: language === "zh-CN" ? one.prompt_zh : one.prompt });
});
click("stop", () => {
  const mine = running() ?? active()[0];
  if (mine) cancelJob(mine.id);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.target.blur?.(); // number boxes hand their value over when they are left
  event.target.focus?.();
  generate();
}, true);

darkroom.mountMore = (element) => {
  const button = element.querySelector("button");
  button.textContent = t("settings");
  const show = (isOpen) => {
    document.documentElement.classList.toggle("settings-open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  show(false);
};
