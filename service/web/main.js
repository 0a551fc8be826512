/** Wires the parts of the page together. */

import { Comparison } from "./compare/comparison.js";
import { JobList } from "./jobs/job_list.js";
import { signedIn } from "./lib/sign_in.js";
import { offerOutputs } from "./upload/output.js";
import { offerRestorations } from "./upload/restoration.js";
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

const comparison = new Comparison();
const list = new JobList({
  announce,
  onOutage: showOutage,
  onCompare: (job) => comparison.open(job),
  onGone: (id) => comparison.closeIf(id),
});
new Uploader({ announce, onJob: (job) => list.add(job) });

offerOutputs();
await signedIn();
list.refresh();
offerRestorations().catch(showOutage);
