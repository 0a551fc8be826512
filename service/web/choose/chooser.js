/** From the files that somebody chooses to the jobs that are made of them. */

import { t } from "../languages/language.js";
import { showJob } from "../lib/route.js";
import { Chosen } from "./chosen.js";
import { showDeblurButton } from "./deblur_button.js";
import { listenForDrops } from "./drops.js";
import { Glimpse } from "./glimpse.js";
import { Options } from "./options.js";
import { Prices } from "./prices.js";
import { clearRefusal, refuse } from "./refusal.js";
import { Rows } from "./rows.js";
import { Trimmer } from "./trimmer.js";
import { showUnfinished } from "./unfinished.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);

export class Chooser {
  #items = []; // in the order in which they are sent and deblurred
  #viewed = null;
  #sending = false;
  #placed = null; // jobs made since the last button; null while none are being made
  #secondAt = null; // where to deblur a second as soon as the video is open
  #on;
  #options = new Options(() => this.#showButtons());
  #prices = new Prices(this.#options);
  #rows;
  #viewer;
  #trimmer;
  #glimpse;

  /** `on`: { announce(text), job(job) }. */
  constructor(on) {
    this.#on = on;
    this.#rows = new Rows({
      view: (item) => this.#view(item),
      earlier: (item) => this.#moveUp(item),
      remove: (item) => this.#remove(item),
    });
    this.#viewer = new Viewer({
      facts: (item) => this.#known(item),
      time: (seconds) => this.#trimmer.follow(seconds),
      unplayable: (item) => this.#unplayable(item),
    });
    this.#trimmer = new Trimmer({
      seek: (seconds) => this.#seek(seconds),
      trimmed: (item) => this.#trimmed(item),
    });
    this.#glimpse = new Glimpse({
      announce: on.announce,
      busy: (busy) => ($("second").disabled = busy),
      shown: (start, item) => this.#trimmer.mark(item.facts ? start : null),
      hidden: () => this.#trimmer.mark(null),
      measured: (item) => item === this.#viewed && this.#prices.update(item, { anew: true }),
    });
    this.#wire();
    showUnfinished([]);
  }

  /** Offers what the service has; the page works without until then. */
  load() {
    return this.#options.load().then(() => this.#viewed && this.#prices.update(this.#viewed, { anew: true }));
  }

  /** Takes files; `secondAt` deblurs the second from there on at once. */
  take(files, { secondAt = null } = {}) {
    clearRefusal();
    for (const { name } of [...files].filter((file) => !file.size)) refuse(`${name}: ${t("problem.empty_upload")}`);
    const filled = [...files].filter((file) => file.size);
    const items = filled.map((file) => new Chosen(file, (item) => this.#follow(item)));
    if (!items.length) return;
    const first = this.#items.length === 0;
    this.#items.push(...items);
    this.#secondAt = secondAt;
    if (first) this.#open();
    this.#draw();
    this.#sendAll();
  }

  #wire() {
    $("file").addEventListener("change", () => {
      this.take($("file").files);
      $("file").value = ""; // so that choosing the same file again counts as a change
    });
    listenForDrops((files) => this.take(files));
    $("add").addEventListener("click", () => $("file").click());
    $("second").addEventListener("click", () => this.#second());
    $("deblur").addEventListener("click", () => this.#deblur());
    window.addEventListener("beforeunload", (event) => {
      if (this.#items.some((item) => item.wanted || item.sending.state !== "whole")) event.preventDefault();
    });
  }

  #open() {
    $("welcome").hidden = true;
    $("choose").hidden = false;
    this.#view(this.#items[0]);
    $("choose-title").focus();
  }

  #close() {
    this.#viewed = null;
    this.#glimpse.stop();
    this.#viewer.close();
    this.#trimmer.close();
    $("choose").hidden = true;
    $("welcome").hidden = false;
  }

  #view(item) {
    if (this.#viewed === item) return;
    this.#viewed = item;
    this.#glimpse.stop();
    this.#trimmer.close();
    this.#viewer.open(item);
    $("second").textContent = t("choose.second");
    this.#prices.update(item);
    this.#draw();
  }

  #known(item) {
    this.#trimmer.open(item);
    this.#prices.update(item);
    this.#showButtons();
    if (this.#secondAt === null) return;
    const at = this.#secondAt;
    this.#secondAt = null;
    this.#viewer.seek(at);
    this.#second();
  }

  #unplayable(item) {
    item.facts = null;
    this.#trimmer.close();
    $("second").textContent = t("choose.first_second");
  }

  #seek(seconds) {
    this.#glimpse.hide();
    this.#viewer.pause();
    this.#viewer.seek(seconds);
  }

  #trimmed(item) {
    this.#prices.update(item);
    this.#showButtons();
  }

  #second() {
    const item = this.#viewed;
    const last = item.facts ? Math.max(0, item.facts.duration_s - 1) : 0;
    const start = item.facts ? Math.min(this.#viewer.seconds, last) : item.start;
    this.#glimpse.hide();
    this.#viewer.pause();
    this.#glimpse.make(item, this.#options.fields, start);
  }

  /** Makes jobs of all videos, in their order, as they arrive at the service. */
  async #deblur() {
    for (const item of this.#items) item.wanted ??= this.#options.fields;
    this.#draw();
    if (this.#placed) return; // the loop below is at work, and takes them as well
    this.#placed = [];
    for (let item; (item = this.#items.find((one) => one.wanted)); ) await this.#place(item);
    const placed = this.#placed;
    this.#placed = null;
    if (placed.length === 1 && !this.#items.length) showJob(placed[0].id);
    else if (placed.length) $("jobs-title").scrollIntoView({ block: "nearest" });
  }

  async #place(item) {
    try {
      const job = await item.place();
      this.#placed.push(job);
      this.#on.job(job);
      this.#on.announce(t("choose.queued", { name: item.file.name }));
      this.#drop(item);
    } catch (error) {
      this.#fail(item, error);
    }
  }

  async #sendAll() {
    if (this.#sending) return;
    this.#sending = true;
    const next = () => this.#items.find((item) => item.sending.state === "waiting");
    for (let item; (item = next()); ) await item.send().catch((error) => this.#fail(item, error));
    this.#sending = false;
  }

  #fail(item, error) {
    if (!this.#items.includes(item)) return; // it was removed, or its failure is told already
    if (error.name !== "AbortError") refuse(`${item.file.name}: ${error.message}`);
    this.#drop(item);
  }

  #remove(item) {
    this.#on.announce(t("choose.removed", { name: item.file.name }));
    this.#drop(item);
    if (this.#items.length) $("choose-title").focus();
    else $("file").focus();
  }

  /** Takes an item off the list; what the service holds only for it is removed. */
  async #drop(item) {
    const index = this.#items.indexOf(item);
    if (index < 0) return;
    this.#items.splice(index, 1);
    if (!this.#items.length) this.#close();
    else if (item === this.#viewed) this.#view(this.#items[Math.min(index, this.#items.length - 1)]);
    this.#draw();
    await item.release();
    showUnfinished(this.#keys());
  }

  #moveUp(item) {
    const index = this.#items.indexOf(item);
    this.#items.splice(index - 1, 2, item, this.#items[index - 1]);
    this.#draw();
  }

  #keys() {
    return this.#items.map((item) => item.sending.upload.key);
  }

  #follow(item) {
    this.#rows.follow(item);
    this.#glimpse.followUpload(item);
    this.#showButtons();
    if (item.sending.state === "broken") this.#on.announce(t("choose.interrupted"));
  }

  #draw() {
    this.#rows.draw(this.#items, this.#viewed);
    showUnfinished(this.#keys());
    this.#showButtons();
  }

  #showButtons() {
    showDeblurButton(this.#items);
  }
}
