/** Shows single restored frames as pictures, before and after at once: while a job runs there is no video yet. */

import { picture } from "../lib/api.js";

export class Pictures {
  #images; // { before, after }
  #on;
  #job = null; // id
  #frames = []; // numbers of the restored frames, rising
  #wanted = null; // the newest frame that is to be shown
  #shown = null;
  #loading = null; // AbortController

  /** `on`: { frame(number), size(width, height), failed(error) }. */
  constructor(before, after, on) {
    [this.#images, this.#on] = [{ before, after }, on];
    before.addEventListener("load", () => on.size(before.naturalWidth, before.naturalHeight));
  }

  get open() {
    return this.#job !== null;
  }

  /** The frame that is shown, or about to be. */
  get frame() {
    return this.#wanted ?? 0;
  }

  /** Begins with the first frame of the upload: there may be no restored one yet. */
  load(id) {
    this.unload();
    this.#job = id;
    this.#fetch(null);
  }

  unload() {
    this.#loading?.abort();
    this.#job = this.#wanted = this.#shown = this.#loading = null;
    this.#frames = [];
    for (const image of Object.values(this.#images)) {
      image.hidden = true;
      replace(image, null);
    }
  }

  set frames(numbers) {
    this.#frames = numbers;
  }

  get last() {
    return this.#frames.length - 1;
  }

  /** Where the frame is among those that are restored. */
  get place() {
    return Math.max(this.#frames.indexOf(this.frame), 0);
  }

  step(frames) {
    this.showPlace(this.place + frames);
  }

  showPlace(place) {
    const frame = this.#frames[Math.min(Math.max(place, 0), this.last)];
    if (frame !== undefined) this.#want(frame);
  }

  /** Shows a frame, or the restored one that is nearest to it. */
  show(frame) {
    const distance = (one) => Math.abs(one - frame);
    if (this.#frames.length) this.#want(this.#frames.reduce((best, one) => (distance(one) < distance(best) ? one : best)));
  }

  #want(frame) {
    if (this.#wanted === frame) return;
    this.#wanted = frame;
    this.#on.frame(frame);
    if (!this.#loading || this.#shown === null) this.#fetch(frame);
  }

  /** Loads one frame at a time, so that a held key does not queue requests. Null is the upload's first frame alone. */
  async #fetch(frame) {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    try {
      const one = (view) => picture(this.#job, frame ?? 0, view, signal);
      this.#draw(frame, await Promise.all([one("before"), frame === null ? null : one("after")]));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#on.failed(error);
    }
    this.#loading = null;
    const next = this.#wanted;
    if (next !== null && next !== frame && next !== this.#shown) this.#fetch(next);
  }

  #draw(frame, [before, after]) {
    this.#shown = frame;
    replace(this.#images.before, before);
    replace(this.#images.after, after);
  }
}

/** Shows a blob in an image in place of the one before; null hides it. */
function replace(image, blob) {
  if (image.src) URL.revokeObjectURL(image.src);
  image.hidden = !blob;
  if (blob) image.src = URL.createObjectURL(blob);
  else image.removeAttribute("src");
}
