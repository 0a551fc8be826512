/** When each frame of a video appears, and which frame a moment shows. */

import { readTimes } from "./mp4.js";

const FALLBACK_FPS = 30;
/** Seconds by which players round the time of a frame. */
const ROUNDING = 0.001;

export class FrameTimes {
  #times; // seconds, rising; empty where only the rate is known
  #fps;

  constructor(fps, times = []) {
    this.#fps = fps || FALLBACK_FPS;
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

  /** A moment safely inside a frame: its very start may be rounded to the frame before. */
  middle(frame) {
    if (!this.#times.length) return (frame + 0.5) / this.#fps;
    const last = this.#times.length - 1;
    const index = Math.min(Math.max(frame, 0), last);
    const step = index < last ? this.#times[index + 1] - this.#times[index] : 1 / this.#fps;
    return this.#times[index] + step / 2;
  }
}

/** The times in the result's own index; where that cannot be read, those of its rate. */
export async function frameTimes(url, count, fps, signal) {
  try {
    const times = await readTimes(url, signal);
    if (times.length === count) return new FrameTimes(fps, times);
  } catch {
    // Another host, another container: the rate is right for all videos but those of variable rate.
  }
  return new FrameTimes(fps);
}
