// What Gradio's parts lack for the keyboard: tabs by arrow keys, chips as one group, lists that Tab does not stop at.

const taskTabs = () => [...document.querySelectorAll("#tasks [role=tab]")].filter((tab) => tab.offsetParent);

on("grown", () => {
  for (const tab of taskTabs()) setAttribute(tab, "tabindex", tab.getAttribute("aria-selected") === "true" ? "0" : "-1");
  for (const group of document.querySelectorAll(".chips")) {
    for (const chip of group.querySelectorAll("input[type=radio]")) setAttribute(chip, "name", `${group.id}_chip`);
  }
  for (const list of document.querySelectorAll(".options, .options ul")) setAttribute(list, "tabindex", "-1");
});

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Says that the element `id` describes the control, or no longer; another's description stays. */
function describe(control, id, isDescribed) {
  if (isDescribed) setAttribute(control, "aria-describedby", id);
  else if (control.getAttribute("aria-describedby") === id) control.removeAttribute("aria-describedby");
}

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("#tasks [role=tab]") || event.ctrlKey || event.altKey || event.metaKey) return;
  const tabs = taskTabs();
  const at = tabs.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = tabs.at(to % tabs.length);
  tab.click();
  tab.focus();
});
