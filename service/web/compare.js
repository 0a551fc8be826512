/** Before and after: two videos on top of each other, played as one, with a divider to drag. */

import { resultUrl, sourceUrl } from "./api.js";
import { clock } from "./format.js";

const $ = (id) => document.getElementById(id);

/** Seconds: above the first the two are told apart and one jumps; above the second it is nudged. */
const JUMP_ABOVE = 0.2;
const NUDGE_ABOVE = 0.015;
const NUDGE = 0.08;
const FALLBACK_FPS = 30;

export class Comparison {
  #jobId = null;
  #frame = 1 / FALLBACK_FPS;
  #before = $("before");
  #after = $("after"); // leads: it has the sound and the clock

  constructor() {
    $("split").addEventListener("input", () => this.#drawSplit());
    $("play").addEventListener("click", () => this.#toggle());
    $("back").addEventListener("click", () => this.#step(-1));
    $("forward").addEventListener("click", () => this.#step(1));
    $("seek").addEventListener("input", () => this.#seek($("seek").valueAsNumber));
    $("rate").addEventListener("change", () => this.#setRate());
    $("mute").addEventListener("click", () => this.#toggleMute());
    $("compare-close").addEventListener("click", () => this.close());
    this.#listen();
    const tick = () => {
      this.#keepTogether();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Show a finished job. */
  open(job) {
    this.#jobId = job.id;
    this.#frame = 1 / (job.input?.fps || FALLBACK_FPS);
    $("compare-title").textContent = job.input?.filename ?? "Before and after";
    $("stage").classList.remove("after-only");
    this.#note("");
    this.#before.src = sourceUrl(job.id);
    this.#after.src = resultUrl(job.id);
    $("compare").hidden = false;
    this.#setRate();
    this.#drawSplit();
    $("compare-title").focus({ preventScroll: true });
    $("compare").scrollIntoView({ block: "nearest" });
  }

  close() {
    this.#jobId = null;
    for (const video of [this.#before, this.#after]) {
      video.removeAttribute("src");
      video.load(); // stops the download
    }
    $("compare").hidden = true;
  }

  closeIf(id) {
    if (id === this.#jobId) this.close();
  }

  #listen() {
    this.#after.addEventListener("loadedmetadata", () => ($("seek").max = this.#after.duration));
    this.#after.addEventListener("play", () => this.#showPlaying(true));
    this.#after.addEventListener("pause", () => this.#showPlaying(false));
    this.#after.addEventListener("waiting", () => this.#before.pause());
    this.#after.addEventListener("playing", () => this.#playBefore());
    this.#after.addEventListener("seeked", () => this.#drawClock());
    this.#after.addEventListener("ended", () => this.#restart());
    this.#after.addEventListener("error", () => this.#failed("deblurred", this.#after));
    this.#before.addEventListener("error", () => this.#failed("uploaded", this.#before));
  }

  async #toggle() {
    if (!this.#after.paused) return this.#after.pause();
    try {
      await this.#after.play();
    } catch {
      // The error event of the video tells what is wrong, in words.
    }
  }

  /** Short clips are looked at again and again. */
  #restart() {
    this.#seek(0);
    this.#toggle();
  }

  #playBefore() {
    if (!this.#after.paused && !this.#before.error) this.#before.play().catch(() => {});
  }

  #step(frames) {
    this.#after.pause();
    // Half a frame into the frame that is meant: its very start may be rounded to the one before.
    const index = Math.round(this.#after.currentTime / this.#frame - 0.5) + frames;
    this.#seek((Math.max(index, 0) + 0.5) * this.#frame);
  }

  #seek(seconds) {
    const time = Math.min(Math.max(seconds, 0), this.#after.duration || 0);
    this.#after.currentTime = time;
    if (!this.#before.error) this.#before.currentTime = time;
    this.#drawClock();
  }

  #setRate() {
    const rate = Number($("rate").value);
    this.#after.playbackRate = rate;
    this.#before.playbackRate = rate;
  }

  #toggleMute() {
    this.#after.muted = !this.#after.muted;
    $("mute").setAttribute("aria-pressed", String(this.#after.muted));
  }

  #showPlaying(playing) {
    $("play").textContent = playing ? "Pause" : "Play";
    if (playing) return;
    this.#before.pause();
    if (this.#before.readyState) this.#before.currentTime = this.#after.currentTime;
    this.#drawClock();
  }

  /** Called for every picture on the screen while both run. */
  #keepTogether() {
    if (this.#after.paused || this.#jobId === null) return;
    this.#drawClock();
    if (this.#before.paused || this.#before.seeking) return;
    const drift = this.#before.currentTime - this.#after.currentTime;
    const rate = this.#after.playbackRate;
    if (Math.abs(drift) > JUMP_ABOVE) this.#before.currentTime = this.#after.currentTime;
    const nudge = Math.abs(drift) > NUDGE_ABOVE ? 1 - Math.sign(drift) * NUDGE : 1;
    this.#before.playbackRate = rate * nudge;
  }

  #drawClock() {
    $("seek").value = this.#after.currentTime;
    $("clock").textContent = clock(this.#after.currentTime);
    $("seek").setAttribute("aria-valuetext", clock(this.#after.currentTime));
  }

  #drawSplit() {
    const percent = $("split").valueAsNumber;
    $("stage").style.setProperty("--split", `${percent}%`);
    $("split").setAttribute("aria-valuetext", `${Math.round(percent)}% before, the rest after`);
  }

  #failed(which, video) {
    if (this.#jobId === null || !video.getAttribute("src")) return;
    if (video === this.#before) $("stage").classList.add("after-only");
    this.#note(
      video.error?.code === MediaError.MEDIA_ERR_NETWORK
        ? `The connection was lost while the ${which} video was loading.`
        : `This browser cannot play the ${which} video; its file can still be downloaded.`,
    );
  }

  #note(text) {
    $("compare-note").hidden = !text;
    $("compare-note").textContent = text;
  }
}
