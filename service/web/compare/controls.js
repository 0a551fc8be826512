/** The buttons and sliders below the pictures: they command the comparison, and show how it stands. */

import { decimal, t } from "../languages/language.js";
import { clock } from "../lib/format.js";

const $ = (id) => document.getElementById(id);

const RATES = [0.1, 0.25, 0.5, 1];
/** What makes no sense while there is no video to play. */
const OF_VIDEOS = ["play", "rate", "loop", "mute"];

export class Controls {
  #comparison;

  constructor(comparison) {
    this.#comparison = comparison;
    const rates = RATES.map((rate) => new Option(t("compare.times", { factor: rate }), rate, rate === 1, rate === 1));
    $("rate").replaceChildren(...rates);
    this.#wire();
  }

  /** Videos play; pictures are only stepped through. */
  showKind(playing) {
    for (const id of OF_VIDEOS) ($(id).closest("label") ?? $(id)).hidden = !playing;
    $("newest").hidden = playing;
    $("seek").step = playing ? "any" : "1";
    $("seek").disabled = !playing; // until something is restored
  }

  /** How many frames can be stepped through, and whether more are to come. */
  showReach(count, growing = true) {
    $("seek").max = Math.max(count - 1, 0);
    for (const id of ["seek", "back", "forward"]) $(id).disabled = !count;
    if (!growing) $("newest").hidden = true;
  }

  showPlaying(playing) {
    $("play").textContent = t(playing ? "compare.pause" : "compare.play");
  }

  showFrame({ frame, count, seconds, place, following }) {
    $("seek").value = place;
    $("clock").textContent = clock(seconds);
    $("frame").textContent = t("compare.frame", { frame: Math.min(frame + 1, count), count });
    $("seek").setAttribute("aria-valuetext", t("compare.position", { time: clock(seconds), frame: frame + 1 }));
    $("newest").setAttribute("aria-pressed", String(following));
  }

  showZoom(scale) {
    $("zoom-reset").textContent = t("compare.times", { factor: decimal(scale, scale < 10 ? 1 : 0) });
    $("zoom-out").disabled = $("zoom-reset").disabled = scale === 1;
  }

  showView(view) {
    $("view").elements.view.value = view;
    $("legend").hidden = view !== "prior";
    $("tag-after").textContent = t(view === "prior" ? "compare.prior_long" : "compare.after");
  }

  applyRate() {
    this.#comparison.rate = Number($("rate").value);
  }

  #wire() {
    const comparison = this.#comparison;
    const on = (id, event, handler) => $(id).addEventListener(event, handler);
    on("play", "click", () => comparison.toggle());
    on("newest", "click", () => comparison.follow());
    on("back", "click", () => comparison.step(-1));
    on("forward", "click", () => comparison.step(1));
    on("seek", "input", () => comparison.seek($("seek").valueAsNumber));
    on("rate", "change", () => this.applyRate());
    on("loop", "change", () => (comparison.loop = $("loop").checked));
    on("mute", "click", () => this.#toggleMute());
    on("zoom-in", "click", () => comparison.zoom(1));
    on("zoom-out", "click", () => comparison.zoom(-1));
    on("zoom-reset", "click", () => comparison.wholePicture());
    on("zoom-pixels", "click", () => comparison.pixels());
    on("flicker", "click", () => comparison.flicker());
    on("view", "change", () => (comparison.view = $("view").elements.view.value));
    on("after", "loadedmetadata", () => ($("seek").max = $("after").duration));
  }

  #toggleMute() {
    const after = $("after");
    after.muted = !after.muted;
    $("mute").setAttribute("aria-pressed", String(after.muted));
  }
}
