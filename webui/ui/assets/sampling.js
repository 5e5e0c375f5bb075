// The fold Sampling: what the checkpoint, the scheduler and other settings leave to choose, what is not at its default
// and how that is put back. The rules are Python's (`given.sampling`); nothing here knows a family or a scheduler.

const rules = given.sampling;
const FOLDED = rules.rows.flat();
const PICTURED = rules.pictures.flat(); // what is about the picture that goes in
const CHECKED = ["looks", ...FOLDED, "negative_prompt", ...PICTURED.filter((name) => name !== "mask"), ...rules.styles.flat(), ...rules.style_mains]; // whatever may have nothing to say
const fold = { head: null, back: null, column: null };
let dressedAs = ""; // how the controls were last handed to Gradio

const checkpointOf = (now) => checkpoints.get(now.checkpoint);
const tableOf = (now) => rules.tables[rules.families[checkpointOf(now)?.family]];

/** Why `name` has no effect beside the other settings, as the code of a sentence; undefined where it has one. */
function idleReason(name, now = values) {
  const holds = ({ when, at_most: most, at_least: least, beside, without }) =>
    Object.entries(when).every(([field, words]) => words.includes(now[field])) &&
    Object.entries(most).every(([field, limit]) => Number(now[field]) <= limit) &&
    Object.entries(least).every(([field, limit]) => Number(now[field]) >= limit) &&
    (!beside.length || beside.some((field) => now[field])) && !without.some((field) => now[field]);
  return tableOf(now)?.idle.find((one) => one.field === name && holds(one))?.reason;
}

/** What a setting is where nobody says anything. */
function ownDefault(name, now = values) {
  const defaults = checkpointOf(now)?.defaults ?? {};
  if (name === "eta") return rules.eta[now.scheduler];
  return defaults[name] ?? given.defaults[name] ?? null;
}

/** What has to change so that `now` is nothing that would be refused. */
function mended(now) {
  const table = tableOf(now);
  const found = {};
  const { scheduler, sigmas, clip_skip: skipped, eta } = now;
  if (table && !(scheduler in table.schedulers)) {
    const own = ownDefault("scheduler", now);
    found.scheduler = own in table.schedulers ? own : Object.keys(table.schedulers)[0];
  }
  const after = { ...now, ...found };
  if (table && !table.schedulers[after.scheduler].includes(sigmas)) found.sigmas = table.schedulers[after.scheduler][0];
  if (table && !table.resize_modes.includes(now.resize_mode)) found.resize_mode = given.defaults.resize_mode;
  const most = checkpointOf(now)?.clip_layers;
  if (most && skipped > most) found.clip_skip = most;
  const own = rules.eta[after.scheduler];
  if (untouched.has("eta") && own !== undefined && own !== eta) found.eta = own;
  return found;
}

/** The interval of guidance is never empty: the end that was moved pushes the other one. */
function pushInterval(moved) {
  const { guidance_start: start, guidance_end: end } = values;
  if (start < end) return;
  const { minimum, maximum, step } = rules.limits[moved];
  const rounded = (value) => Math.round(Math.min(maximum, Math.max(minimum, value)) * 1e6) / 1e6;
  if (moved === "guidance_start") {
    const from = rounded(Math.min(start, maximum - step));
    setControls({ guidance_start: from, guidance_end: rounded(from + step) });
  } else {
    const to = rounded(Math.max(end, minimum + step));
    setControls({ guidance_start: rounded(to - step), guidance_end: to });
  }
}

/** How Gradio is to show a control: what can be chosen, and whether anything can. */
function shapeOf(name) {
  const shape = { interactive: !idleReason(name) };
  const table = tableOf(values);
  if (name === "scheduler" && table) shape.choices = Object.keys(table.schedulers).map((id) => [given.schedulers[id], id]);
  if (name === "looks") shape.choices = Object.keys(given.looks).map((id) => [lookName(id), id]);
  if (name === "sigmas" && table) shape.choices = (table.schedulers[values.scheduler] ?? []).map((id) => [t(`sigmas_${id}`), id]);
  if (name === "resize_mode" && table) shape.choices = table.resize_modes.map((id) => [t(`resize_mode_${id}`), id]);
  if (name === "clip_skip") shape.maximum = Math.min(checkpointOf(values)?.clip_layers ?? Infinity, rules.limits.clip_skip.maximum);
  return shape;
}

/** The values as Gradio takes them, in order, each with its shape where it has one. */
function dressed(now) {
  dressedAs = JSON.stringify(CHECKED.map(shapeOf));
  return order.map((name) => (CHECKED.includes(name) ? { __type__: "update", ...shapeOf(name), value: now[name] } : now[name]));
}

