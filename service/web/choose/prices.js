/** Says what each quality would take on this installation, in time. */

import { t } from "../languages/language.js";
import { estimate } from "../lib/api.js";
import { spoken } from "../lib/format.js";
import { fieldsOf } from "./options.js";

/** A handle that is being dragged asks for nothing yet. */
const REST_MS = 400;
const WORTH_SAYING_S = 30;

export class Prices {
  #options;
  #timer = null;
  #asked = ""; // what the prices that are shown are for

  /** `options`: the Options whose cards show the prices. */
  constructor(options) {
    this.#options = options;
  }

  /** Asks for the wanted part of a video; says nothing of a file whose size and length are unknown. */
  update(item, { anew = false } = {}) {
    clearTimeout(this.#timer);
    if (anew) this.#asked = "";
    const video = described(item);
    if (!video) return this.#options.restorations.forEach((one) => this.#options.price(one, ""));
    if (JSON.stringify(video) === this.#asked) return;
    this.#timer = setTimeout(() => this.#ask(video), REST_MS);
  }

  async #ask(video) {
    this.#asked = JSON.stringify(video);
    const current = () => this.#asked === JSON.stringify(video);
    try {
      const usual = await estimate(video);
      if (usual.quality && current()) this.#options.suggest(usual.quality);
      for (const one of this.#options.restorations) {
        const text = priceText(await estimate({ ...video, ...fieldsOf(one) }));
        if (current()) this.#options.price(one, text);
      }
    } catch {
      if (current()) this.#asked = ""; // a price is no reason to disturb; the job itself shows what is wrong
    }
  }
}

function described({ facts, file, start, end }) {
  if (!facts?.fps) return null;
  const { width, height, fps, duration_s } = facts;
  const length = (end ?? duration_s) - start;
  return length > 0 ? { width, height, fps, duration_s: length, bytes: file.size } : null;
}

function priceText({ seconds, waiting_s }) {
  if (seconds == null) return t("choose.no_price");
  if (waiting_s > WORTH_SAYING_S) return t("choose.price_queue", { time: spoken(seconds), queue: spoken(waiting_s) });
  return t("choose.price", { time: spoken(seconds) });
}
