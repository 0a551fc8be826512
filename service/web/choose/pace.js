/** Measures how fast an upload is and how long the rest takes, over the last seconds. */

import { t } from "../languages/language.js";
import { bytes, duration } from "../lib/format.js";

const WINDOW_MS = 5000;
const SURE_AFTER_MS = 1000;

export class Pace {
  #seen = []; // [milliseconds, bytes], oldest first

  /** ["2.1 MiB/s", "0:14 left"], or nothing while it is too early to tell. */
  texts(sent, size) {
    const now = performance.now();
    this.#seen.push([now, sent]);
    while (this.#seen[0][0] < now - WINDOW_MS && this.#seen.length > 2) this.#seen.shift();
    const [then, before] = this.#seen[0];
    const rate = ((sent - before) / (now - then)) * 1000;
    if (now - then < SURE_AFTER_MS || !(rate > 0)) return [];
    return [`${bytes(rate)}/s`, t("progress.left", { time: duration((size - sent) / rate) })];
  }
}
