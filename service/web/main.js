/** Wires the parts of the page together. */

import { Comparison } from "./compare/comparison.js";
import { JobList } from "./jobs/job_list.js";
import * as api from "./lib/api.js";
import { signedIn } from "./lib/sign_in.js";
import { Uploader } from "./upload/uploader.js";

const $ = (id) => document.getElementById(id);

/** Tells screen readers of a change that the user did not just ask for, in one short sentence. */
function announce(text) {
  $("announcer").textContent = text;
}

function showOutage(error) {
  $("outage").hidden = !error;
  if (error) $("outage").textContent = error.message;
}

async function offerModels() {
  const models = await api.models();
  const options = models.map(({ name, default: preset }) => new Option(name, name, preset, preset));
  $("model").replaceChildren(...options);
  $("model-field").hidden = models.length < 2;
}

const comparison = new Comparison();
const list = new JobList({
  announce,
  onOutage: showOutage,
  onCompare: (job) => comparison.open(job),
  onGone: (id) => comparison.closeIf(id),
});
new Uploader({ announce, onJob: (job) => list.add(job) });

await signedIn();
list.refresh();
offerModels().catch(showOutage);
