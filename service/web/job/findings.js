/** Lists what the result keeps, changes and lacks. */

import { t } from "../languages/language.js";
import { sentence } from "../lib/findings.js";

const $ = (id) => document.getElementById(id);

const KINDS = [
  ["lost", "findings.lost"],
  ["changed", "findings.changed"],
  ["kept", "findings.kept"],
];

/** Shows a list for each kind of finding that there is. */
export function showFindings(job) {
  const findings = job?.findings ?? [];
  $("job-findings").hidden = !findings.length;
  $("findings-title").textContent = t(job?.output ? "findings.title" : "findings.title_expected");
  $("findings-lists").replaceChildren(...KINDS.flatMap(([kind, title]) => group(findings, kind, t(title))));
}

function group(findings, kind, title) {
  const found = findings.filter((one) => one.kind === kind);
  if (!found.length) return [];
  const [box, heading, list] = ["section", "h4", "ul"].map((tag) => document.createElement(tag));
  box.dataset.kind = kind;
  heading.textContent = title;
  list.append(...found.map(item));
  box.append(heading, list);
  return [box];
}

function item(finding) {
  const element = document.createElement("li");
  const { text, lang } = sentence(finding);
  Object.assign(element, { textContent: text, lang });
  return element;
}
