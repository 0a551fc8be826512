/** What of the jobs is shown: those with a text in their names, in one state, or the previews. */

import { t } from "../languages/language.js";
import { statusWord } from "../lib/format.js";
import { STATUSES } from "./states.js";

const $ = (id) => document.getElementById(id);
const PREVIEWS = "previews";
const TYPING_MS = 250;

/** Offers the choices; calls `onChange` when another is made. */
export function offerFilters(onChange) {
  $("state").replaceChildren(
    new Option(t("list.all"), ""),
    ...STATUSES.map((status) => new Option(statusWord(status), status)),
    new Option(t("list.previews"), PREVIEWS),
  );
  let timer;
  $("search").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, TYPING_MS);
  });
  $("state").addEventListener("change", onChange);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
}

/** The options of GET /jobs that were chosen. Previews are listed only where they are asked for. */
export function chosenFilter() {
  const [name, state] = [$("search").value.trim(), $("state").value];
  return { preview: state === PREVIEWS, ...(name && { name }), ...(state && state !== PREVIEWS && { status: state }) };
}

export const isFiltered = () => Boolean($("search").value.trim() || $("state").value);
