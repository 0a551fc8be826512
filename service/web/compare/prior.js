/** Shows the sharpness prior of the frame on the screen, as a heat map from the service. */

import { t } from "../languages/language.js";
import { previewUrl } from "../lib/api.js";

export class Prior {
  #image;
  #onProblem;
  #job = null;
  #wanted = null; // the newest frame that is to be shown
  #loading = null; // the frame whose map is being loaded

  constructor(image, onProblem) {
    [this.#image, this.#onProblem] = [image, onProblem];
    image.addEventListener("load", () => this.#loaded());
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

  /** Loads one map at a time, so that a playing video does not queue requests. */
  follow(frame) {
    if (this.#job === null || frame === this.#wanted) return;
    this.#wanted = frame;
    if (this.#loading === null) this.#load();
  }

  #load() {
    this.#loading = this.#wanted;
    this.#image.src = previewUrl(this.#job, this.#loading, "prior");
  }

  #loaded() {
    if (this.#job === null) return;
    this.#image.alt = t("compare.prior_of", { frame: this.#loading + 1 });
    const behind = this.#wanted !== this.#loading;
    this.#loading = null;
    if (behind) this.#load();
  }

  #failed() {
    if (this.#job === null) return;
    this.#loading = null;
    this.#onProblem(t("compare.no_prior"));
  }
}
