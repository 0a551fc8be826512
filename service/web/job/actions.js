/** What can be done with a job: the buttons above its pictures, and what they answer. */

import { confirmed } from "../jobs/confirmation.js";
import { t } from "../languages/language.js";
import * as api from "../lib/api.js";
import { bytes } from "../lib/format.js";
import { ApiError } from "../lib/http.js";
import { hasResult, isOver, nameOf } from "../lib/job.js";
import { jobLink, showJob } from "../lib/route.js";
import { bestOptions } from "./best.js";
import { downloadSideBySide } from "./side_by_side.js";
import { saveStill } from "./still.js";

const $ = (id) => document.getElementById(id);

/** Which buttons a job has. */
const OFFERED = {
  "job-download": hasResult,
  "job-video": hasResult,
  "job-still": (job) => job.status !== "expired",
  "job-share": () => true,
  "job-cancel": (job) => !isOver(job),
  "job-delete": () => true,
  "job-retry": (job) => job.status === "failed" || job.status === "canceled",
};

export class Actions {
  #job = null;
  #making = null; // AbortController of a video that is being made
  #on;

  /** `on`: { changed(), deleted(id), frame() -> the number of the frame that is shown }. */
  constructor(on) {
    this.#on = on;
    const clicked = (id, work) => $(id).addEventListener("click", () => this.#do($(id), work));
    clicked("job-share", () => this.#share());
    clicked("job-still", () => this.still());
    clicked("job-video", () => this.#makeVideo());
    clicked("job-cancel", () => this.#change(api.cancel));
    clicked("job-retry", () => this.#change(api.retry));
    clicked("job-delete", () => this.#delete());
    clicked("job-best", () => this.#again());
  }

  /** Shows what can be done with a job as it is now; null forgets it. */
  update(job) {
    if (job?.id !== this.#job?.id) this.#forget();
    this.#job = job;
    $("job-actions").hidden = !job;
    if (!job) return;
    for (const [id, offered] of Object.entries(OFFERED)) $(id).hidden = !offered(job);
    $("job-retry").classList.toggle("main", !hasResult(job));
    if (hasResult(job)) this.#showDownload(job);
    this.#offerBest(job);
  }

  /** Saves the frame that is shown, before beside after. */
  async still() {
    await this.#reported(async () => {
      await saveStill(this.#job, this.#on.frame());
      this.#say(t("job.still_saved", { frame: this.#on.frame() + 1 }));
    });
  }

  async #makeVideo() {
    const { signal } = (this.#making = new AbortController());
    const label = t("job.video");
    const show = (fraction) => ($("job-video").textContent = t("job.video_made", { label, percent: Math.floor(fraction * 100) }));
    this.#say(t("job.video_begun"));
    try {
      await downloadSideBySide(this.#job.id, show, signal);
      this.#say(t("job.video_done"));
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      $("job-video").textContent = label;
    }
  }

  #forget() {
    this.#making?.abort();
    this.#say("");
  }

  #showDownload(job) {
    const { codec, container, bytes: size } = job.output;
    const format = t("job.format", { codec: codecName(codec), container: container.toUpperCase() });
    $("job-download").href = api.resultUrl(job.id);
    $("job-download").textContent = t("job.download", { format, size: bytes(size) });
  }

  async #offerBest(job) {
    const options = await bestOptions(job).catch(() => null); // without it there is one button less
    if (job.id === this.#job?.id) $("job-best").hidden = !options;
  }

  async #again() {
    const job = await api.submitAgain(this.#job.id, await bestOptions(this.#job));
    showJob(job.id);
  }

  async #change(call) {
    await call(this.#job.id);
    this.#on.changed();
  }

  async #delete() {
    const { id } = this.#job;
    if (!(await confirmed(t("list.delete_this", { name: nameOf(this.#job) })))) return;
    await api.remove(id);
    this.#on.deleted(id);
  }

  /** Copies the link; where the browser does not allow that, shows it to be copied by hand. */
  async #share() {
    const link = new URL(jobLink(this.#job.id), location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      this.#say(t("job.link_copied"));
    } catch {
      this.#say("");
      $("job-link").hidden = false;
      $("job-address").value = link;
      $("job-address").focus();
      $("job-address").select();
    }
  }

  async #do(button, work) {
    button.disabled = true;
    await this.#reported(work);
    button.disabled = false;
  }

  async #reported(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.message, true);
    }
  }

  #say(text, bad = false) {
    $("job-link").hidden = true;
    $("job-said").hidden = !text;
    $("job-said").classList.toggle("bad", bad);
    $("job-said").textContent = text;
  }
}

const CODECS = { h264: "H.264", hevc: "HEVC", av1: "AV1", vp9: "VP9", prores: "ProRes", ffv1: "FFV1" };
const codecName = (codec) => CODECS[codec] ?? codec;
