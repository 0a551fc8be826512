/** The view of one job, in whatever state it is: how far it is, its pictures, and what can be done with it. */

import { Comparison } from "../compare/comparison.js";
import { entryFor } from "../compare/keys.js";
import { t } from "../languages/language.js";
import { described, stateOf, statusWord } from "../lib/format.js";
import { nameOf } from "../lib/job.js";
import { explained } from "../lib/problems.js";
import { showStart } from "../lib/route.js";
import { Actions } from "./actions.js";
import { showFindings } from "./findings.js";
import { Follower } from "./follower.js";
import { FullScreen } from "./full_screen.js";
import { Progress } from "./progress.js";

const $ = (id) => document.getElementById(id);

export class JobView {
  #id = null;
  #job = null;
  #follower = null;
  #on;
  #comparison = new Comparison();
  #progress = new Progress();
  #fullScreen = new FullScreen($("viewer"), $("full"));
  #actions = new Actions({
    changed: () => this.#follower.now(),
    deleted: (id) => this.#deleted(id),
    frame: () => this.#comparison.frame,
  });

  /** `on`: { announce(text), deleted(id), outage(error or null) }. */
  constructor(on) {
    this.#on = on;
    for (const type of ["keydown", "keyup"]) $("job").addEventListener(type, (event) => this.#key(event));
  }

  /** Shows a job and keeps it up to date; null closes the view. */
  show(id) {
    this.#follower?.stop();
    [this.#id, this.#job] = [id, null];
    this.#clear();
    $("job").hidden = !id;
    if (!id) return;
    this.#follower = new Follower(id, {
      job: (job, grown) => this.#update(job, grown),
      gone: () => this.#gone(),
      outage: this.#on.outage,
    });
    $("job-title").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  /** Tells that a job was deleted, if it is the one that is shown. */
  closeIf(id) {
    if (id === this.#id) this.#gone();
  }

  // The commands of the keys, beside those of the comparison.

  fullScreen() {
    this.#fullScreen.toggle();
  }

  still() {
    if (!$("job-still").hidden && !$("job-actions").hidden) this.#actions.still();
  }

  /** Leaves what was entered last: a single view, the full screen, or the job. */
  leave() {
    if (this.#job && this.#comparison.view !== "both") this.#comparison.view = "both";
    else if (this.#fullScreen.on) this.#fullScreen.toggle();
    else showStart();
  }

  #update(job, grown) {
    if (this.#job && this.#job.status !== job.status) {
      this.#on.announce(t("list.now", { name: nameOf(job), status: statusWord(job.status) }));
    }
    this.#job = job;
    $("job").dataset.status = job.status;
    $("job-title").textContent = nameOf(job);
    $("job-status").textContent = stateOf(job);
    $("job-facts").textContent = described(job);
    this.#showProblem(job.error ? explained(job.error) : "");
    this.#showEnding(job);
    this.#showTitle(job);
    this.#progress.update(job);
    this.#actions.update(job);
    showFindings(job);
    if (job.status === "expired" || !job.input) this.#comparison.close();
    else this.#comparison.update(job, grown);
  }

  #showProblem(text) {
    $("job-problem").hidden = !text;
    $("job-problem").textContent = text;
  }

  /** Says what is special about how the job ended. */
  #showEnding(job) {
    let text = "";
    if (job.status === "expired") text = t("job.expired");
    else if (job.output?.partial) text = t("compare.partial", { count: job.output.frames });
    else if (job.status === "canceled") text = t("job.canceled");
    $("job-ended").hidden = !text;
    $("job-ended").textContent = text;
  }

  /** The title of the page, so that tabs show how far a job is. */
  #showTitle(job) {
    if (!job) return void (document.title = t("page.title"));
    const name = nameOf(job);
    if (job.status !== "running") document.title = name;
    else document.title = t("job.title_running", { name, percent: Math.floor(job.progress.fraction * 100) });
  }

  #deleted(id) {
    if (id === this.#id) this.show(null);
    this.#on.deleted(id);
  }

  #gone() {
    this.#follower.stop();
    this.#clear();
    $("job-title").textContent = t("problem.job_not_found");
  }

  #clear() {
    for (const id of ["job-title", "job-status", "job-facts"]) $(id).textContent = "";
    $("job").removeAttribute("data-status");
    this.#fullScreen.leave();
    this.#showProblem("");
    $("job-ended").hidden = true;
    this.#showTitle(null);
    this.#comparison.close();
    this.#progress.update(null);
    this.#actions.update(null);
    showFindings(null);
  }

  #key(event) {
    const entry = entryFor(event);
    const command = event.type === "keyup" ? entry?.released : entry?.command;
    if (!command || (event.repeat && entry.released)) return;
    event.preventDefault();
    const owner = command in this ? this : this.#comparison;
    owner[command](entry.value);
  }
}
