// Calls of our own HTTP API.

import { isPrivate } from "./kept.js";
import { language, sentences, t } from "./language.js";

export class ApiError extends Error {
  /** `status` is HTTP's, 0 where no answer came; `items` are a schema's complaints. */
  constructor(status, { kind = "internal", message = "", hint = "", details = {}, log_id: logId } = {}, items = []) {
    super(message || t("error_no_answer"));
    Object.assign(this, { status, kind, hint, details, items, log_id: logId });
  }

  /** Sentence and hint. */
  get told() {
    return sentences([this.message, this.hint]);
  }
}

/** Whether a complaint is one that the server words for people; most of a schema's are not. */
const isSentence = ({ type, loc }) => loc.at(-1) === "schema_version" ||
  ["invalid_request", "prompt", "unexpected_keyword_argument", "extra_forbidden"].includes(type);

/** What every call of ours says about who asks. */
export const callHeaders = () => ({ "Accept-Language": language, ...(isPrivate && { "Darkroom-Private": "yes" }) });

/**
 * JSON from our API, or a picture as a Blob. Throws ApiError with a worded message for anything but a success.
 * `options` are fetch's `signal` and `keepalive`, and more `headers`.
 */
export async function api(method, path, body, { headers: more = {}, ...options } = {}) {
  const isForm = body instanceof FormData;
  const headers = { ...callHeaders(), ...more };
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  let answer;
  let json = null;
  try {
    answer = await fetch(path, { method, headers, body: body !== undefined && !isForm ? JSON.stringify(body) : body, ...options });
    const type = answer.headers.get("content-type") ?? "";
    if (answer.ok && type.startsWith("image/")) return await answer.blob();
    if (type.includes("json")) json = await answer.json();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { kind: "offline", message: t("error_no_answer") });
  }
  if (answer.ok) return json;
  if (answer.status === 401) location.reload(); // to the login; what was typed is kept
  if (json?.error) throw new ApiError(answer.status, json.error);
  if (Array.isArray(json?.detail)) {
    const message = json.detail.find(isSentence)?.msg ?? t("error_refused");
    throw new ApiError(answer.status, { kind: "invalid_request", message }, json.detail);
  }
  throw new ApiError(answer.status, answer.status >= 500 ? {} : { message: t("error_refused") });
}

/** Status and headers of an address of ours, or null where no answer came. */
export async function look(path) {
  try {
    return await fetch(path, { method: "HEAD", cache: "no-store", headers: callHeaders() });
  } catch {
    return null;
  }
}

/** Brings one of the page's own files into the browser's cache. Throws where it does not come. */
export async function keepFile(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  await answer.arrayBuffer();
}
