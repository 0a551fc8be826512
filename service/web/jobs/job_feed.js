/**
 * Keeps the list of jobs up to date with few requests, however long it is: asks for the newest page every few seconds,
 * and more often for what waits and runs, while anything shown does.
 */

import * as api from "../lib/api.js";
import { ApiError } from "../lib/http.js";

const IDLE_MS = 4000;
const ACTIVE_MS = 2000;
const AGAIN_MS = 3000; // after no answer
const MOST_ACTIVE = 100;
const SILENCE_MS = 8000; // without an answer for so long the service counts as gone
const AT_A_TIME = 10; // jobs that are asked for one by one

export class JobFeed {
  #view;
  #timer = null;
  #asking = false;
  #again = false;
  #paged = 0; // when the newest page was asked for, in milliseconds

  /**
   * `view`: { page(page, filter), job(job), gone(id), active() -> ids of shown jobs that are not over, filter() -> options
   * of GET /jobs, outage(error or null) }.
   */
  constructor(view) {
    this.#view = view;
    document.addEventListener("visibilitychange", () => !document.hidden && this.now());
    window.addEventListener("online", () => this.now());
  }

  /** Asks at once, the newest page included. */
  async now() {
    this.#paged = 0;
    this.#again = this.#asking;
    await this.#tick();
  }

  async #tick() {
    if (this.#asking) return;
    clearTimeout(this.#timer);
    [this.#asking, this.#again] = [true, false];
    let wait = AGAIN_MS;
    try {
      await this.#ask();
      this.#view.outage(null);
      wait = this.#view.active().length ? ACTIVE_MS : IDLE_MS;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#view.outage(error);
    } finally {
      this.#asking = false;
      if (this.#again) [wait, this.#paged] = [0, 0];
      if (!document.hidden) this.#timer = setTimeout(() => this.#tick(), wait);
    }
  }

  async #ask() {
    if (Date.now() - this.#paged >= IDLE_MS) {
      const filter = this.#view.filter();
      const page = await api.jobs(filter, AbortSignal.timeout(SILENCE_MS));
      this.#paged = Date.now();
      this.#view.page(page, filter);
    }
    if (this.#view.active().length) await this.#askForActive();
  }

  /** Waiting ones first: a job that begins between the two answers is in the second. */
  async #askForActive() {
    const found = new Map();
    for (const status of ["queued", "running"]) {
      const { jobs } = await api.jobs({ status, limit: MOST_ACTIVE }, AbortSignal.timeout(SILENCE_MS));
      jobs.forEach((job) => found.set(job.id, job));
    }
    const over = this.#view.active().filter((id) => !found.has(id));
    found.forEach((job) => this.#view.job(job));
    for (const id of over.slice(0, AT_A_TIME)) await this.#askFor(id);
  }

  async #askFor(id) {
    try {
      this.#view.job((await api.job(id)).job);
    } catch (error) {
      if (error.status !== 404) throw error;
      this.#view.gone(id);
    }
  }
}
