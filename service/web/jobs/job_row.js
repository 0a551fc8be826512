/** Draws one job of the list. */

import { t } from "../languages/language.js";
import { posterUrl, resultUrl } from "../lib/api.js";
import { bytes, duration, facts, moment, progressText, stateOf } from "../lib/format.js";
import { explained } from "../lib/problems.js";
import { jobLink } from "../lib/route.js";
import { drawFindings } from "./findings.js";
import { isOver, nameOf } from "../lib/job.js";
import { ACTIONS } from "./states.js";
import { playOnHover } from "./thumbnail.js";

export const part = (element, name) => element.querySelector(`[data-part="${name}"]`);

/** Makes the row of a job, with what never changes about it. */
export function buildRow(job) {
  const element = document.getElementById("job-template").content.firstElementChild.cloneNode(true);
  element.dataset.id = job.id;
  part(element, "name").href = jobLink(job.id);
  const picture = part(element, "thumbnail");
  picture.href = jobLink(job.id);
  playOnHover(picture, posterUrl(job.id), job.id);
  part(element, "date").textContent = moment(job.created_at);
  part(element, "date").dateTime = job.created_at;
  element.querySelector('[data-act="download"]').href = resultUrl(job.id);
  element.querySelector('[data-act="open"]').href = jobLink(job.id);
  return element;
}

/** Shows the present state of the job. */
export function drawRow(element, job) {
  const running = !isOver(job);
  const name = nameOf(job);
  part(element, "name").textContent = name;
  part(element, "select").setAttribute("aria-label", t("list.select", { name }));
  part(element, "bar").setAttribute("aria-label", t("list.progress_of", { name }));
  element.dataset.status = job.status;
  part(element, "length").textContent = job.input ? duration(job.input.duration_s) : "";
  part(element, "facts").textContent = facts(job);
  part(element, "size").textContent = job.output ? t("list.result", { size: bytes(job.output.bytes) }) : "";
  part(element, "status").textContent = stateOf(job);
  part(element, "problem").textContent = job.error ? explained(job.error) : "";
  part(element, "progress").hidden = !running;
  part(element, "bar").value = job.progress?.fraction ?? 0;
  part(element, "detail").textContent = running ? progressText(job.progress ?? {}) : "";
  drawFindings(part(element, "findings"), part(element, "findings-summary"), part(element, "findings-list"), job);
  for (const [action, allowed] of Object.entries({ open: () => true, ...ACTIONS })) {
    const control = element.querySelector(`[data-act="${action}"]`);
    control.hidden = !allowed(job);
    control.setAttribute("aria-label", t("list.act_on", { action: control.textContent, name }));
  }
}
