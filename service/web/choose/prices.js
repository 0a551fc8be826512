/** Says what each quality would take on this installation, in time. */

import { t } from "../languages/language.js";
import { estimate } from "../lib/api.js";
import { spoken } from "../lib/format.js";
import { fieldsOf } from "./options.js";

const WORTH_SAYING_S = 30;

export class Prices {
  #options;
  #item = null;
  #asked = ""; // what the answers are about
  #answers = new Map(); // restoration -> what the whole video would take

  /** `options`: the Options whose cards show the prices. */
  constructor(options) {
    this.#options = options;
  }

  /** Shows the prices of the wanted part of a video; none of a file whose size and length are unknown. */
  update(item, { anew = false } = {}) {
    const asked = JSON.stringify([item.file.name, item.facts]);
    if (anew || item !== this.#item || asked !== this.#asked) this.#ask(item, asked);
    this.#show();
  }

  /** Asks once for the whole video, since keys may ask for so many estimates a minute; a part takes its share. */
  async #ask(item, asked) {
    if (item !== this.#item || asked !== this.#asked) this.#answers.clear(); // else what was said holds until then
    [this.#item, this.#asked] = [item, asked];
    if (!item.facts?.fps) return;
    const current = () => this.#item === item && this.#asked === asked;
    const video = { ...item.facts, bytes: item.file.size };
    try {
      const usual = await estimate(video);
      if (usual.quality && current()) this.#options.suggest(usual.quality);
      for (const one of this.#options.restorations) {
        const answer = await estimate({ ...video, ...fieldsOf(one) });
        if (!current()) return;
        this.#answers.set(one, answer);
        this.#show();
      }
    } catch {
      if (current()) this.#asked = ""; // a price is no reason to disturb; the job itself shows what is wrong
    }
  }

  #show() {
    const { facts, start, end } = this.#item;
    const share = facts ? ((end ?? facts.duration_s) - start) / facts.duration_s : 1;
    for (const one of this.#options.restorations) {
      const answer = this.#answers.get(one);
      this.#options.price(one, answer ? priceText(answer, share) : "");
    }
  }
}

function priceText({ restoring_s, waiting_s }, share) {
  if (restoring_s == null || waiting_s == null) return t("choose.no_price");
  const time = spoken(waiting_s + restoring_s * share);
  return waiting_s > WORTH_SAYING_S
    ? t("choose.price_queue", { time, queue: spoken(waiting_s) })
    : t("choose.price", { time });
}
