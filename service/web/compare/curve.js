/** Draws the sharpness of every frame before and after as two lines; the video follows the pointer on them. */

import { decimal, t } from "../languages/language.js";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
/** Units of the drawing, which the browser stretches to the width of the page. */
const WIDTH = 1000;
const HEIGHT = 100;
const HEADROOM = 1.08;

export class Curve {
  #frames = 0;
  #values = null;

  constructor(onFrame) {
    $("curve-frame").addEventListener("input", () => onFrame($("curve-frame").valueAsNumber));
  }

  /** `curve`: the answer of /sharpness. `frames`: how many frames the result has. */
  draw(curve, frames) {
    this.#frames = frames;
    this.#values = curve;
    const known = [...curve.before, ...curve.after].filter((value) => value !== null);
    if (!known.length) return this.clear();
    const top = Math.max(...known) * HEADROOM || 1;
    const line = (name) => polyline(name, curve[name].slice(0, frames), top, frames);
    $("curve-lines").replaceChildren(...cuts(curve, frames), line("before"), line("after"));
    $("curve-summary").textContent = summary(curve);
    $("curve-frame").max = Math.max(frames - 1, 0);
    $("curve").hidden = false;
  }

  mark(frame) {
    if (!this.#values) return;
    const at = this.#frames > 1 ? frame / (this.#frames - 1) : 0;
    $("curve-mark").setAttribute("x1", at * WIDTH);
    $("curve-mark").setAttribute("x2", at * WIDTH);
    $("curve-frame").value = frame;
    const [before, after] = [this.#values.before[frame], this.#values.after[frame]];
    const text = after == null ? "" : t("curve.values", { before: rounded(before), after: rounded(after) });
    $("curve-frame").setAttribute("aria-valuetext", t("curve.at_frame", { frame: frame + 1, values: text }));
    $("curve-value").textContent = text;
  }

  clear() {
    this.#values = null;
    $("curve").hidden = true;
  }
}

/** A line where each shot begins but the first. */
function cuts(curve, frames) {
  const shown = (curve.shots ?? []).filter((frame) => frame > 0 && frame < frames);
  return shown.map((frame) => {
    const mark = document.createElementNS(SVG, "line");
    const x = ((frame / (frames - 1)) * WIDTH).toFixed(1);
    const ends = { class: "cut", x1: x, x2: x, y1: 0, y2: HEIGHT };
    for (const [name, value] of Object.entries(ends)) mark.setAttribute(name, value);
    return mark;
  });
}

/** Leaves gaps where frames have no value yet; draws the largest value per unit of width of a long video. */
function polyline(name, values, top, frames) {
  const path = document.createElementNS(SVG, "path");
  let [commands, pen] = ["", "M"];
  const every = Math.max(1, Math.ceil(frames / WIDTH));
  for (let frame = 0; frame < values.length; frame += every) {
    const known = values.slice(frame, frame + every).filter((value) => value !== null);
    if (!known.length) {
      pen = "M";
      continue;
    }
    const x = frames > 1 ? (frame / (frames - 1)) * WIDTH : 0;
    commands += `${pen}${x.toFixed(1)} ${(HEIGHT - (Math.max(...known) / top) * HEIGHT).toFixed(2)}`;
    pen = "L";
  }
  path.setAttribute("class", `line-${name}`);
  path.setAttribute("d", commands);
  return path;
}

function summary(curve) {
  const pairs = curve.before
    .map((value, frame) => [value, curve.after[frame]])
    .filter(([before, after]) => before !== null && after !== null);
  const mean = (side) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const sharper = pairs.filter(([before, after]) => after > before).length;
  const means = t("curve.means", { before: rounded(mean(0)), after: rounded(mean(1)) });
  const parts = [means, t("curve.sharper", { sharper, count: pairs.length }), shots(curve)];
  return parts.filter(Boolean).join(" ");
}

function shots(curve) {
  const count = (curve.shots ?? []).length;
  return count > 1 ? t("curve.shots", { count }) : "";
}

const rounded = (value) => decimal(value, value < 100 ? 1 : 0);
