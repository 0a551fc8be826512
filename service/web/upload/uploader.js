/** Sends the videos that were chosen or dropped, one after the other. */

import { submit } from "../lib/api.js";
import { bytes, duration } from "../lib/format.js";
import { estimateText } from "./estimate.js";
import { Pace } from "./pace.js";
import { chosenOutput } from "./output.js";
import { chosenRestoration } from "./restoration.js";
import { TusUpload, persistently, terminate, unfinished } from "./tus.js";

const $ = (id) => document.getElementById(id);

export class Uploader {
  #waiting = [];
  #current = null; // { file, upload, restoration, control: AbortController, pace, stopped, resume, sent }
  #announce;
  #onJob;

  constructor({ announce, onJob }) {
    this.#announce = announce;
    this.#onJob = onJob;
    $("file").addEventListener("change", () => {
      this.#take($("file").files);
      $("file").value = ""; // so that choosing the same file again counts as a change
    });
    $("sending-stop").addEventListener("click", () => this.#stop());
    $("sending-pause").addEventListener("click", () => this.#togglePause());
    $("refusal-close").addEventListener("click", () => this.#refuse(null));
    this.#listenForDrops();
    window.addEventListener("beforeunload", (event) => this.#current && event.preventDefault());
    this.#showUnfinished();
  }

  #listenForDrops() {
    const page = document.documentElement;
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    page.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      page.classList.add("dropping");
    });
    page.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) page.classList.remove("dropping");
    });
    page.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      page.classList.remove("dropping");
      this.#take(event.dataTransfer.files);
    });
  }

  #take(files) {
    this.#waiting.push(...files);
    if (!this.#current) this.#sendAll();
  }

  async #sendAll() {
    this.#refuse(null);
    while (this.#waiting.length) await this.#send(this.#waiting.shift());
    $("sending").hidden = true;
    this.#showUnfinished();
  }

  async #send(file) {
    const current = this.#begin(file);
    try {
      this.#onJob(await this.#job(current));
      this.#announce(`${file.name} was sent and is queued.`);
      current.upload.forget();
    } catch (error) {
      await terminate(current.upload).catch(() => {}); // an upload that cannot be removed expires by itself
      if (error.name !== "AbortError") this.#refuse(`${file.name}: ${error.message}`);
    } finally {
      this.#current = null;
    }
  }

  #begin(file) {
    const upload = new TusUpload(file, {
      progress: (sent) => this.#show(sent),
      waiting: (wait, error) => this.#showBreak(wait, error),
    });
    const restoration = { ...chosenRestoration(), ...chosenOutput() };
    this.#current = { file, upload, restoration, pace: new Pace(), stopped: false, resume: null, sent: 0 };
    this.#showPaused(false);
    this.#show(0);
    this.#showUnfinished();
    this.#showEstimate(this.#current);
    return this.#current;
  }

  async #showEstimate(current) {
    const { file } = current;
    $("sending-estimate").textContent = "";
    const text = await estimateText(file, current.restoration);
    if (this.#current === current) $("sending-estimate").textContent = text;
  }

  /** Sends the file through all pauses and makes a job of it. Throws AbortError when stopped. */
  async #job(current) {
    for (;;) {
      current.control = new AbortController();
      const { signal } = current.control;
      try {
        const id = await current.upload.send(signal);
        this.#show(current.file.size);
        return await persistently(
          () => submit(id, current.restoration),
          signal,
          (wait, error) => this.#showBreak(wait, error),
        );
      } catch (error) {
        if (error.name !== "AbortError" || current.stopped) throw error;
      }
      await new Promise((resolve) => (current.resume = resolve));
      current.resume = null;
      if (current.stopped) throw new DOMException("stopped", "AbortError");
      current.pace = new Pace();
    }
  }

  #stop() {
    const current = this.#current;
    if (!current) return;
    current.stopped = true;
    current.control?.abort();
    current.resume?.();
    this.#announce(`The upload of ${current.file.name} was stopped.`);
    $("file").focus();
  }

  #togglePause() {
    const current = this.#current;
    if (!current) return;
    if (current.resume) {
      this.#showPaused(false);
      current.resume();
    } else {
      this.#showPaused(true);
      current.control?.abort();
      this.#detail(`Paused at ${amount(current.sent, current.file.size)}`);
    }
  }

  #showPaused(paused) {
    $("sending-pause").textContent = paused ? "Resume" : "Pause";
    $("sending").classList.toggle("paused", paused);
  }

  #show(sent) {
    const { file, pace, control } = this.#current;
    if (control?.signal.aborted) return; // the last event of a paused request
    this.#current.sent = sent;
    const whole = sent >= file.size && sent > 0;
    $("sending").hidden = false;
    $("sending-name").textContent = file.name;
    $("sending-pause").hidden = whole;
    this.#detail(whole ? "Sent. The service checks it." : [amount(sent, file.size), ...pace.texts(sent, file.size)].join(" · "));
    if (whole) $("sending-bar").removeAttribute("value");
    else $("sending-bar").value = file.size ? sent / file.size : 0;
  }

  #showBreak(wait, error) {
    $("sending").classList.toggle("broken", wait > 0);
    if (!wait) return;
    this.#current.pace = new Pace();
    this.#detail(`${error.message} Trying again in ${duration(Math.max(1, wait / 1000))}.`);
    this.#announce("The upload is interrupted and will continue by itself.");
  }

  #detail(text) {
    const left = this.#waiting.length ? ` · ${this.#waiting.length} more to send` : "";
    $("sending-detail").textContent = text + left;
  }

  /** Lists uploads of earlier visits. A page gets their files again only when they are chosen again. */
  #showUnfinished() {
    const left = unfinished().filter(({ key }) => key !== this.#current?.upload.key);
    $("unfinished").hidden = left.length === 0;
    $("unfinished-list").replaceChildren(...left.map((upload) => this.#unfinishedRow(upload)));
  }

  #unfinishedRow(upload) {
    const row = $("unfinished-template").content.firstElementChild.cloneNode(true);
    row.querySelector(".name").textContent = upload.name;
    row.querySelector(".detail").textContent = `${amount(upload.sent, upload.size)}`;
    const button = row.querySelector("button");
    button.setAttribute("aria-label", `Forget ${upload.name}`);
    button.addEventListener("click", () => {
      terminate(upload).catch(() => {});
      this.#showUnfinished();
      $("file").focus();
    });
    return row;
  }

  #refuse(text) {
    const several = text && !$("refusal").hidden;
    $("refusal").hidden = !text;
    $("refusal-text").textContent = several ? `${$("refusal-text").textContent} ${text}` : text ?? "";
  }
}

const amount = (sent, size) => `${bytes(sent)} of ${bytes(size)} sent`;
