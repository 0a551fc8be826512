/** Plays two videos as one. */

/** Seconds of drift between the two: above the first, one jumps; above the second, its rate is changed. */
const JUMP_ABOVE = 0.2;
const NUDGE_ABOVE = 0.015;
const NUDGE = 0.08; // change of the rate

export class Player {
  #before;
  #after; // leads: its sound is heard, and its clock counts
  #on;
  #times;
  #loaded = false;
  #first = 0; // the frame to show once the video after has loaded
  #loop = true;

  /**
   * `on`: { frame(index), playing(boolean), ready(), failed("before" or "after", MediaError) }; ready is when there is a
   * frame of each to see, as far as they can be played.
   */
  constructor(before, after, on) {
    [this.#before, this.#after, this.#on] = [before, after, on];
    this.#listen();
    const tick = () => {
      if (this.#loaded && !after.paused) this.#keepTogether();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Loads both, and shows a frame as soon as it can. */
  load(source, result, times, frame = 0) {
    [this.#times, this.#loaded, this.#first] = [times, true, frame];
    this.#before.src = source;
    this.#after.src = result;
  }

  unload() {
    this.#loaded = false;
    for (const video of [this.#before, this.#after]) {
      video.removeAttribute("src");
      video.load(); // stops the download
    }
  }

  set times(times) {
    this.#times = times;
    if (!this.#loaded) return;
    if (!this.playing) this.#follow();
    this.#reportFrame();
  }

  set loop(loop) {
    this.#loop = loop;
  }

  set rate(rate) {
    this.#after.playbackRate = rate;
    this.#before.playbackRate = rate;
  }

  get playing() {
    return !this.#after.paused;
  }

  get frame() {
    return this.#times.index(this.#after.currentTime);
  }

  get seconds() {
    return this.#after.currentTime;
  }

  /** The moment at which a frame is on the screen. */
  secondsOf(frame) {
    return this.#times.middle(frame);
  }

  async toggle() {
    if (this.playing) return this.#after.pause();
    try {
      await this.#after.play();
    } catch {
      // The error event of the video says what is wrong.
    }
  }

  pause() {
    this.#after.pause();
  }

  step(frames) {
    this.show(this.frame + frames);
  }

  /** Stops at a frame. */
  show(frame) {
    this.#after.pause();
    if (this.#after.readyState) this.seek(this.#times.middle(Math.max(frame, 0)));
    else this.#first = frame;
  }

  seek(seconds) {
    const last = Math.max(0, (this.#after.duration || 0) - 0.001); // players show nothing at the very end
    const time = Math.min(Math.max(seconds, 0), last);
    this.#after.currentTime = time;
    this.#follow();
    this.#reportFrame();
  }

  #follow() {
    if (!this.#before.error) this.#before.currentTime = this.#after.currentTime + this.#times.lead;
  }

  #listen() {
    const after = this.#after;
    after.addEventListener("loadedmetadata", () => this.#begin());
    for (const video of [this.#before, after]) {
      video.addEventListener("loadeddata", () => this.#reportReady());
      video.addEventListener("seeked", () => this.#reportReady()); // meanwhile there was no frame of it to see
    }
    this.#before.addEventListener("loadedmetadata", () => this.#follow());
    after.addEventListener("play", () => this.#on.playing(true));
    after.addEventListener("pause", () => this.#paused());
    after.addEventListener("waiting", () => this.#before.pause());
    after.addEventListener("playing", () => this.#playBefore());
    after.addEventListener("seeked", () => this.#reportFrame());
    after.addEventListener("ended", () => this.#ended());
    after.addEventListener("error", () => this.#failed("after", after));
    this.#before.addEventListener("error", () => this.#failed("before", this.#before));
    this.#watchFrames();
  }

  #begin() {
    this.#follow();
    if (this.#first) this.show(this.#first);
  }

  #reportReady() {
    const seen = ({ readyState }) => readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    if (this.#loaded && seen(this.#after) && (seen(this.#before) || this.#before.error)) this.#on.ready();
  }

  /** Follows the frames on the screen: where browsers report them, that is more exact than their clock. */
  #watchFrames() {
    const video = this.#after;
    if (!video.requestVideoFrameCallback) return video.addEventListener("timeupdate", () => this.#reportFrame());
    const onFrame = (_, { mediaTime }) => {
      if (this.#loaded && this.playing) this.#on.frame(this.#times.index(mediaTime));
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  #reportFrame() {
    if (this.#loaded) this.#on.frame(this.frame);
  }

  #paused() {
    this.#before.pause();
    this.#on.playing(false);
    // The two may have stopped on either side of a frame's edge: both go to the middle of one frame.
    if (this.#loaded && !this.#after.ended && this.#after.readyState) this.seek(this.#times.middle(this.frame));
  }

  /** Begins again at the end: short clips are watched repeatedly. */
  #ended() {
    if (!this.#loop) return;
    this.seek(0);
    this.toggle();
  }

  #playBefore() {
    if (this.playing && !this.#before.error) this.#before.play().catch(() => {});
  }

  #keepTogether() {
    if (this.#before.paused || this.#before.seeking) return;
    const wanted = this.#after.currentTime + this.#times.lead;
    const drift = this.#before.currentTime - wanted;
    if (Math.abs(drift) > JUMP_ABOVE) this.#before.currentTime = wanted;
    const nudge = Math.abs(drift) > NUDGE_ABOVE ? 1 - Math.sign(drift) * NUDGE : 1;
    this.#before.playbackRate = this.#after.playbackRate * nudge;
  }

  #failed(which, video) {
    if (!this.#loaded || !video.getAttribute("src")) return;
    this.#on.failed(which, video.error);
    this.#reportReady();
  }
}
