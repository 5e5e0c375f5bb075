// What the browser keeps for us, as JSON; without storage nothing is kept and nothing breaks.

import { emit } from "./bus.js";
import { given } from "./given.js";

/** Private mode: nothing is kept, in this browser neither. The server says so with a cookie that scripts see. */
export const isPrivate = document.cookie.split("; ").includes(`darkroom-is-private-${given.port}=yes`);
const unkept = new Map(); // what would be kept, as JSON, for as long as the page is open

export const kept = {
  get(key, otherwise = null) {
    if (unkept.has(key)) return JSON.parse(unkept.get(key)) ?? otherwise;
    if (isPrivate) return otherwise;
    try {
      return JSON.parse(localStorage.getItem(`darkroom.${key}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(key, value) {
    const text = JSON.stringify(value ?? null);
    if (isPrivate) return void unkept.set(key, text);
    try {
      localStorage.setItem(`darkroom.${key}`, text);
      unkept.delete(key);
    } catch {
      unkept.set(key, text); // full or forbidden: for this page at least
      emit("storage-full");
    }
  },
};
