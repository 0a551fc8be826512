/** The wanted part of a video on a strip of its pictures: two handles, and the place that is on the screen. */

import { t } from "../languages/language.js";
import { clock } from "../lib/format.js";
import { drawFilm } from "./film.js";

const $ = (id) => document.getElementById(id);

/** Seconds: a handle stays so far from the other. */
const SHORTEST = 0.1;
const STEP = 0.05;

export class Trimmer {
  #on;
  #item = null;
  #drawing = new AbortController();

  /** `on`: { seek(seconds), trimmed(item) }. */
  constructor(on) {
    this.#on = on;
    $("playhead").addEventListener("input", () => on.seek($("playhead").valueAsNumber));
    $("trim-start").addEventListener("input", () => this.#moveStart());
    $("trim-end").addEventListener("input", () => this.#moveEnd());
    $("trim-all").addEventListener("click", () => this.#takeAll());
  }

  /** Shows the strip of a video whose facts are known. */
  open(item) {
    if (this.#item === item) return;
    this.#item = item;
    $("trimmer").hidden = false;
    for (const id of ["playhead", "trim-start", "trim-end"]) {
      Object.assign($(id), { min: 0, max: item.facts.duration_s, step: STEP });
    }
    this.mark(null);
    this.#draw();
    this.#drawing.abort();
    this.#drawing = new AbortController();
    $("film").width = $("film").width; // clears it
    drawFilm($("film"), item.url, item.facts, this.#drawing.signal);
  }

  close() {
    this.#item = null;
    this.#drawing.abort();
    $("trimmer").hidden = true;
  }

  /** Shows the place that is on the screen. */
  follow(seconds) {
    if (!this.#item) return;
    $("playhead").value = seconds;
    $("playhead").setAttribute("aria-valuetext", clock(seconds));
    this.#place("--now", seconds);
  }

  /** Shows which second was deblurred; null for none. */
  mark(start) {
    $("trim-mark").hidden = start === null;
    if (start === null) return;
    this.#place("--mark", start);
    this.#place("--mark-end", Math.min(start + 1, this.#length));
  }

  get #length() {
    return this.#item.facts.duration_s;
  }

  #moveStart() {
    const latest = (this.#item.end ?? this.#length) - SHORTEST;
    this.#item.start = Math.max(0, Math.min($("trim-start").valueAsNumber, latest));
    this.#moved(this.#item.start);
  }

  #moveEnd() {
    const end = Math.max($("trim-end").valueAsNumber, this.#item.start + SHORTEST);
    this.#item.end = end > this.#length - STEP ? null : end;
    this.#moved(end);
  }

  #takeAll() {
    [this.#item.start, this.#item.end] = [0, null];
    this.#moved(0);
    $("trim-start").focus();
  }

  /** The video goes to the handle that moved. */
  #moved(seconds) {
    this.#draw();
    this.#on.seek(Math.min(seconds, this.#length - 0.001));
    this.#on.trimmed(this.#item);
  }

  #draw() {
    const { start, end } = this.#item;
    const last = end ?? this.#length;
    [$("trim-start").value, $("trim-end").value] = [start, last];
    $("trim-start").setAttribute("aria-valuetext", clock(start));
    $("trim-end").setAttribute("aria-valuetext", clock(last));
    this.#place("--start", start);
    this.#place("--end", last);
    $("trim-text").textContent = this.#item.trimmed
      ? t("choose.part", { start: clock(start), end: clock(last), length: clock(last - start) })
      : t("choose.all_of_it", { length: clock(this.#length) });
    $("trim-all").hidden = !this.#item.trimmed;
  }

  #place(name, seconds) {
    $("strip").style.setProperty(name, `${(seconds / this.#length) * 100}%`);
  }
}
