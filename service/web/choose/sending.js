/** The way of one file to the service, through breaks and pauses. */

import { t } from "../languages/language.js";
import { bytes, duration } from "../lib/format.js";
import { Pace } from "./pace.js";
import { TusUpload, persistently } from "./tus.js";

export const amount = (sent, size) => t("choose.sent_of", { sent: bytes(sent), size: bytes(size) });

export class Sending {
  /** "waiting", "sending", "paused", "broken", "whole" or "stopped". */
  state = "waiting";
  /** What there is to say of it, in a few words. */
  text = t("choose.waiting");
  sent = 0;
  #file;
  #onChange;
  #control = null; // AbortController of the requests that are under way
  #go = null; // ends a pause
  #pace = new Pace();

  constructor(file, onChange) {
    [this.#file, this.#onChange] = [file, onChange];
    this.upload = new TusUpload(file, {
      progress: (sent) => this.#moved(sent),
      waiting: (wait, error) => this.#broke(wait, error),
    });
  }

  /** Of the file, from 0 to 1. */
  get share() {
    return this.#file.size ? this.sent / this.#file.size : 0;
  }

  /** Sends the file; resolves with the id of the upload. Throws ApiError where it is refused, AbortError when stopped. */
  async run() {
    const id = await this.#persist((signal) => this.upload.send(signal));
    this.#become("whole", t("choose.sent"));
    return id;
  }

  /** Runs a request about the complete upload until it is answered, with the same waits as the upload itself. */
  async ask(work) {
    const answer = await this.#persist((signal) => persistently(work, signal, (wait, error) => this.#broke(wait, error)));
    this.#become("whole", t("choose.sent"));
    return answer;
  }

  togglePause() {
    if (this.#go) return this.#go();
    this.#become("paused", t("choose.paused", { amount: amount(this.sent, this.#file.size) }));
    this.#control?.abort();
  }

  stop() {
    this.#become("stopped", "");
    this.#control?.abort();
    this.#go?.();
  }

  /** Runs `work(signal)`; begins it anew after a pause. */
  async #persist(work) {
    for (;;) {
      if (this.state === "paused") await this.#pause();
      if (this.state === "stopped") throw new DOMException("stopped", "AbortError");
      this.#control = new AbortController();
      try {
        return await work(this.#control.signal);
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    }
  }

  async #pause() {
    await new Promise((resolve) => (this.#go = resolve));
    this.#go = null;
    this.#pace = new Pace();
    if (this.state === "paused") this.#become("waiting", t("choose.waiting"));
  }

  #moved(sent) {
    if (this.#control?.signal.aborted) return; // the last event of a paused request
    this.sent = sent;
    const { size } = this.#file;
    this.#become("sending", [amount(sent, size), ...this.#pace.texts(sent, size)].join(" · "));
  }

  #broke(wait, error) {
    if (!wait) return this.state === "broken" && this.#become("sending", amount(this.sent, this.#file.size));
    this.#pace = new Pace();
    this.#become("broken", t("choose.again_in", { why: error.message, time: duration(Math.max(1, wait / 1000)) }));
  }

  #become(state, text) {
    if (this.state === "stopped") return;
    [this.state, this.text] = [state, text];
    this.#onChange();
  }
}
