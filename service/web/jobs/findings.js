/** Shows on a job's card what its result keeps, changes and lacks. */

import { plural } from "../lib/format.js";

const WORDS = { kept: "Kept", changed: "Changed", lost: "Lost" };
const ORDER = ["lost", "changed", "kept"];

/** "1 loss, 2 changes"; a job that is not done yet speaks of the future. */
function summary(findings, done) {
  const count = (kind) => findings.filter((one) => one.kind === kind).length;
  const [lost, changed] = [count("lost"), count("changed")];
  const parts = [
    lost ? `${lost} ${lost === 1 ? "loss" : "losses"}` : "",
    changed ? plural(changed, "change") : "",
  ].filter(Boolean);
  if (parts.length) return done ? parts.join(", ") : `To be expected: ${parts.join(", ")}`;
  return done ? "Nothing lost but the blur" : "No loss to be expected";
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
  element.textContent = `${WORDS[finding.kind] ?? finding.kind}: ${finding.text}`;
  return element;
}
