/** What a job can be asked for beside its video, remembered from visit to visit. */

import { t } from "../languages/language.js";
import * as api from "../lib/api.js";

const $ = (id) => document.getElementById(id);

const REMEMBERED = "cdvd-options";
const OUTPUTS = [
  ["", "choose.output_auto"],
  ["codec=h264&container=mp4", "choose.output_h264"],
  ["codec=hevc", "choose.output_hevc"],
  ["codec=av1", "choose.output_av1"],
  ["codec=prores", "choose.output_prores"],
  ["codec=ffv1", "choose.output_ffv1"],
];
const SOUNDS = [
  ["", "choose.sound_auto"],
  ["sound=compatible", "choose.sound_compatible"],
  ["sound=copy", "choose.sound_copy"],
  ["sound=none", "choose.sound_none"],
];
const QUALITIES = {
  fast: ["choose.fast", "choose.fast_why"],
  good: ["choose.good", "choose.good_why"],
  best: ["choose.best", "choose.best_why"],
};

export class Options {
  #onRestoration;
  #decided; // whether the reader chose the quality

  /** `onRestoration`: called when another quality is chosen. */
  constructor(onRestoration) {
    this.#onRestoration = onRestoration;
    const last = remembered();
    this.#decided = Boolean(last.restoration);
    offer($("output"), OUTPUTS, last.output);
    offer($("sound"), SOUNDS, last.sound);
    $("strict").checked = last.strict === true;
    $("options").addEventListener("change", (event) => this.#changed(event));
  }

  /** Offers what the service can restore with. */
  async load() {
    const { models, qualities } = await api.models();
    const available = qualities.filter((quality) => quality.available);
    const known = new Set(available.map((quality) => quality.model));
    const others = models.filter((model) => !known.has(model.name));
    const cards = [
      ...available.map(({ name }) => card(`quality=${name}`, ...QUALITIES[name].map((key) => t(key)))),
      ...others.map(({ name }) => card(`model=${name}`, t("choose.model", { name }), "")),
    ];
    $("qualities").replaceChildren(...cards);
    this.#check(remembered().restoration) || this.#check(this.restorations[0]);
  }

  /** All that can be chosen between, such as ["quality=fast", "quality=good"]. */
  get restorations() {
    return radios().map((radio) => radio.value);
  }

  /** Chooses the quality that the service would take by itself, unless the reader chose one. */
  suggest(quality) {
    if (!this.#decided) this.#check(`quality=${quality}`);
  }

  /** Writes what is to be expected on the card of a quality. */
  price(restoration, text) {
    const radio = radios().find((one) => one.value === restoration);
    if (radio) radio.closest("label").querySelector("[data-part=price]").textContent = text;
  }

  /** The options of POST /jobs that were chosen. */
  get fields() {
    const strict = $("strict").checked ? { strict: "true" } : {};
    return { ...fieldsOf($("output").value), ...fieldsOf($("sound").value), ...this.restoration, ...strict };
  }

  /** What restores the video: {}, { quality } or { model }. */
  get restoration() {
    return fieldsOf(radios().find((radio) => radio.checked)?.value ?? "");
  }

  #check(value) {
    const found = radios().find((radio) => radio.value === value);
    if (found) found.checked = true;
    return Boolean(found);
  }

  #changed(event) {
    if (event.target.name === "restoration") {
      this.#decided = true;
      this.#onRestoration();
    }
    const restoration = this.#decided ? radios().find((radio) => radio.checked)?.value : undefined;
    const chosen = { restoration, output: $("output").value, sound: $("sound").value, strict: $("strict").checked };
    localStorage.setItem(REMEMBERED, JSON.stringify(chosen));
  }
}

const radios = () => [...$("qualities").querySelectorAll("input")];

export const fieldsOf = (value) => Object.fromEntries(new URLSearchParams(value));

function offer(select, choices, last) {
  select.replaceChildren(...choices.map(([value, key]) => new Option(t(key), value)));
  if (choices.some(([value]) => value === last)) select.value = last;
}

function card(value, name, why) {
  const element = $("quality-template").content.firstElementChild.cloneNode(true);
  element.querySelector("input").value = value;
  element.querySelector("[data-part=name]").textContent = name;
  element.querySelector("[data-part=why]").textContent = why;
  return element;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED)) ?? {};
  } catch {
    return {};
  }
}
