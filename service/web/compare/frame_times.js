/** Knows when each frame of a result appears, and which frame is on the screen at a moment. */

import { frames } from "../lib/api.js";

const FALLBACK_FPS = 30;
/** Seconds by which players round the time of a frame. */
const ROUNDING = 0.001;

export class FrameTimes {
  #times; // seconds, rising; empty where only the rate is known
  #fps;

  /** `lead`: seconds of the uploaded video before the first frame that was restored. */
  constructor(fps, lead, times = []) {
    this.#fps = fps || FALLBACK_FPS;
    this.lead = lead;
    this.#times = times;
  }

  /** The frame that is on the screen at `seconds`. */
  index(seconds) {
    const moment = seconds + ROUNDING;
    if (!this.#times.length) return Math.max(0, Math.floor(moment * this.#fps));
    let [low, high] = [0, this.#times.length]; // times[low] <= moment < times[high]
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] <= moment) low = middle;
      else high = middle;
    }
    return low;
  }

  /** A moment safely inside a frame: players may round its very start to the frame before. */
  middle(frame) {
    if (!this.#times.length) return (frame + 0.5) / this.#fps;
    const last = this.#times.length - 1;
    const index = Math.min(Math.max(frame, 0), last);
    const step = index < last ? this.#times[index + 1] - this.#times[index] : 1 / this.#fps;
    return this.#times[index] + step / 2;
  }
}

/** The times of a job's frames by its average rate: right for all videos but those of variable rate. */
export const timesOfRate = (job) => new FrameTimes(job.input.fps, job.options.start ?? 0);

/** The exact times of a job's frames, from the service; where it cannot tell, those of the average rate. */
export async function loadTimes(job, signal) {
  try {
    const { source, result } = await frames(job.id, signal);
    return new FrameTimes(job.input.fps, source[0] - result[0], result.slice(0, job.output.frames));
  } catch {
    return timesOfRate(job);
  }
}
