// The page's language and its strings: English, or what early.js has put in their place.

import { texts } from "../texts/en.js";

export const language = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en";

/** The string `key` with its {blanks} filled. */
export function t(key, blanks = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in blanks ? String(blanks[name]) : whole));
}

/** One of two fields of `object`, as the language has it: `name_zh` in Chinese, else `name`. */
export const localized = (object, name) => (language === "zh-CN" && object[`${name}_zh`] ? object[`${name}_zh`] : object[name]);

/** Sentences one after the other; Chinese puts no space between them. */
export const sentences = (list) => list.filter(Boolean).join(language === "zh-CN" ? "" : " ");

/** "0.11 s", "12 s", "3 min" */
export function seconds(value) {
  if (value < 1) return t("seconds", { n: value.toFixed(2) });
  if (value < 10) return t("seconds", { n: value.toFixed(1) });
  if (value < 90) return t("seconds", { n: Math.round(value) });
  return t("minutes", { n: Math.round(value / 60) });
}

/** The same for what is only estimated: whole seconds. */
export const about = (value) => (value < 90 ? t("seconds", { n: Math.max(1, Math.round(value)) }) : seconds(value));
