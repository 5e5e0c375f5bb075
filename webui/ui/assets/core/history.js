// The browser's history: each tab has an address, and so has each thing that opens above the page. Back closes what was
// opened last, then goes to the tab before. An address says the tab and what is open: `#image_to_image/gallery`.

import { emit } from "./bus.js";

const openers = new Map(); // name → function that opens it, with what stands behind its name in the address
const open = []; // what is open, from the first to the last: {name, detail, close}
let tab = "";
let written = history.state?.open ? history.state : { tab: "", open: [], below: 0 }; // the browser's present entry; `below`: entries of ours under it
let isTraversing = false; // the browser is on its way to an entry that we asked for
let isDue = false;
let coming = 0; // what the address names and takes a moment to open: until then the address stays

/** How `name` is opened when its address is gone to; `detail` is what stands behind it in the address, or "". `run` may
 * return a promise of having opened it. */
export function canOpen(name, run) {
  openers.set(name, run);
}

/** Opens `name` as its address would. */
export const goTo = (name, detail = "") => openers.get(name)?.(detail);

/** `name` has been opened; `close` closes it when the person goes back. Another detail of the same name replaces it. */
export function opened(name, close, detail = "") {
  if (open.at(-1)?.name === name) open.pop();
  open.push({ name, detail, close });
  writeSoon();
}

/** `name` has been closed, and what was opened above it goes too. */
export function closed(name) {
  const at = open.findIndex((one) => one.name === name);
  if (at < 0) return;
  for (const one of open.splice(at).slice(1).reverse()) one.close();
  writeSoon();
}

/** The page shows this tab. */
export function showsTab(name) {
  tab = name;
  writeSoon();
}

/** The tab that the address names, or "". */
export const tabInAddress = () => readAddress().tab;

/** Opens what the address says, once everything that can be opened has said so. */
export function openAddress() {
  follow(readAddress());
}

function readAddress() {
  const [name = "", ...rest] = location.hash.slice(1).split("/").filter(Boolean).map(decoded);
  const wanted = [];
  for (const part of rest) {
    if (openers.has(part)) wanted.push({ name: part, detail: "" });
    else if (wanted.length && !wanted.at(-1).detail) wanted.at(-1).detail = part;
  }
  return { tab: name, open: wanted };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no address of ours
  }
}

/** Opens and closes until the page shows `entry`. */
function follow(entry) {
  let same = 0;
  while (same < open.length && isSame(open[same], entry.open[same])) same += 1;
  for (const one of open.splice(same).reverse()) one.close();
  if (entry.tab && entry.tab !== tab) emit("tab-in-address", entry.tab);
  for (const { name, detail } of entry.open.slice(same)) void awaitOpen(name, detail);
}

async function awaitOpen(name, detail) {
  coming += 1;
  try {
    await goTo(name, detail);
  } finally {
    coming -= 1;
    writeSoon();
  }
}

const isSame = (one, other) => one?.name === other?.name && one?.detail === other?.detail;

/** What opens and closes within one task makes one step of the history. */
function writeSoon() {
  if (isDue) return;
  isDue = true;
  queueMicrotask(() => { isDue = false; write(); });
}

function write() {
  if (isTraversing || coming || !tab) return;
  const wanted = open.map(({ name, detail }) => ({ name, detail }));
  let same = 0;
  while (tab === written.tab && same < wanted.length && isSame(wanted[same], written.open[same])) same += 1;
  const excess = written.open.length - same;
  if (excess === 1 && tab === written.tab && wanted.length === written.open.length) return put("replaceState", { ...written, open: wanted });
  if (excess > 0 && written.below >= excess) {
    isTraversing = true;
    return history.go(-excess);
  }
  if (excess > 0) put("replaceState", { ...written, open: wanted.slice(0, same) });
  if (!written.tab) put("replaceState", { tab, open: [], below: 0 });
  else if (tab !== written.tab) put("pushState", { tab, open: [], below: written.below + 1 });
  for (let count = same + 1; count <= wanted.length; count += 1) {
    put("pushState", { tab, open: wanted.slice(0, count), below: written.below + 1 });
  }
}

function put(how, entry) {
  const names = entry.open.flatMap(({ name, detail }) => (detail ? [name, detail] : [name]));
  history[how](entry, "", `#${[entry.tab, ...names].map(encodeURIComponent).join("/")}`);
  written = entry;
}

history.scrollRestoration = "manual"; // nothing of the page moves because something closes

addEventListener("popstate", ({ state }) => {
  written = state?.open ? state : { ...readAddress(), below: 0 };
  if (isTraversing) {
    isTraversing = false;
    return write();
  }
  follow(written);
  writeSoon();
});
