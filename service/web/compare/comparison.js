/** Compares a video before and after, on top of each other with a divider and zoom: as two videos that play as one, or
 * frame by frame as far as it is restored. */

import { t } from "../languages/language.js";
import { posterUrl, resultUrl, sharpness, sourceUrl } from "../lib/api.js";
import { hasResult, upright } from "../lib/job.js";
import { Controls } from "./controls.js";
import { Curve } from "./curve.js";
import { Flicker } from "./flicker.js";
import { loadTimes, timesOfRate } from "./frame_times.js";
import { Pictures } from "./pictures.js";
import { Player } from "./player.js";
import { Prior } from "./prior.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);

export class Comparison {
  #job = null;
  #loading = null; // AbortController of the requests for this job
  #following = true; // the newest frame, while the job runs
  #flicker = new Flicker(this);
  #unplayable = false; // the result: its frames are then shown as pictures
  #player;
  #pictures;
  #stage;
  #curve;
  #prior;
  #controls;

  constructor() {
    this.#controls = new Controls(this);
    this.#player = new Player($("before"), $("after"), {
      frame: () => this.#showFrame(),
      playing: (playing) => this.#controls.showPlaying(playing),
      ready: () => this.#videosReady(),
      failed: (which, error) => this.#failed(which, error),
    });
    this.#pictures = new Pictures($("before-picture"), $("after-picture"), {
      frame: () => this.#showFrame(),
      drawn: (restored) => this.#showExtent(restored),
      size: (width, height) => (this.#stage.size = [width, height]),
      failed: (error) => this.#note(error.message),
    });
    this.#stage = new Stage($("stage"), $("split"), (scale) => this.#controls.showZoom(scale));
    this.#curve = new Curve((frame) => this.show(frame));
    this.#prior = new Prior($("prior"), (text) => this.#note(text));
  }

  /** The number of the frame that is shown. */
  get frame() {
    return this.#playing ? this.#player.frame : this.#pictures.frame;
  }

  /** Takes a job as it is now; `grown` says that more frames may be restored than before. */
  update(job, grown) {
    const [before, fresh] = [this.#job, job.id !== this.#job?.id];
    if (fresh) this.close();
    this.#job = job;
    this.#loading ??= new AbortController();
    const changed = fresh || hasResult(job) !== hasResult(before);
    if (changed) this.#begin(fresh);
    if (changed || grown) this.#loadDetails(job, this.#loading.signal);
    this.#showNewest();
  }

  close() {
    this.#loading?.abort();
    this.#job = this.#loading = null;
    [this.#following, this.#unplayable] = [true, false];
    this.#player.unload();
    this.#pictures.unload();
    this.#stage.reset();
    this.#curve.clear();
    this.#prior.hide();
    this.#note("");
    this.view = "both";
    $("compare").hidden = true;
  }

  step(frames) {
    this.#following = false;
    if (this.#playing) this.#player.step(frames);
    else this.#pictures.step(frames);
  }

  show(frame) {
    this.#following = false;
    if (this.#playing) this.#player.show(frame);
    else this.#pictures.show(frame);
  }

  /** `value`: seconds of the video, or the place among the restored frames. */
  seek(value) {
    this.#following = false;
    if (this.#playing) this.#player.seek(value);
    else this.#pictures.showPlace(value);
  }

  toggle() {
    if (this.#playing) this.#player.toggle();
  }

  set rate(rate) {
    this.#player.rate = rate;
  }

  set loop(loop) {
    this.#player.loop = loop;
  }

  zoom(steps) {
    this.#stage.zoom(steps);
  }

  wholePicture() {
    this.#stage.reset();
  }

  pixels() {
    this.#stage.pixels();
  }

  /** Shows the newest restored frame, and each that comes. */
  follow() {
    this.#following = true;
    this.#showNewest();
    this.#showFrame();
  }

  /** "both", "before", "after" or "prior". */
  set view(view) {
    this.#stage.view = view;
    this.#controls.showView(view);
    if (view === "prior" && this.#job) this.#prior.show(this.#job.id, this.frame);
    else this.#prior.hide();
  }

  get view() {
    return $("stage").dataset.view;
  }

  /** Shows the other of before and after in the same place. */
  flicker() {
    this.#flicker.press();
  }

  /** Goes back to what was shown where the key was held. */
  endFlicker() {
    this.#flicker.release();
  }

  get #playing() {
    return this.#job !== null && hasResult(this.#job) && !this.#unplayable;
  }

  /** Shows the videos where there is a result, else pictures. */
  #begin(fresh) {
    const job = this.#job;
    this.#stage.size = upright(job.input);
    this.#unplayable = false;
    $("stage").classList.remove("after-only");
    this.#showExtent(this.#playing);
    $("compare").hidden = false;
    this.#controls.showKind(this.#playing);
    if (this.#playing) {
      this.#player.load(sourceUrl(job.id), resultUrl(job.id), timesOfRate(job), fresh ? 0 : Math.min(this.#pictures.frame, job.output.frames - 1));
      this.#controls.applyRate();
    } else {
      this.#player.unload();
      this.#player.times = timesOfRate(job);
      this.#pictures.load(job.id);
    }
    if (!fresh) return;
    this.view = "both";
    this.#stage.poster = posterUrl(job.id);
  }

  /** Loads the exact times of the frames and the curve. The pictures do not wait for them. */
  async #loadDetails(job, signal) {
    const details = [hasResult(job) ? loadTimes(job, signal) : timesOfRate(job), sharpness(job.id, signal).catch(() => null)];
    const [times, curve] = await Promise.all(details);
    if (signal.aborted) return;
    this.#player.times = times;
    if (curve) this.#takeCurve(curve);
  }

  #takeCurve(curve) {
    const restored = curve.after.flatMap((value, frame) => (value === null ? [] : [frame]));
    this.#curve.draw(curve, this.#job.output?.frames ?? this.#job.input.frames);
    if (!this.#playing && !this.#unplayable) {
      this.#pictures.frames = restored;
      this.#controls.showReach(restored.length);
    }
    this.#showFrame();
  }

  /** Before anything is restored there is only the upload to see, and nothing to command. */
  #showExtent(restored) {
    $("stage").classList.toggle("before-only", !restored);
    $("viewer").classList.toggle("only-picture", !restored);
  }

  #showNewest() {
    const newest = this.#job.progress.newest_frame;
    if (this.#following && !this.#playing && newest !== null) this.#pictures.showNewest(newest);
  }

  #videosReady() {
    this.#stage.poster = null;
    this.#stage.size = [$("after").videoWidth, $("after").videoHeight];
    this.#pictures.unload();
  }

  #showFrame() {
    if (!this.#job) return;
    const [playing, frame] = [this.#playing, this.frame];
    const seconds = playing ? this.#player.seconds : this.#player.secondsOf(frame);
    const { frames: count } = playing ? this.#job.output : this.#job.input;
    const place = playing ? seconds : this.#pictures.place;
    this.#controls.showFrame({ frame, count, seconds, place, following: this.#following && !playing });
    this.#curve.mark(frame);
    this.#prior.follow(frame);
  }

  #failed(which, error) {
    if (error?.code === MediaError.MEDIA_ERR_NETWORK) return this.#note(t("compare.connection_lost"));
    this.#note(t(which === "before" ? "compare.before_fails" : "compare.after_fails"));
    if (which === "before") $("stage").classList.add("after-only");
    else this.#showAsPictures();
  }

  /** Shows the frames of a result that the browser cannot play. */
  #showAsPictures() {
    this.#unplayable = true;
    this.#following = false;
    this.#player.unload();
    $("stage").classList.remove("after-only");
    this.#pictures.load(this.#job.id);
    this.#pictures.frames = Array.from({ length: this.#job.output.frames }, (_, frame) => frame);
    this.#controls.showKind(false);
    this.#controls.showReach(this.#job.output.frames, false);
    this.#pictures.show(0);
  }

  #note(text) {
    $("compare-note").hidden = !text;
    $("compare-note").textContent = text;
  }
}
