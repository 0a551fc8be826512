/** A video that was chosen: its file, the part of it that is wanted, and the jobs that are made of it. */

import { remove, submit } from "../lib/api.js";
import { Sending } from "./sending.js";
import { terminate } from "./tus.js";

export class Chosen {
  /** Seconds of the wanted part; `end` null is the end of the video. */
  start = 0;
  end = null;
  /** { width, height, duration_s, fps } as far as the browser can tell; null for a file that it cannot play. */
  facts = null;
  /** Options of the job that is to be made of it, once they are decided. */
  wanted = null;
  #whole = null; // promise of the id of the complete upload
  #source = null; // the job whose video later ones take
  #placed = Promise.resolve();
  #count = 0;
  #previews = [];

  /** `onChange(this)` is called whenever its upload gets on or halts. */
  constructor(file, onChange) {
    this.file = file;
    this.url = URL.createObjectURL(file);
    this.sending = new Sending(file, () => onChange(this));
  }

  get trimmed() {
    return this.start > 0 || this.end !== null;
  }

  /** Sends the file, once. Throws as Sending.run does. */
  send() {
    this.#whole ??= this.sending.run();
    return this.#whole;
  }

  /** Makes a job of the wanted part, as soon as the video is with the service. */
  place() {
    const part = { ...(this.start > 0 && { start: seconds(this.start) }), ...(this.end !== null && { end: seconds(this.end) }) };
    return this.#place({ ...this.wanted, ...part });
  }

  /** Makes a job that goes before all others, of the second from `start` on. */
  async preview(options, start) {
    const end = Math.min(start + 1, this.facts?.duration_s ?? Infinity);
    const job = await this.#place({ ...options, preview: "true", start: seconds(start), end: seconds(end) });
    this.#previews.push(job.id);
    return job;
  }

  /** Frees what the page and the service hold of it but the jobs that were asked for. */
  async release() {
    URL.revokeObjectURL(this.url);
    this.sending.stop();
    const previews = this.#previews.map((id) => remove(id));
    const upload = this.#source ? [] : [terminate(this.sending.upload)];
    await Promise.allSettled([...previews, ...upload]); // what cannot be removed now expires by itself
  }

  /** The first job takes the upload, the others take the video of the first. */
  #place(options) {
    const placed = this.#placed.then(async () => {
      const upload = await this.send();
      const video = this.#source ? { source: this.#source } : { upload };
      const key = `${upload}-${(this.#count += 1)}`; // one job, however often it is asked for
      const job = await this.sending.ask(() => submit({ ...options, ...video }, key));
      this.#source ??= job.id;
      this.sending.upload.forget();
      return job;
    });
    this.#placed = placed.catch(() => {});
    return placed;
  }
}

const seconds = (value) => value.toFixed(3);
