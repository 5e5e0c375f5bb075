// Writing into the prompt boxes so that both ways back work: the browser's own Undo (Ctrl+Z), and a note with an Undo
// for whatever replaced a whole text: a surprise, an example, the history, settings of a picture, a paste.

const PROMPTS = ["negative_prompt", "prompt"]; // the last one written is the first one that Ctrl+Z takes back
const promptBox = (field) => byId(field)?.querySelector("textarea") ?? null;
const fieldOf = (node) => PROMPTS.find((field) => node && node === promptBox(field));
const writing = { isUndoing: false, offer: undefined };

/** A finger's keyboard would come up with the focus; then the text is set without it, and there is no Ctrl+Z to serve. */
const mayFocus = (box) => Boolean(box.offsetParent) && (box === document.activeElement || !matchMedia("(pointer: coarse)").matches);

/** `text` in the place of the characters [start, end) of `box`, as if it were typed there. Focus stays where it is. */
function typeOver(box, start, end, text) {
  if (box.value.slice(start, end) === text) return;
  const focused = document.activeElement;
  let isTyped = false;
  if (mayFocus(box)) {
    box.focus({ preventScroll: true });
    box.setSelectionRange(start, end);
    isTyped = document.execCommand(text ? "insertText" : "delete", false, text);
    if (focused === document.body) box.blur();
    else if (focused !== box) focused?.focus?.({ preventScroll: true });
  }
  if (!isTyped) {
    box.setRangeText(text, start, end, "end");
    box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
  }
}

const typeAll = (box, text) => typeOver(box, 0, box.value.length, text);

/** An action for `note` that sets `before` (controls by name) again. */
function undoTo(before) {
  const run = () => {
    writing.isUndoing = true;
    setControls(before);
    writing.isUndoing = false;
  };
  return { text: t("undo"), run };
}

/** What takes the latest replacement back, for a note that says more about it; undefined where no text was replaced. */
const undoOffer = () => writing.offer;

on("replacing", (changes) => {
  writing.offer = undefined;
  const replaced = PROMPTS.filter((field) => field in changes && promptBox(field) && promptBox(field).value !== (changes[field] ?? ""));
  if (!replaced.length) return;
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, values[name]]));
  for (const field of replaced) before[field] = promptBox(field).value;
  for (const field of replaced) typeAll(promptBox(field), changes[field] ?? "");
  if (writing.isUndoing || !replaced.some((field) => before[field].trim())) return;
  writing.offer = undoTo(before);
  note(t("text_replaced"), writing.offer);
});

document.addEventListener("paste", (event) => {
  const field = fieldOf(event.target);
  const box = event.target;
  if (!field || !box.value.trim() || box.selectionStart > 0 || box.selectionEnd < box.value.length) return;
  const before = box.value;
  const offer = () => { if (box.value !== before) note(t("text_replaced"), undoTo({ [field]: before })); };
  box.addEventListener("input", offer, { once: true });
  setTimeout(() => box.removeEventListener("input", offer)); // a paste of nothing changes nothing
});
