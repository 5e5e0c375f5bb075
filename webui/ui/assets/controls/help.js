// The “?” beside groups of controls.

import { fillPart } from "../core/places.js";
import { helpMark } from "../parts/help_mark.js";

fillPart("help", (element) => element.replaceChildren(helpMark("groups", element.firstElementChild.dataset.group)));
