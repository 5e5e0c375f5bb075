// Puts right what Gradio calls its parts: a slider's range is "Steps" (its box "Steps value"), every field has exactly
// one element with its name. The names are the catalogue's, in the page's language.

const PARTS = { slider: "slider", number: "input", list: "input", text: "input", chips: "group" };
const RENAMED = {
  ...Object.fromEntries(Object.entries(fields).filter(([, { kind }]) => kind in PARTS).map(([name, { kind }]) => [name, PARTS[kind]])),
  quality: "group", ratio: "group", // fill no field
};
const CALLED = { ratio: "proportions" };
const TITLES = { swap: "swap_sides", dice: "seed_new", reuse: "seed_reuse", generate: "generate_hint", stop: "stop_hint" };

function setName(node, name) {
  if (node && node.getAttribute("aria-label") !== name) node.setAttribute("aria-label", name);
}

function correctNames() {
  for (const [field, kind] of Object.entries(RENAMED)) {
    const box = byId(field);
    if (!box) continue;
    const name = t(CALLED[field] ?? field);
    if (kind === "slider") {
      setName(box.querySelector("input[type=range]"), name);
      setName(box.querySelector("input[type=number]"), t("value_of", { name }));
    } else if (kind === "input") {
      setName(box.querySelector("textarea, input"), name);
    } else {
      const group = box.matches("fieldset") ? box : (box.querySelector("fieldset") ?? box);
      group.setAttribute("role", "radiogroup");
      setName(group, name);
    }
  }
  const looks = byId("looks")?.querySelector("input"); // says what it is for while nothing is chosen
  if (looks) looks.placeholder = values.looks?.length ? "" : t("looks");
  for (const [id, key] of Object.entries(TITLES)) {
    const button = byId(id);
    if (!button) continue;
    if (button.title !== t(key)) button.title = t(key);
    setName(button, id === "generate" || id === "stop" ? t(id) : t(key)); // the shortcut drawn beside it is no name
  }
}

let isNaming = false;
new MutationObserver((changes) => {
  if (isNaming || changes.every(({ target }) => target.closest?.(".sheet"))) return; // the gallery has nothing of Gradio's
  isNaming = true;
  requestAnimationFrame(() => { isNaming = false; correctNames(); emit("grown"); });
}).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
