/** Says what a result keeps, changes and lacks in the language of the page, else in the service's own words. */

import { decimal, known, t } from "../languages/language.js";

const NAMED = 3; // places that a sentence names
const PART = "part.";
const PART_PLACES = ["title", "what", "reason", "how", "ended"]; // all others may hold words of a stranger's file

/** The sentence of a finding: { text, lang }; `lang` is "" for the language of the page. */
export function sentence({ phrase, values, text, count, times_s: times }) {
  if (!known(`finding.${phrase}`)) return { text, lang: "en" };
  const own = t(`finding.${phrase}`, filled(values));
  if (!times.length) return { text: own, lang: "" };
  const places = times.slice(0, NAMED).map((time) => `${shortened(time)} s`).join(", ") + (count > NAMED ? " …" : "");
  return { text: t("findings.places", { text: own.replace(/\.$/, ""), count, places }), lang: "" };
}

/** A value may be the name of a part of the sentence. */
function filled(values) {
  const written = (name, value) => (isPart(name, value) ? t(`finding.${value}`, values) : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, written(name, value)]));
}

const isPart = (name, value) =>
  PART_PLACES.includes(name) && typeof value === "string" && value.startsWith(PART) && known(`finding.${value}`);
const shortened = (seconds) => decimal(seconds, Number.isInteger(seconds) ? 0 : 2);
