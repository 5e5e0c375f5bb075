// The one object that our scripts share: language, strings, a bus, requests to our own API, small DOM helpers.

const language = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en";
const texts = given.texts[language];

const darkroom = (window.darkroom = { language, given });
const listeners = new Map();

/** The string `key` with its {blanks} filled. */
function t(key, values = {}) {
  const text = texts[key] ?? given.texts.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function on(name, listener) {
  if (!listeners.has(name)) listeners.set(name, []);
  listeners.get(name).push(listener);
}

function emit(name, value) {
  for (const listener of listeners.get(name) ?? []) listener(value);
}

/** An element; text always goes in as text, never as HTML. `on…` options are listeners, `data` is the dataset. */
function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Replaces an element's children without touching those that are the same. */
function fill(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

const byId = (id) => document.getElementById(id);

class ApiError extends Error {
  constructor(status, { kind = "internal", message = "", hint = "", details = {} } = {}) {
    super(message || t("error_no_answer"));
    Object.assign(this, { status, kind, hint, details });
  }
}

/** Whether a complaint is one that the server words for people; most of a schema's are not. */
const isSentence = ({ type, loc }) => loc.at(-1) === "schema_version" ||
  ["invalid_request", "prompt", "unexpected_keyword_argument", "extra_forbidden"].includes(type);

/** JSON from our API, or a picture as a Blob. Throws ApiError with a worded message for anything but a success. */
async function api(method, path, body, signal) {
  const isForm = body instanceof FormData;
  const headers = { "Accept-Language": language, ...(isPrivate && { "Darkroom-Private": "yes" }) };
  if (body && !isForm) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && !isForm ? JSON.stringify(body) : body, signal });
  } catch {
    throw new ApiError(0, { kind: "offline", message: t("error_no_answer") });
  }
  const type = answer.headers.get("content-type") ?? "";
  if (answer.ok && type.startsWith("image/")) return answer.blob();
  const json = type.includes("json") ? await answer.json() : null;
  if (answer.ok) return json;
  if (json?.error) throw new ApiError(answer.status, json.error);
  if (Array.isArray(json?.detail)) {
    const message = json.detail.find(isSentence)?.msg ?? t("error_refused");
    throw new ApiError(422, { kind: "invalid_request", message });
  }
  throw new ApiError(answer.status);
}

/** Private mode: nothing is kept, in this browser neither. The server says so with a cookie that scripts see. */
const isPrivate = document.cookie.split("; ").includes(`darkroom-is-private-${given.port}=yes`);
const unkept = new Map(); // what would be kept, as JSON, for as long as the page is open

/** What the browser keeps for us, as JSON; without storage nothing is kept and nothing breaks. */
const kept = {
  get(key, otherwise = null) {
    if (unkept.has(key)) return JSON.parse(unkept.get(key)) ?? otherwise;
    try {
      return JSON.parse(localStorage.getItem(`darkroom.${key}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(key, value) {
    if (isPrivate) return void unkept.set(key, JSON.stringify(value ?? null));
    try {
      localStorage.setItem(`darkroom.${key}`, JSON.stringify(value));
    } catch {
      emit("storage-full");
    }
  },
};

/** "0.11 s", "12 s", "3 min" */
function seconds(value) {
  if (value < 1) return t("seconds", { n: value.toFixed(2) });
  if (value < 10) return t("seconds", { n: value.toFixed(1) });
  if (value < 90) return t("seconds", { n: Math.round(value) });
  return t("minutes", { n: Math.round(value / 60) });
}

/** The same for what is only guessed: whole seconds. */
const about = (value) => (value < 90 ? t("seconds", { n: Math.max(1, Math.round(value)) }) : seconds(value));

/** A line at the bottom of the left column that goes by itself, with one optional button; it waits while it is used. */
function note(text, action) {
  const box = byId("note") ?? document.body.appendChild(el("div", { id: "note", role: "status", class: "dr" }));
  const from = document.activeElement;
  const away = () => {
    if (box.matches(":hover, :focus-within")) return void (note.timer = setTimeout(away, 2000));
    box.hidden = true;
  };
  const run = () => { box.hidden = true; from?.focus?.(); action.run(); };
  clearTimeout(note.timer);
  const button = action && el("button", { type: "button", class: "link", text: action.text, onclick: run });
  fill(box, el("span", { text }), button);
  box.hidden = false;
  note.timer = setTimeout(away, action ? 9000 : 5000);
}

/** Tab stays within `scope`, and within the note's button while there is one. For a listener on keydown. */
function keepFocus(event, scope) {
  if (event.key !== "Tab") return;
  const places = [scope, byId("note")].filter((place) => place && !place.hidden);
  const found = places.flatMap((place) => [...place.querySelectorAll("button, a[href], input, select, textarea, [tabindex='0']")]);
  const stops = found.filter((node) => node.offsetParent && !node.disabled && !node.closest("[inert]"));
  if (!stops.length) return event.preventDefault();
  const at = stops.indexOf(document.activeElement);
  event.preventDefault();
  stops[(at < 0 && event.shiftKey ? stops.length - 1 : at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
}

/** A button that shows and hides a box. Focus goes into the box and stays there; Escape and a click elsewhere close it. */
function popover(button, box, onopen = () => {}) {
  const close = () => {
    if (box.hidden) return;
    const hadFocus = box.contains(document.activeElement);
    box.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (hadFocus) button.focus({ preventScroll: true });
  };
  box.tabIndex = -1;
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    if (!box.hidden) return close();
    box.hidden = false;
    button.setAttribute("aria-expanded", "true");
    onopen();
    box.focus({ preventScroll: true });
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target) && !button.contains(event.target)) close();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    keepFocus(event, box);
  });
  return close;
}
