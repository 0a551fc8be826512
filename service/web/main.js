/** Wires the parts of the page together. */

import * as api from "./api.js";
import { Comparison } from "./compare.js";
import { JobList } from "./jobs.js";
import { signedIn } from "./key.js";
import { Uploader } from "./upload.js";

const $ = (id) => document.getElementById(id);

/** For screen readers: one short sentence when something changed that was not asked for just now. */
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
