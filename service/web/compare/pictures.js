/** Shows single restored frames as pictures, before and after at once: while a job runs there is no video yet. */

import { newestPicture, picture, poster } from "../lib/api.js";

export class Pictures {
  #images; // { before, after }
  #on;
  #job = null; // id
  #frames = []; // numbers of the restored frames, rising
  #wanted = null; // the newest frame that is to be shown
  #shown = null;
  #asked = null; // the frame that is being loaded
  #loading = null; // AbortController
  #live = false; // whether the newest frame is wanted, whichever it is by then

  /** `on`: { frame(number), drawn(restored), size(width, height), failed(error) }. */
  constructor(before, after, on) {
    [this.#images, this.#on] = [{ before, after }, on];
    before.addEventListener("load", () => on.size(before.naturalWidth, before.naturalHeight));
  }

  /** The frame that is shown, or about to be. */
  get frame() {
    return this.#wanted ?? 0;
  }

  /** Begins with the picture that stands for the upload: there may be no restored frame yet. */
  load(id) {
    this.unload();
    this.#job = id;
    this.#fetch();
  }

  unload() {
    this.#loading?.abort();
    this.#job = this.#wanted = this.#shown = this.#loading = null;
    [this.#frames, this.#live] = [[], false];
    for (const image of Object.values(this.#images)) {
      image.hidden = true;
      replace(image, null);
    }
  }

  set frames(numbers) {
    this.#frames = numbers;
  }

  /** Where the frame is among those that are restored, or the last one before it. */
  get place() {
    return Math.max(this.#frames.findLastIndex((one) => one <= this.frame), 0);
  }

  step(frames) {
    this.showPlace(this.place + frames);
  }

  showPlace(place) {
    const last = this.#frames.length - 1;
    if (last >= 0) this.#want(this.#frames[Math.min(Math.max(place, 0), last)]);
  }

  /** Shows a frame, or the restored one that is nearest to it. */
  show(frame) {
    const distance = (one) => Math.abs(one - frame);
    if (this.#frames.length) this.#want(this.#frames.reduce((best, one) => (distance(one) < distance(best) ? one : best)));
  }

  /** Shows the newest frame, which is this one or, by the time that it is loaded, a newer one. */
  showNewest(frame) {
    this.#want(frame, true);
  }

  #want(frame, live = false) {
    if (this.#wanted === frame) return;
    [this.#wanted, this.#live] = [frame, live];
    this.#on.frame(frame);
    if (!this.#loading || this.#asked === null) this.#fetch();
  }

  /** Loads one frame at a time, so that a held key does not queue requests. Before any is restored it is the poster. */
  async #fetch() {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    const asked = (this.#asked = this.#wanted);
    try {
      const { frame, after } = await this.#restored(asked, signal);
      const before = asked === null ? await poster(this.#job, signal) : await picture(this.#job, frame, "before", signal);
      if (this.#live) this.#wanted = frame;
      this.#draw(frame, before, after);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#on.failed(error);
    }
    this.#loading = null;
    if (this.#wanted !== asked && this.#wanted !== this.#shown) this.#fetch();
  }

  /** The picture after: null where no frame is restored. */
  async #restored(asked, signal) {
    if (asked === null) return { frame: 0, after: null };
    if (!this.#live) return { frame: asked, after: await picture(this.#job, asked, "after", signal) };
    const { frame, blob } = await newestPicture(this.#job, signal);
    return { frame, after: blob };
  }

  #draw(frame, before, after) {
    this.#shown = after && frame;
    replace(this.#images.before, before);
    replace(this.#images.after, after);
    this.#on.drawn(after !== null);
    this.#on.frame(frame);
  }
}

/** Shows a blob in an image in place of the one before; null hides it. */
function replace(image, blob) {
  if (image.src) URL.revokeObjectURL(image.src);
  image.hidden = !blob;
  if (blob) image.src = URL.createObjectURL(blob);
  else image.removeAttribute("src");
}
