// The control Keep best: there where several images are made; it says why it does nothing where nobody could judge them.

import { on } from "../core/bus.js";
import { byId, setText } from "../core/dom.js";
import { t } from "../core/language.js";
import { criticIsMissing } from "../form/critic.js";
import { form } from "../form/store.js";

/** Shows the row where there are several images. */
function drawKeepBest() {
  const { dataset } = document.documentElement;
  dataset.images = form.values.num_images ?? 1;
  dataset.several = form.values.num_images > 1 ? "yes" : "";
  if (byId("best_why")) setText(byId("best_why"), criticIsMissing(form.values) ? t("no_critic") : "");
}

drawKeepBest();
for (const event of ["values", "checkpoints", "drawn-by-gradio"]) on(event, drawKeepBest);
