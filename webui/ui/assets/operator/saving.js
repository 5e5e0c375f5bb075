// Changes of settings on their way to the server, one at a time.

import { ApiError, api } from "../core/api.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";

/** The setting as it is then; null where it was refused, which `said` tells. */
export async function save(name, value, said) {
  said.hidden = true;
  try {
    const settings = await api("PATCH", "/api/settings", { [name]: value });
    note(t("setting_saved"));
    return settings[name];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const reason = error.items[0]?.ctx?.reason;
    said.textContent = reason ? t("setting_refused", { reason }) : error.told;
    said.hidden = false;
    return null;
  }
}
