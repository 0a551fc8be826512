/** The choice of what restores a video: a quality, or a model that no quality stands for. */

import * as api from "../lib/api.js";

const $ = (id) => document.getElementById(id);

const WORDS = {
  fast: "Fast: the light model",
  good: "Good: sharper, about four times the work",
  best: "Best: the heavy model",
};
const REMEMBERED = "cdvd-restoration";

/** Fills the list from what the service has, and remembers what was chosen last. */
export async function offerRestorations() {
  const { models, qualities } = await api.models();
  const available = qualities.filter((quality) => quality.available);
  const known = new Set(available.map((quality) => quality.model));
  const others = models.filter((model) => !known.has(model.name));
  $("restoration").replaceChildren(
    new Option("As the service chooses", ""),
    ...available.map(({ name }) => new Option(WORDS[name] ?? name, `quality=${name}`)),
    ...others.map(({ name }) => new Option(`Model ${name}`, `model=${name}`)),
  );
  const last = localStorage.getItem(REMEMBERED);
  if ([...$("restoration").options].some((option) => option.value === last)) $("restoration").value = last;
  $("restoration").addEventListener("change", () => localStorage.setItem(REMEMBERED, $("restoration").value));
  $("restoration-field").hidden = false;
}

/** The options of POST /jobs that were chosen: {}, { quality } or { model }. */
export function chosenRestoration() {
  const [name, value] = $("restoration").value.split("=", 2);
  return value ? { [name]: value } : {};
}
