/** One second of the chosen video, deblurred before everything else and shown in its place, before and after. */

import { FrameTimes } from "../compare/frame_times.js";
import { Player } from "../compare/player.js";
import { Stage } from "../compare/stage.js";
import { t } from "../languages/language.js";
import * as api from "../lib/api.js";
import { explained } from "../lib/problems.js";
import { hideStill, showStill, stillRatio } from "./stills.js";

const $ = (id) => document.getElementById(id);

const POLL_MS = 300;
const OVER = new Set(["succeeded", "failed", "canceled", "expired"]);

export class Glimpse {
  #on;
  #player;
  #stage;
  #wanted = null; // { item, job, sent, quiet } of the second that is being made
  #shown = false; // whether it lies over the local video

  /** `on`: { announce(text), busy(boolean), shown(start, item), hidden(), measured(item) }. */
  constructor(on) {
    this.#on = on;
    this.#player = new Player($("glimpse-before"), $("glimpse-after"), {
      frame: () => {},
      playing: () => {},
      ready: () => {},
      failed: () => {}, // pictures are shown where a video cannot be played
    });
    $("glimpse-after").addEventListener("playing", hideStill);
    this.#stage = new Stage($("glimpse"), $("glimpse-split"), () => {});
    $("glimpse-back").addEventListener("click", () => this.hide());
    window.addEventListener("pagehide", () => this.stop());
  }

  /** Makes and shows the second that begins at `start`. */
  async make(item, options, start) {
    const wanted = (this.#wanted = { item });
    const current = () => this.#wanted === wanted;
    this.#on.busy(true);
    this.followUpload(item);
    try {
      wanted.job = await item.preview(options, start);
      const job = await this.#finished(wanted, start, current);
      if (current() && job.status === "succeeded") await this.#show(item, job, start);
      else if (current()) this.#say(job.error ? explained(job.error) : t("choose.second_failed"));
    } catch (error) {
      if (current() && error.name !== "AbortError") this.#say(error.message);
    } finally {
      if (current()) {
        this.#wanted = null;
        this.#on.busy(false);
        this.#on.measured(item);
      }
    }
  }

  /** Says how far the upload is that a second waits for. */
  followUpload(item) {
    if (this.#wanted?.item !== item || this.#wanted.sent) return;
    const { state, share } = item.sending;
    this.#wanted.sent = state === "whole";
    this.#say(state === "whole" ? t("choose.second_runs") : t("choose.second_waits", { percent: Math.floor(share * 100) }));
  }

  /** Shows the local video again. */
  hide() {
    if (this.#wanted) this.#wanted.quiet = true; // the reader looks elsewhere until the second is done
    else this.#say("");
    if (!this.#shown) return;
    this.#shown = false;
    this.#player.unload();
    hideStill();
    $("glimpse").hidden = $("glimpse-back").hidden = true;
    this.#on.hidden();
  }

  /** Gives up the second that is being made: nobody waits for it any more. */
  stop() {
    const job = this.#wanted?.job;
    if (job) fetch(`jobs/${job.id}/cancel`, { method: "POST", keepalive: true }).catch(() => {});
    this.#wanted = null;
    this.#on.busy(false);
    this.hide();
  }

  /** Waits for the end of a job, and shows the newest frame until then. */
  async #finished(wanted, start, current) {
    let [job, newest] = [wanted.job, null];
    while (!OVER.has(job.status) && current()) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      ({ job } = await api.job(job.id));
      const frame = job.progress.newest_frame;
      if (frame === newest || frame === null || wanted.quiet || !(await showStill(job.id, "newest"))) continue;
      newest = frame;
      if (current() && !wanted.quiet) this.#open(wanted.item, start);
    }
    return job;
  }

  /** Shows the deblurred second as a video; its middle frame where this browser does not play the original. */
  async #show(item, job, start) {
    if (!item.facts) {
      await showStill(job.id, Math.floor(job.output.frames / 2));
      $("still-before").addEventListener("load", () => $("picture").style.setProperty("--ratio", String(stillRatio())), { once: true });
    } else {
      this.#player.load(item.url, api.resultUrl(job.id), new FrameTimes(job.input.fps, start));
      this.#player.toggle();
    }
    this.#open(item, start);
    this.#say("");
    this.#on.announce(t("choose.second_shown"));
  }

  #open(item, start) {
    if (this.#shown) return;
    this.#shown = true;
    this.#stage.reset();
    $("glimpse").hidden = $("glimpse-back").hidden = false;
    this.#on.shown(start, item);
  }

  #say(text) {
    $("second-note").textContent = text;
  }
}
