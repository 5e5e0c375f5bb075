// Whether the server has become a newer one, whose page this is not any more.

import { look } from "./api.js";
import { t } from "./language.js";
import { note } from "./note.js";

/** Says so where it is; whether it is. */
export async function sayIfOutdated() {
  const answer = await look(import.meta.url);
  if (answer?.status !== 404) return false;
  note(t("newer_version"), { text: t("load_again"), run: () => location.reload() });
  return true;
}
