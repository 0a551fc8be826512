/** Before and after: two videos on top of each other, played as one, with a divider, zoom, frames and their curve. */

import { resultUrl, sharpness, sourceUrl } from "./api.js";
import { Curve } from "./curve.js";
import { clock } from "./format.js";
import { FrameTimes, frameTimes } from "./frames.js";
import { Player } from "./player.js";
import { Prior } from "./prior.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);

const KEYS = {
  ",": (comparison) => comparison.step(-1),
  ".": (comparison) => comparison.step(1),
  "+": (comparison) => comparison.zoom(1),
  "-": (comparison) => comparison.zoom(-1),
  0: (comparison) => comparison.resetZoom(),
  k: (comparison) => comparison.toggle(),
};
const PROBLEMS = {
  before: "This browser cannot play the uploaded video; the deblurred one is shown alone.",
  after: "This browser cannot play the deblurred video; its file can still be downloaded.",
};

export class Comparison {
  #job = null;
  #opened = null; // AbortController of what is loading for this job
  #player;
  #stage;
  #curve;
  #prior;

  constructor() {
    this.#player = new Player($("before"), $("after"), {
      frame: (index) => this.#showFrame(index),
      playing: (playing) => ($("play").textContent = playing ? "Pause" : "Play"),
      failed: (which, error) => this.#failed(which, error),
    });
    this.#stage = new Stage($("stage"), $("split"), (scale) => this.#showZoom(scale));
    this.#curve = new Curve((frame) => this.#player.show(frame));
    this.#prior = new Prior($("prior"), (text) => this.#note(text));
    this.#wire();
  }

  /** Show a job that has a result, or the beginning of one. */
  open(job) {
    this.close();
    this.#job = job;
    this.#opened = new AbortController();
    $("compare-title").textContent = job.input.filename;
    $("stage").classList.remove("after-only");
    this.#note(job.output.partial ? `Canceled: the first ${job.output.frames} frames were restored.` : "");
    const times = new FrameTimes(job.input.fps);
    this.#player.load(sourceUrl(job.id), resultUrl(job.id), times, job.options.start ?? 0);
    this.#player.rate = Number($("rate").value);
    $("compare").hidden = false;
    this.#setView();
    this.#loadDetails(job, this.#opened.signal);
    $("compare-title").focus({ preventScroll: true });
    $("compare").scrollIntoView({ block: "nearest" });
  }

  close() {
    this.#opened?.abort();
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

  resetZoom() {
    this.#stage.reset();
  }

  toggle() {
    this.#player.toggle();
  }

  /** What makes frames exact and the curve: the videos do not wait for it. */
  async #loadDetails(job, signal) {
    const [times, curve] = await Promise.all([
      frameTimes(resultUrl(job.id), job.output.frames, job.input.fps, signal),
      sharpness(job.id, signal).catch(() => null),
    ]);
    if (signal.aborted) return;
    this.#player.times = times;
    if (curve) this.#curve.draw(curve, job.output.frames);
    this.#showFrame(this.#player.frame);
  }

  #wire() {
    const on = (id, event, work) => $(id).addEventListener(event, work);
    on("play", "click", () => this.toggle());
    on("back", "click", () => this.step(-1));
    on("forward", "click", () => this.step(1));
    on("seek", "input", () => this.#player.seek($("seek").valueAsNumber));
    on("rate", "change", () => (this.#player.rate = Number($("rate").value)));
    on("loop", "change", () => (this.#player.loop = $("loop").checked));
    on("mute", "click", () => this.#toggleMute());
    on("zoom-in", "click", () => this.zoom(1));
    on("zoom-out", "click", () => this.zoom(-1));
    on("zoom-reset", "click", () => this.resetZoom());
    on("view", "change", () => this.#setView());
    on("compare-close", "click", () => this.close());
    on("after", "loadedmetadata", () => ($("seek").max = $("after").duration));
    on("compare", "keydown", (event) => this.#key(event));
  }

  #key(event) {
    const typing = event.target.matches("select, input:not([type=range], [type=radio], [type=checkbox])");
    const known = KEYS[event.key];
    if (!known || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    known(this);
  }

  /** Right of the divider: the deblurred video, or the prior of the frame. */
  #setView() {
    const prior = $("view").elements.view.value === "prior";
    $("legend").hidden = !prior;
    $("tag-after").textContent = prior ? "Sharpness prior" : "After";
    if (prior && this.#job) this.#prior.show(this.#job.id, this.#player.frame);
    else this.#prior.hide();
  }

  #showFrame(frame) {
    const seconds = this.#player.seconds;
    const count = this.#job?.output.frames ?? 0;
    $("seek").value = seconds;
    $("clock").textContent = clock(seconds);
    $("frame").textContent = `Frame ${Math.min(frame + 1, count)} of ${count}`;
    $("seek").setAttribute("aria-valuetext", `${clock(seconds)}, frame ${frame + 1}`);
    this.#curve.mark(frame);
    this.#prior.follow(frame);
  }

  #showZoom(scale) {
    $("zoom-reset").textContent = `${scale < 10 ? scale.toFixed(1) : Math.round(scale)}×`;
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
    this.#note(lost ? "The connection was lost while a video was loading." : PROBLEMS[which]);
  }

  #note(text) {
    $("compare-note").hidden = !text;
    $("compare-note").textContent = text;
  }
}
