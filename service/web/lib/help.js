/** Lists the keys of the page in a dialog; "?" opens it, and "/" goes to the search. */

import { KEYS, keyName } from "../compare/keys.js";
import { t } from "../languages/language.js";

const $ = (id) => document.getElementById(id);
/** Keys of the whole page, beside those of the view of a job. */
const EVERYWHERE = [
  { keys: ["?"], textKey: "keys.help" },
  { keys: ["/"], textKey: "keys.search" },
];

export function offerHelp() {
  $("keys").addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (event.key === "?") open();
    if (event.key === "/" && !$("start").hidden && !$("list").hidden) {
      event.preventDefault(); // the key itself is not part of what is searched
      $("search").focus();
    }
  });
}

function open() {
  if (document.querySelector("dialog[open]")) return;
  $("keys-everywhere").replaceChildren(...EVERYWHERE.flatMap(item));
  $("keys-of-job").replaceChildren(...KEYS.flatMap(item));
  $("help").showModal();
}

/** A term with the keys, and what they do. */
function item({ keys, textKey }) {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  for (const key of keys) {
    const cap = document.createElement("kbd");
    cap.textContent = keyName(key);
    term.append(cap, " ");
  }
  description.textContent = t(textKey);
  return [term, description];
}
