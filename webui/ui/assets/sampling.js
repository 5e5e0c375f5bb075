// The fold Sampling: what the checkpoint, the scheduler and other settings leave to choose, what is not at its default
// and how that is put back. The rules are Python's (`given.sampling`), evaluated by `rules.js`; nothing here knows a
// family or a scheduler.

const rules = given.sampling;
const FOLDED = fieldsIn("sampling");
const PICTURED = fieldsIn("picture", "masking", "framing", "sides"); // what is about the picture that goes in
const STYLED = fieldsIn("styling");
const fold = { head: null, back: null, column: null };
let dressedAs = ""; // how the controls were last handed to Gradio

const checkpointOf = (now) => checkpoints.get(now.checkpoint);
const rulesAbout = (name) => rules.rules.filter(({ field }) => field === name);
const mayBeInactive = (name) => rulesAbout(name).some(({ effect }) => effect !== "error");
// What is handed to Gradio anew as other settings change.
const CHECKED = order.filter((name) => isOrdinary(name) && (name === "looks" || mayBeInactive(name)));

/** What the rules may ask for of the checkpoint; null while it is not known. */
function factsOf(now) {
  const own = rules.facts[rules.families[checkpointOf(now)?.family]];
  return own ? { ...own, clip_layers: checkpointOf(now).clip_layers } : null;
}

/** Why `name` has no effect beside the other settings, as the code of a sentence; undefined where it has one. */
function inactiveReason(name) {
  const facts = factsOf(values);
  return facts ? inactiveFields(rulesAbout(name), values, facts)[name] : undefined;
}

/** Whether the value of `name` would be an error, whatever its default is. */
function isWrong(name, now) {
  const errors = rulesAbout(name).filter(({ effect }) => effect === "error");
  return firstRefusal(errors, now, given.defaults, factsOf(now) ?? { lacking: [], choices: {} }) !== null;
}

/** What a setting is where nobody says anything. */
function ownDefault(name, now = values) {
  const defaults = checkpointOf(now)?.defaults ?? {};
  if (name === "eta") return rules.eta[now.scheduler];
  return defaults[name] ?? given.defaults[name] ?? null;
}

/** What a control is put back to; it stays as it is where nothing else is known of it. */
const restingValue = (name, now) => ownDefault(name, now) ?? (fields[name]?.may_be_empty ? null : values[name]);

const FOLLOWING = ["sigmas", "resize_mode", "clip_skip", "eta"]; // what changes by itself with scheduler and checkpoint

/** What has to change so that `now` is nothing that would be refused. */
function mended(now) {
  const found = {};
  const facts = factsOf(now);
  if (facts) {
    const own = ownDefault("scheduler", now);
    const schedulers = choicesOf(facts, now, "scheduler");
    if (!schedulers.includes(now.scheduler)) found.scheduler = schedulers.includes(own) ? own : schedulers[0];
    const sigmas = choicesOf(facts, { ...now, ...found }, "sigmas", "scheduler");
    if (!sigmas.includes(now.sigmas)) [found.sigmas] = sigmas;
    if (!choicesOf(facts, now, "resize_mode").includes(now.resize_mode)) found.resize_mode = given.defaults.resize_mode;
    if (isWrong("clip_skip", now)) found.clip_skip = facts.clip_layers;
  }
  const own = rules.eta[found.scheduler ?? now.scheduler];
  if (untouched.has("eta") && own !== undefined && own !== now.eta) found.eta = own;
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
  const shape = { interactive: !inactiveReason(name) };
  const facts = factsOf(values);
  const offered = facts && name in facts.choices ? choicesOf(facts, values, name, ...(name === "sigmas" ? ["scheduler"] : [])) : null;
  if (offered) shape.choices = offered.map((id) => [shownValue(name, id), id]);
  if (name === "looks") shape.choices = Object.keys(given.looks).map((id) => [lookName(id), id]);
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
  const facts = factsOf(now);
  for (const name of Object.keys(facts ? inactiveFields(rules.rules, now, facts) : {})) {
    if (name !== "scheduler") going[name] = given.defaults[name] ?? null;
  }
  if (task === "style_transfer" && now.method === "instant") going.seed = null; // not shown
  going.keep_best = keptCount(now);
  if (going.eta === rules.eta[now.scheduler]) going.eta = null; // the scheduler's own share
  return listed(going);
}

const isSame = (one, other) => one === other || (Array.isArray(one) && JSON.stringify(one) === JSON.stringify(other)) || Math.abs(one - other) < 1e-9 || [one, other].every((value) => value === null || value === -1 || value === "");

/** Names of what in the fold is not at its default and has an effect. */
const changedSettings = () => FOLDED.filter((name) => !inactiveReason(name) && !isSame(values[name] ?? null, ownDefault(name) ?? null));

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
  const changes = Object.fromEntries(FOLDED.map((name) => [name, restingValue(name, { ...values, scheduler })]));
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
  const explained = [...rowsIn("sampling"), ["negative_prompt"], ...rowsIn("picture", "masking", "framing", "sides"), ...rowsIn("styling")];
  const found = explained.filter(([first]) => fields[first].kind !== "json").map((row) => {
    const reasons = [...new Set(row.map((name) => inactiveReason(name)).filter(Boolean))];
    return { row, text: reasons.map(sentence).join(language === "zh-CN" ? "" : " ") };
  });
  found.forEach(({ row, text }, at) => {
    const box = reasonBox(row);
    if (!box) return;
    if (box.textContent !== text) box.textContent = text;
    box.hidden = !text || text === found[at + 1]?.text; // one sentence for neighbours that share it
    for (const name of row) {
      const isInactive = Boolean(inactiveReason(name));
      byId(name)?.classList.toggle("inactive", isInactive);
      for (const input of byId(name)?.querySelectorAll("input, textarea") ?? []) {
        describe(input, box.id, isInactive);
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
