/** Shows on a job's card what its result keeps, changes and lacks. */

import { t } from "../languages/language.js";
import { sentence } from "../lib/findings.js";

const WORDS = { kept: "findings.kept", changed: "findings.changed", lost: "findings.lost" };
const ORDER = ["lost", "changed", "kept"];

/** "1 loss, 2 changes"; a job that is not done yet speaks of the future. */
function summary(findings, done) {
  const count = (kind) => findings.filter((one) => one.kind === kind).length;
  const [lost, changed] = [count("lost"), count("changed")];
  const parts = [
    lost ? t("findings.losses", { count: lost }) : "",
    changed ? t("findings.changes", { count: changed }) : "",
  ].filter(Boolean).join(", ");
  if (parts) return done ? parts : t("findings.expected", { parts });
  return t(done ? "findings.none_lost" : "findings.none_expected");
}

/** Fills `details`, its `summaryPart` and its `list`; hides it where nothing is known. */
export function drawFindings(details, summaryPart, list, job) {
  const findings = job.findings ?? [];
  details.hidden = findings.length === 0;
  details.dataset.worst = ORDER.find((kind) => findings.some((one) => one.kind === kind)) ?? "kept";
  summaryPart.textContent = summary(findings, job.output != null);
  const sorted = findings.toSorted((one, two) => ORDER.indexOf(one.kind) - ORDER.indexOf(two.kind));
  list.replaceChildren(...sorted.map(item));
}

function item(finding) {
  const element = document.createElement("li");
  element.dataset.kind = finding.kind;
  element.textContent = t("findings.one", { kind: t(WORDS[finding.kind]), text: sentence(finding).text });
  return element;
}
