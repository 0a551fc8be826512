/** The sharpness prior of the frame on the screen, as a heat map from the service. */

import { previewUrl } from "./api.js";

export class Prior {
  #image;
  #onProblem;
  #job = null;
  #wanted = null; // the newest frame asked for
  #loading = null;

  constructor(image, onProblem) {
    [this.#image, this.#onProblem] = [image, onProblem];
    image.addEventListener("load", () => this.#arrived());
    image.addEventListener("error", () => this.#failed());
  }

  show(job, frame) {
    this.#job = job;
    this.#image.hidden = false;
    this.follow(frame);
  }

  hide() {
    this.#job = this.#wanted = this.#loading = null;
    this.#image.hidden = true;
    this.#image.removeAttribute("src");
  }

  /** One picture is under way at a time: while a video plays, maps come as fast as they can and no faster. */
  follow(frame) {
    if (this.#job === null || frame === this.#wanted) return;
    this.#wanted = frame;
    if (this.#loading === null) this.#load();
  }

  #load() {
    this.#loading = this.#wanted;
    this.#image.src = previewUrl(this.#job, this.#loading, "prior");
  }

  #arrived() {
    if (this.#job === null) return;
    this.#image.alt = `Sharpness prior of frame ${this.#loading + 1}`;
    const behind = this.#wanted !== this.#loading;
    this.#loading = null;
    if (behind) this.#load();
  }

  #failed() {
    if (this.#job === null) return;
    this.#loading = null;
    this.#onProblem("There is no heat map of this frame.");
  }
}
