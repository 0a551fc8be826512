/** The list of jobs: what is shown of it, and what is done with one job or several. */

import { t } from "../languages/language.js";
import * as api from "../lib/api.js";
import { statusWord } from "../lib/format.js";
import { ApiError } from "../lib/http.js";
import { confirmed } from "./confirmation.js";
import { chosenFilter, isFiltered, offerFilters } from "./filters.js";
import { JobFeed } from "./job_feed.js";
import { buildRow, drawRow, part } from "./job_row.js";
import { Selection } from "./selection.js";
import { isOver, nameOf } from "../lib/job.js";

const $ = (id) => document.getElementById(id);
/** A job that was just made may not be in an answer that was already under way. */
const FRESH_MS = 3000;

export class JobList {
  #rows = new Map(); // id -> { element, job, addedAt }
  #cursor = null;
  #loading = false;
  #feed;
  #selection;
  #on;

  /** `handlers`: { announce(text), onOutage(error or null), onGone(id) }. */
  constructor(handlers) {
    this.#on = handlers;
    this.#selection = new Selection(this.#rows, (action, jobs) => this.#actOnAll(action, jobs));
    this.#feed = new JobFeed({
      page: (page, filter) => this.#showPage(page, filter),
      job: (job) => this.#rows.has(job.id) && this.#put(job),
      gone: (id) => this.#remove(id),
      active: () => [...this.#rows.values()].filter(({ job }) => !isOver(job)).map(({ job }) => job.id),
      filter: chosenFilter,
      outage: handlers.onOutage,
    });
    offerFilters(() => this.#restart());
    $("more").addEventListener("click", () => this.#loadOlder());
    new IntersectionObserver(([seen]) => seen.isIntersecting && this.#loadOlder(), { rootMargin: "600px" }).observe($("more"));
  }

  refresh() {
    return this.#feed.now();
  }

  /** Shows a job that was just made; previews are not in the way. */
  add(job) {
    if (!job.options.preview) this.#put(job);
    this.#feed.now();
  }

  /** Takes a job off the list that was deleted elsewhere on the page. */
  forget(id) {
    this.#remove(id);
  }

  #restart() {
    for (const { element } of this.#rows.values()) element.remove();
    this.#rows.clear();
    this.#setCursor(null);
    return this.refresh();
  }

  #showPage(page, filter) {
    if (JSON.stringify(filter) !== JSON.stringify(chosenFilter())) return void this.refresh();
    const first = this.#rows.size === 0;
    page.jobs.toReversed().forEach((job) => this.#put(job));
    if (first) this.#setCursor(page.next_cursor);
    this.#dropMissing(page);
    this.#showEmpty();
  }

  /** Removes rows that the page should have and does not: another client deleted their jobs, or they are in another state. */
  #dropMissing(page) {
    const alive = new Set(page.jobs.map((job) => job.id));
    const oldest = page.next_cursor ?? "";
    for (const [id, row] of this.#rows) {
      if (id >= oldest && !alive.has(id) && Date.now() - row.addedAt > FRESH_MS) this.#remove(id);
    }
  }

  async #loadOlder() {
    if (!this.#cursor || this.#loading) return;
    this.#loading = true;
    await this.#guarded(async () => {
      const page = await api.jobs({ ...chosenFilter(), cursor: this.#cursor });
      page.jobs.forEach((job) => this.#put(job));
      this.#setCursor(page.next_cursor);
    });
    this.#loading = false;
  }

  #setCursor(cursor) {
    this.#cursor = cursor ?? null;
    $("more").hidden = !this.#cursor;
  }

  #put(job) {
    let row = this.#rows.get(job.id);
    if (!row) {
      row = { element: this.#build(job), job: null, addedAt: Date.now() };
      this.#insert(job.id, row);
    }
    if (row.job && row.job.status !== job.status) {
      this.#on.announce(t("list.now", { name: nameOf(job), status: statusWord(job.status) }));
    }
    row.job = job;
    drawRow(row.element, job);
    this.#showEmpty();
    this.#selection.draw();
  }

  /** Ids rise with time; the newest job is at the top. */
  #insert(id, row) {
    const older = [...$("jobs").children].find((element) => element.dataset.id < id);
    $("jobs").insertBefore(row.element, older ?? null);
    this.#rows.set(id, row);
  }

  #build(job) {
    const element = buildRow(job);
    element.addEventListener("click", (event) => {
      const action = event.target.closest("button[data-act]")?.dataset.act;
      if (action) this.#act(action, job.id);
    });
    part(element, "select").addEventListener("change", (event) => this.#selection.set(job.id, event.target.checked));
    return element;
  }

  async #act(action, id) {
    const row = this.#rows.get(id);
    if (action === "delete" && !(await confirmed(t("list.delete_this", { name: nameOf(row.job) })))) return;
    const button = row.element.querySelector(`[data-act="${action}"]`);
    button.disabled = true;
    await this.#guarded(() => this.#change(action, id), row);
    button.disabled = false;
  }

  async #actOnAll(action, jobs) {
    if (action === "delete" && !(await confirmed(t("list.delete_all", { count: jobs.length })))) return;
    for (const job of jobs) {
      const row = this.#rows.get(job.id);
      if (action === "download") row?.element.querySelector('[data-act="download"]').click();
      else if (row) await this.#guarded(() => this.#change(action, job.id), row);
    }
  }

  async #change(action, id) {
    if (action === "delete") {
      await api.remove(id);
      this.#on.announce(t("list.deleted"));
      this.#remove(id);
    } else {
      await api[action](id);
      this.#put((await api.job(id)).job);
      this.#feed.now();
    }
  }

  #remove(id) {
    const row = this.#rows.get(id);
    if (!row) return;
    const hadFocus = row.element.contains(document.activeElement);
    row.element.remove();
    this.#rows.delete(id);
    if (hadFocus) $("search").focus();
    this.#on.onGone(id);
    this.#showEmpty();
    this.#selection.draw();
  }

  /** Without any job, the list is not in the way of what the page is for. */
  #showEmpty() {
    const empty = this.#rows.size === 0;
    $("list").hidden = empty && !isFiltered();
    $("no-jobs").hidden = !empty;
  }

  /** Runs `work`; shows an outage at the top of the page, and a refusal in the row of the job. */
  async #guarded(work, row) {
    try {
      await work();
      this.#on.onOutage(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (row && error.status === 404) this.#remove(row.job.id);
      else if (row && error.status) part(row.element, "problem").textContent = error.message;
      else this.#on.onOutage(error);
    }
  }
}
