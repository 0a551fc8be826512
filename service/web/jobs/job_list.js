/** Shows the list of jobs, and polls each unfinished one at the pace that the service asks for. */

import { t } from "../languages/language.js";
import * as api from "../lib/api.js";
import { facts, progressText, statusWord } from "../lib/format.js";
import { ApiError } from "../lib/http.js";
import { explained } from "../lib/problems.js";
import { drawFindings } from "./findings.js";

const $ = (id) => document.getElementById(id);

const FINAL = new Set(["succeeded", "failed", "canceled", "expired"]);
const ACTIONS = {
  compare: (job) => hasResult(job),
  download: (job) => hasResult(job),
  cancel: (job) => !FINAL.has(job.status),
  retry: (job) => job.status === "failed" || job.status === "canceled",
  delete: () => true,
};
/** A canceled job may have the beginning of a result. */
const hasResult = (job) => job.output != null && job.status !== "expired";
/** Other clients make jobs as well, for instance the command line. */
const REFRESH_MS = 15000;
const OUTAGE_RETRY_MS = 3000;

export class JobList {
  #rows = new Map(); // id -> { element, job, timer, addedAt }
  #cursor = null;
  #on;

  /** `handlers`: { announce(text), onOutage(error or null), onCompare(job), onGone(id) }. */
  constructor(handlers) {
    this.#on = handlers;
    $("more").addEventListener("click", () => this.#loadOlder());
    document.addEventListener("visibilitychange", () => !document.hidden && this.refresh());
    setInterval(() => !document.hidden && this.refresh(), REFRESH_MS);
  }

  /** Brings the newest page up to date; older jobs that were loaded stay. */
  async refresh() {
    await this.#guarded(async () => {
      const page = await api.jobs();
      const first = this.#rows.size === 0;
      page.jobs.toReversed().forEach((job) => this.#put(job));
      if (first) this.#setCursor(page.next_cursor);
      this.#dropMissing(page);
    });
  }

  add(job) {
    this.#put(job);
  }

  /** Removes rows that the page should have and does not: another client deleted their jobs. */
  #dropMissing(page) {
    const alive = new Set(page.jobs.map((job) => job.id));
    const oldest = page.next_cursor ? page.jobs.at(-1).created_at : "";
    for (const [id, row] of this.#rows) {
      const covered = row.job.created_at > oldest && Date.now() - row.addedAt > OUTAGE_RETRY_MS;
      if (covered && !alive.has(id)) this.#remove(id);
    }
    this.#showEmpty();
  }

  async #loadOlder() {
    await this.#guarded(async () => {
      const page = await api.jobs(this.#cursor);
      page.jobs.forEach((job) => this.#put(job, "append"));
      this.#setCursor(page.next_cursor);
    });
  }

  #setCursor(cursor) {
    this.#cursor = cursor ?? null;
    $("more").hidden = !this.#cursor;
  }

  #put(job, where = "prepend") {
    let row = this.#rows.get(job.id);
    if (!row) {
      row = { element: this.#build(job.id), job: null, timer: null, addedAt: Date.now() };
      this.#rows.set(job.id, row);
      $("jobs")[where](row.element);
    }
    this.#announceChange(row.job, job);
    row.job = job;
    draw(row.element, job);
    this.#showEmpty();
    if (!FINAL.has(job.status) && row.timer === null) this.#schedule(row, 1);
  }

  #announceChange(before, now) {
    if (before && before.status !== now.status) {
      this.#on.announce(t("list.now", { name: now.input?.filename ?? t("list.some_video"), status: statusWord(now.status) }));
    }
  }

  #schedule(row, seconds) {
    row.timer = setTimeout(() => this.#poll(row), seconds * 1000);
  }

  async #poll(row) {
    const { id } = row.job;
    let wait = OUTAGE_RETRY_MS / 1000;
    await this.#guarded(async () => {
      const { job, pollSeconds } = await api.job(id);
      wait = pollSeconds;
      if (this.#rows.has(id)) this.#put(job);
    }, id);
    row.timer = null;
    if (this.#rows.has(id) && !FINAL.has(row.job.status)) this.#schedule(row, wait);
  }

  #build(id) {
    const element = $("job-template").content.firstElementChild.cloneNode(true);
    element.addEventListener("click", (event) => {
      const action = event.target.closest("[data-act]")?.dataset.act;
      if (action && action !== "download") this.#act(action, id);
    });
    return element;
  }

  async #act(action, id) {
    const row = this.#rows.get(id);
    if (action === "compare") return this.#on.onCompare(row.job);
    if (action === "delete" && !(await confirmed(row.job))) return;
    const button = row.element.querySelector(`[data-act="${action}"]`);
    button.disabled = true;
    await this.#guarded(() => this.#change(action, id), id, row);
    button.disabled = false;
  }

  async #change(action, id) {
    if (action === "delete") {
      await api.remove(id);
      this.#on.announce(t("list.deleted"));
      this.#remove(id);
    } else {
      await api[action](id);
      this.#put((await api.job(id)).job);
    }
  }

  #remove(id) {
    const row = this.#rows.get(id);
    if (!row) return;
    clearTimeout(row.timer);
    const hadFocus = row.element.contains(document.activeElement);
    row.element.remove();
    this.#rows.delete(id);
    if (hadFocus) $("file").focus();
    this.#on.onGone(id);
    this.#showEmpty();
  }

  #showEmpty() {
    $("no-jobs").hidden = this.#rows.size > 0;
  }

  /** Runs `work`; shows an outage at the top of the page, and a refusal in the row of the job. */
  async #guarded(work, id, row) {
    try {
      await work();
      this.#on.onOutage(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (id && error.status === 404) this.#remove(id);
      else if (row && error.status) part(row.element, "problem").textContent = error.message;
      else this.#on.onOutage(error);
    }
  }
}

const part = (element, name) => element.querySelector(`[data-part="${name}"]`);

function draw(element, job) {
  const running = !FINAL.has(job.status);
  element.dataset.status = job.status;
  element.dataset.id = job.id;
  const name = job.input?.filename || job.id;
  part(element, "name").textContent = name;
  part(element, "facts").textContent = facts(job);
  part(element, "status").textContent = statusWord(job.status);
  part(element, "problem").textContent = job.error ? explained(job.error) : "";
  part(element, "progress").hidden = !running;
  part(element, "bar").value = job.progress?.fraction ?? 0;
  part(element, "bar").setAttribute("aria-label", t("list.progress_of", { name }));
  part(element, "detail").textContent = running ? progressText(job.progress ?? {}) : "";
  drawFindings(part(element, "findings"), part(element, "findings-summary"), part(element, "findings-list"), job);
  for (const [action, allowed] of Object.entries(ACTIONS)) {
    const control = element.querySelector(`[data-act="${action}"]`);
    control.hidden = !allowed(job);
    control.setAttribute("aria-label", t("list.act_on", { action: control.textContent, name }));
  }
  element.querySelector('[data-act="download"]').href = api.resultUrl(job.id);
}

/** Asks in a dialog whether to delete the job; Escape keeps it. */
function confirmed(job) {
  const dialog = $("confirm");
  $("confirm-text").textContent = t("list.delete_this", { name: job.input?.filename ?? t("list.some_video") });
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
