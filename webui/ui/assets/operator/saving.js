// Changes of settings on their way to the server.

import { ApiError, api } from "../core/api.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";

/** The setting as it is then; null where it was not saved, of which `refuse(text, isInvalid)` is told why. */
export async function save(name, value, refuse) {
  try {
    const settings = await api("PATCH", "/api/settings", { [name]: value });
    note(t("setting_saved"));
    return settings[name];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const reason = error.items[0]?.ctx?.reason;
    refuse(reason ? t("setting_refused", { reason }) : error.told, error.items.length > 0);
    return null;
  }
}
