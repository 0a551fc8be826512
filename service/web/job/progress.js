/** Shows how far a job is, when it will be done, and why it waits. */

import { known, t } from "../languages/language.js";
import { othersUnfinished } from "../lib/api.js";
import { duration, progressText } from "../lib/format.js";
import { isOver } from "../lib/job.js";
import { Countdown } from "./countdown.js";

const $ = (id) => document.getElementById(id);
const now = () => performance.now() / 1000;

export class Progress {
  #job = null;
  #countdown = new Countdown();
  #timer = null;

  /** Shows a job as it is now; null forgets it. */
  update(job) {
    if (job?.id !== this.#job?.id) this.#countdown = new Countdown();
    this.#job = job;
    $("job-progress").hidden = !job || isOver(job);
    clearInterval(this.#timer);
    if (!job || isOver(job)) return;
    const { progress } = job;
    this.#countdown.update(progress.eta_s, progress.eta_reason, now());
    $("job-bar").value = progress.fraction;
    $("job-done").textContent = progressText({ ...progress, eta_s: null });
    if (waitsForTurn(job)) this.#showOthers(job);
    else this.#showWhy(reason(job, progress));
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  #tick() {
    const left = this.#countdown.left(now());
    const running = this.#job.status === "running";
    if (left === null) $("job-eta").textContent = "";
    else if (left < 1 && running) $("job-eta").textContent = t("job.any_moment");
    else $("job-eta").textContent = t("progress.left", { time: duration(left) });
  }

  async #showOthers(job) {
    const count = await othersUnfinished(job.id).catch(() => 0); // without it only the number is missing
    if (job === this.#job) this.#showWhy(count ? t("job.waits_among", { count }) : reason(job, job.progress));
  }

  #showWhy(why) {
    $("job-why").hidden = !why;
    $("job-why").textContent = why;
  }
}

/** Whether others come first; jobs are planned at once, so that one that waits may run already. */
function waitsForTurn({ progress: { stage, eta_reason: reason } }) {
  return stage === "queued" || reason === "waiting_for_turn";
}

/** Why the job waits, or why it takes longer than it was said before. */
function reason(job, progress) {
  const key = `eta.${progress.eta_reason}`;
  if (progress.eta_reason && known(key)) return t(key);
  if (job.status === "queued") return t("job.waits");
  if (progress.stage === "joining") return t("job.joining");
  if (!progress.frames_done) return t("job.begins");
  return "";
}
