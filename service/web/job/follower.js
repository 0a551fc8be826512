/**
 * Keeps what the page knows of one job up to date: the job's events say when to look again. While there is no stream of
 * them, because it was refused or cut, the job is asked for at the pace that the service wishes.
 */

import * as api from "../lib/api.js";
import { ApiError } from "../lib/http.js";
import { isOver } from "../lib/job.js";

const LEAST_MS = 700; // between two looks, however many events there are
const WITH_STREAM_MS = 15000; // streams are cut without a word
const AFTER_OUTAGE_MS = 3000;
const STREAM_AGAIN_MS = 20000;
const PARTIAL_MS = 1500; // the beginning of a canceled job is put together after it ended
const PARTIAL_LOOKS = 20;
const EVENTS = ["status", "progress", "step_started", "step_done"];

export class Follower {
  #id;
  #on;
  #stream = null;
  #timer = null;
  #asked = 0; // when, in milliseconds
  #asking = false;
  #due = false; // an event came while an answer was under way
  #streamFrom = 0; // no new stream before, in milliseconds
  #grown = true; // whether more frames may be restored than at the last look
  #over = false;
  #looksForPartial = 0;

  /** `on`: { job(job, grown), gone(), outage(error or null) }. Begins at once. */
  constructor(id, on) {
    [this.#id, this.#on] = [id, on];
    this.#look();
  }

  stop() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#closeStream();
  }

  /** Looks again now, for instance after the job was canceled. */
  now() {
    this.#over = false;
    this.#soon(0);
  }

  #soon(ms) {
    if (this.#over) return;
    if (this.#asking) return void (this.#due ||= ms <= LEAST_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  async #look() {
    [this.#asking, this.#due, this.#asked] = [true, false, Date.now()];
    const wait = await this.#ask();
    this.#asking = false;
    this.#soon(this.#due ? LEAST_MS : wait);
  }

  /** Returns the milliseconds to wait for the next look. */
  async #ask() {
    const grown = this.#grown;
    this.#grown = false;
    try {
      const { job, pollSeconds } = await api.job(this.#id);
      if (this.#over) return 0;
      this.#on.outage(null);
      this.#on.job(job, grown || !this.#stream);
      if (isOver(job)) return this.#afterEnd(job);
      this.#looksForPartial = 0;
      this.#listen();
      return this.#stream ? WITH_STREAM_MS : pollSeconds * 1000;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#grown ||= grown;
      if (error.status === 404) this.#gone();
      else if (!this.#over) this.#on.outage(error);
      return AFTER_OUTAGE_MS;
    }
  }

  /** A canceled job is asked for a little longer: its result comes later, if there is one. */
  #afterEnd(job) {
    this.#closeStream();
    const maybe = job.status === "canceled" && !job.output && job.progress.frames_done > 0;
    this.#looksForPartial += 1;
    if (!maybe || this.#looksForPartial > PARTIAL_LOOKS) this.stop();
    return PARTIAL_MS;
  }

  #gone() {
    if (this.#over) return;
    this.stop();
    this.#on.gone();
  }

  #listen() {
    if (this.#stream || Date.now() < this.#streamFrom) return;
    this.#stream = new EventSource(api.eventsUrl(this.#id));
    for (const type of EVENTS) this.#stream.addEventListener(type, () => this.#told(type));
    this.#stream.addEventListener("error", () => this.#lost());
  }

  #told(type) {
    this.#grown ||= type === "step_done";
    this.#soon(Math.max(0, this.#asked + LEAST_MS - Date.now()));
  }

  /** The stream ends with the job too, so that one more look tells which it is. */
  #lost() {
    this.#closeStream();
    this.#streamFrom = Date.now() + STREAM_AGAIN_MS;
    this.#grown = true;
    this.#soon(LEAST_MS);
  }

  #closeStream() {
    this.#stream?.close();
    this.#stream = null;
  }
}
