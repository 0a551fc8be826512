/** Wires the parts of the page together. */

import { Chooser } from "./choose/chooser.js";
import { JobView } from "./job/view.js";
import { JobList } from "./jobs/job_list.js";
import { language, offerLanguages, t, translate } from "./languages/language.js";
import { offerHelp } from "./lib/help.js";
import { onRoute, shownJob, showStart } from "./lib/route.js";
import { signedIn } from "./lib/sign_in.js";
import { introduce, welcome } from "./start/welcome.js";

const $ = (id) => document.getElementById(id);

/** Tells screen readers of a change that the user did not just ask for, in one short sentence. */
function announce(text) {
  $("announcer").textContent = text;
}

/** Shows why the service cannot be used, until it can (null). */
function showOutage(error) {
  if (!error && !$("outage").hidden) announce(t("page.back_again"));
  $("outage").hidden = !error;
  if (error) $("outage").textContent = error.status ? error.message : t("page.outage");
}

/** Shows a job, or the start where there is none. */
function show(id) {
  $("start").hidden = Boolean(id);
  view.show(id);
}

document.documentElement.lang = language;
document.title = t("page.title");
translate(document);
offerLanguages($("language"));
offerHelp();

/** Goes to the start once the job that was shown is deleted. */
function leaveDeleted(id) {
  list.forget(id);
  announce(t("list.deleted"));
  if (shownJob() === id) showStart();
}

const view = new JobView({ announce, deleted: leaveDeleted, outage: showOutage });
const list = new JobList({
  announce,
  onOutage: showOutage,
  onGone: (id) => view.closeIf(id),
});
const chooser = new Chooser({ announce, job: (job) => list.add(job) });
welcome((files, options) => chooser.take(files, options));

const session = await signedIn();
list.refresh();
onRoute(show);
chooser.load().catch(showOutage);
introduce(session).catch(showOutage);
