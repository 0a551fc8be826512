/** Compares a video before and after: two videos on top of each other that play as one, with a divider and zoom. */

import { decimal, t } from "../languages/language.js";
import { resultUrl, sharpness, sourceUrl } from "../lib/api.js";
import { clock } from "../lib/format.js";
import { Curve } from "./curve.js";
import { loadTimes, timesOfRate } from "./frame_times.js";
import { entryFor } from "./keys.js";
import { Player } from "./player.js";
import { Prior } from "./prior.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);

const RATES = [0.1, 0.25, 0.5, 1];
/** Keys of texts. */
const PROBLEMS = {
  before: "compare.before_fails",
  after: "compare.after_fails",
};

export class Comparison {
  #job = null;
  #loading = null; // AbortController of the requests for this job
  #player;
  #stage;
  #curve;
  #prior;

  /** `onClose`: called when the reader is done with it. */
  constructor({ onClose }) {
    this.#player = new Player($("before"), $("after"), {
      frame: (index) => this.#showFrame(index),
      playing: (playing) => ($("play").textContent = t(playing ? "compare.pause" : "compare.play")),
      failed: (which, error) => this.#failed(which, error),
    });
    this.#stage = new Stage($("stage"), $("split"), (scale) => this.#showZoom(scale));
    this.#curve = new Curve((frame) => this.#player.show(frame));
    this.#prior = new Prior($("prior"), (text) => this.#note(text));
    this.#wire(onClose);
  }

  /** Shows a job that has a result, or the beginning of one. */
  open(job) {
    this.close();
    this.#job = job;
    this.#loading = new AbortController();
    $("compare-title").textContent = job.input.filename;
    $("stage").classList.remove("after-only");
    this.#note(job.output.partial ? t("compare.partial", { count: job.output.frames }) : "");
    this.#player.load(sourceUrl(job.id), resultUrl(job.id), timesOfRate(job));
    this.#player.rate = Number($("rate").value);
    $("compare").hidden = false;
    this.#setView();
    this.#loadDetails(job, this.#loading.signal);
    $("compare-title").focus({ preventScroll: true });
    $("compare").scrollIntoView({ block: "nearest" });
  }

  close() {
    this.#loading?.abort();
    this.#job = null;
    this.#player.unload();
    this.#stage.reset();
    this.#curve.clear();
    this.#prior.hide();
    $("compare").hidden = true;
  }

  closeIf(id) {
    if (id === this.#job?.id) this.close();
  }

  step(frames) {
    this.#player.step(frames);
  }

  zoom(steps) {
    this.#stage.zoom(steps);
  }

  wholePicture() {
    this.#stage.reset();
  }

  toggle() {
    this.#player.toggle();
  }

  /** Loads the exact times of the frames and the curve. The videos do not wait for them. */
  async #loadDetails(job, signal) {
    const [times, curve] = await Promise.all([
      loadTimes(job, signal),
      sharpness(job.id, signal).catch(() => null),
    ]);
    if (signal.aborted) return;
    this.#player.times = times;
    if (curve) this.#curve.draw(curve, job.output.frames);
    this.#showFrame(this.#player.frame);
  }

  #wire(onClose) {
    const rates = RATES.map((rate) => new Option(t("compare.times", { factor: rate }), rate, rate === 1, rate === 1));
    $("rate").replaceChildren(...rates);
    const on = (id, event, handler) => $(id).addEventListener(event, handler);
    on("play", "click", () => this.toggle());
    on("back", "click", () => this.step(-1));
    on("forward", "click", () => this.step(1));
    on("seek", "input", () => this.#player.seek($("seek").valueAsNumber));
    on("rate", "change", () => (this.#player.rate = Number($("rate").value)));
    on("loop", "change", () => (this.#player.loop = $("loop").checked));
    on("mute", "click", () => this.#toggleMute());
    on("zoom-in", "click", () => this.zoom(1));
    on("zoom-out", "click", () => this.zoom(-1));
    on("zoom-reset", "click", () => this.wholePicture());
    on("view", "change", () => this.#setView());
    on("compare-close", "click", onClose);
    on("after", "loadedmetadata", () => ($("seek").max = $("after").duration));
    on("compare", "keydown", (event) => this.#key(event));
  }

  #key(event) {
    const entry = entryFor(event);
    if (!entry) return;
    event.preventDefault();
    this[entry.command](entry.value);
  }

  /** Shows the deblurred video or the prior of the frame right of the divider. */
  #setView() {
    const prior = $("view").elements.view.value === "prior";
    $("legend").hidden = !prior;
    $("tag-after").textContent = t(prior ? "compare.prior_long" : "compare.after");
    if (prior && this.#job) this.#prior.show(this.#job.id, this.#player.frame);
    else this.#prior.hide();
  }

  #showFrame(frame) {
    const seconds = this.#player.seconds;
    const count = this.#job?.output.frames ?? 0;
    $("seek").value = seconds;
    $("clock").textContent = clock(seconds);
    $("frame").textContent = t("compare.frame", { frame: Math.min(frame + 1, count), count });
    $("seek").setAttribute("aria-valuetext", t("compare.position", { time: clock(seconds), frame: frame + 1 }));
    this.#curve.mark(frame);
    this.#prior.follow(frame);
  }

  #showZoom(scale) {
    $("zoom-reset").textContent = t("compare.times", { factor: decimal(scale, scale < 10 ? 1 : 0) });
    $("zoom-out").disabled = $("zoom-reset").disabled = scale === 1;
  }

  #toggleMute() {
    const after = $("after");
    after.muted = !after.muted;
    $("mute").setAttribute("aria-pressed", String(after.muted));
  }

  #failed(which, error) {
    if (which === "before") $("stage").classList.add("after-only");
    const lost = error?.code === MediaError.MEDIA_ERR_NETWORK;
    this.#note(t(lost ? "compare.connection_lost" : PROBLEMS[which]));
  }

  #note(text) {
    $("compare-note").hidden = !text;
    $("compare-note").textContent = text;
  }
}
