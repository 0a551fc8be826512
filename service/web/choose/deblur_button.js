/** The button that makes jobs of the chosen videos: says what it would do, or what it waits for. */

import { t } from "../languages/language.js";
import { clock } from "../lib/format.js";

const $ = (id) => document.getElementById(id);

/** `items`: all that are chosen, in their order. */
export function showDeblurButton(items) {
  const waiting = items.find((item) => item.wanted);
  const all = items.every((item) => item.wanted);
  $("deblur").disabled = all;
  $("deblur").textContent =
    all && waiting ? t("choose.deblur_waits", { percent: Math.floor(waiting.sending.share * 100) }) : offer(items);
}

function offer(items) {
  if (items.length > 1) return t("choose.deblur_all", { count: items.length });
  const [item] = items;
  if (!item?.trimmed || !item.facts) return t("choose.deblur");
  return t("choose.deblur_part", { length: clock((item.end ?? item.facts.duration_s) - item.start) });
}