/** The values as they are sent: what has no effect goes out as if nobody had set it. */
function sent(now) {
  const going = { ...now };
  for (const name of CHECKED) if (idleReason(name, now) && name !== "scheduler") going[name] = given.defaults[name] ?? null;
  if (idleReason("mask", now)) going.mask = null;
  if (task === "style_transfer" && now.method === "instant") Object.assign(going, { seed: null, layer_weights: "" }); // not shown
  going.keep_best = keptCount(now);
  if (going.eta === rules.eta[now.scheduler]) going.eta = null; // the scheduler's own share
  return listed(going);
}

const isSame = (one, other) => one === other || (Array.isArray(one) && JSON.stringify(one) === JSON.stringify(other)) || Math.abs(one - other) < 1e-9 || [one, other].every((value) => value === null || value === -1 || value === "");

/** Names of what in the fold is not at its default and has an effect. */
const changedSettings = () => FOLDED.filter((name) => !idleReason(name) && !isSame(values[name] ?? null, ownDefault(name) ?? null));

function sentence(reason) {
  const text = rules.reasons[language][reason];
  return language === "zh-CN" ? `${text}。` : `${text[0].toUpperCase()}${text.slice(1)}.`;
}

darkroom.mountSampling = (element) => {
  fold.head = element.querySelector(".fold");
  fold.back = element.querySelector(".fold-back");
  fold.head.addEventListener("click", () => openSampling(document.documentElement.dataset.sampling !== "open"));
  fold.back.addEventListener("click", putBack);
  openSampling(kept.get("sampling_open", false));
  drawFold();
};

function openSampling(isOpen) {
  document.documentElement.dataset.sampling = isOpen ? "open" : "";
  fold.head?.setAttribute("aria-expanded", String(isOpen));
  kept.set("sampling_open", isOpen);
}
document.documentElement.dataset.sampling = kept.get("sampling_open", false) ? "open" : "";

/** Everything in the fold to its default, with the way back in the note. */
function putBack() {
  const past = Object.fromEntries(FOLDED.map((name) => [name, values[name]]));
  const before = new Set(untouched);
  const scheduler = ownDefault("scheduler");
  const changes = Object.fromEntries(FOLDED.map((name) => [name, ownDefault(name, { ...values, scheduler }) ?? values[name]]));
  changes.variation_seed = null;
  for (const name of ["scheduler", "sigmas", "eta"]) untouched.add(name);
  setControls({ ...changes, ...mended({ ...values, ...changes }) });
  fold.head.focus({ preventScroll: true });
  note(t("sampling_put_back"), { text: t("undo"), run: () => { untouched = before; setControls(past); } });
}

/** Head and reasons, for the values as they are. */
function drawFold() {
  if (!fold.head) return;
  const changed = changedSettings();
  const count = changed.length ? t("sampling_changed", { n: changed.length }) : "";
  const told = changed.map((name) => `${t(name)} ${shownValue(name, values[name])}`).join(t("list_comma"));
  if (fold.head.dataset.told !== told || !fold.head.childElementCount) {
    fill(fold.head, el("span", { class: "fold-name", text: t("sampling") }), count && el("span", { class: "fold-changed", text: count }));
    fold.head.title = told;
    fold.head.dataset.told = told;
  }
  if (fold.back.textContent !== t("put_back")) fill(fold.back, t("put_back"));
  fold.back.title = t("put_back_hint");
  fold.back.hidden = !changed.length;
  drawReasons();
}

function drawReasons() {
  const found = [...rules.rows, ["negative_prompt"], ...rules.pictures, ...rules.styles].map((row) => {
    const reasons = [...new Set(row.map((name) => idleReason(name)).filter(Boolean))];
    return { row, text: reasons.map(sentence).join(language === "zh-CN" ? "" : " ") };
  });
  found.forEach(({ row, text }, at) => {
    const box = reasonBox(row);
    if (!box) return;
    if (box.textContent !== text) box.textContent = text;
    box.hidden = !text || text === found[at + 1]?.text; // one sentence for neighbours that share it
    for (const name of row) {
      const isIdle = Boolean(idleReason(name));
      byId(name)?.classList.toggle("idle", isIdle);
      for (const input of byId(name)?.querySelectorAll("input, textarea") ?? []) {
        describe(input, box.id, isIdle);
      }
    }
  });
}

/** The line below a row of controls that says why one of them does nothing; made where it is not there yet. */
function reasonBox(row) {
  const id = `why_${row[0]}`;
  const last = byId(row.at(-1));
  const box = byId(id) ?? (last && el("p", { id, class: "why", hidden: true }));
  if (last && box.previousElementSibling !== last) last.after(box);
  return box;
}

on("values", () => {
  const changes = isRestored ? mended(values) : {};
  if (isRestored && (Object.keys(changes).length || JSON.stringify(CHECKED.map(shapeOf)) !== dressedAs)) setControls(changes);
  drawFold();
});
on("checkpoints", () => emit("values", values));
on("grown", drawFold);
on("reveal", (name) => {
  if (!FOLDED.includes(name)) return;
  document.documentElement.classList.add("settings-open");
  openSampling(true);
});
