/** Choosing, dropping and sending videos, one after the other. */

import { upload } from "./api.js";
import { bytes } from "./format.js";

const $ = (id) => document.getElementById(id);

export class Uploader {
  #waiting = [];
  #current = null;
  #announce;
  #onJob;

  constructor({ announce, onJob }) {
    this.#announce = announce;
    this.#onJob = onJob;
    $("file").addEventListener("change", () => {
      this.#take($("file").files);
      $("file").value = ""; // so that choosing the same file again counts as a change
    });
    $("sending-stop").addEventListener("click", () => this.#current?.stop());
    $("refusal-close").addEventListener("click", () => this.#refuse(null));
    this.#listenForDrops();
    window.addEventListener("beforeunload", (event) => this.#current && event.preventDefault());
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
  }

  async #send(file) {
    this.#show(file, 0);
    this.#current = upload(file, $("model").value, (done) => this.#show(file, done));
    try {
      const job = await this.#current.done;
      this.#announce(`${file.name} was sent and waits for its turn.`);
      this.#onJob(job);
    } catch (error) {
      if (error.code !== "stopped") this.#refuse(`${file.name}: ${error.message}`);
    } finally {
      this.#current = null;
    }
  }

  #show(file, done) {
    const left = this.#waiting.length ? `, ${this.#waiting.length} more to send` : "";
    const sent = done >= file.size && done > 0;
    $("sending").hidden = false;
    $("sending-name").textContent = file.name;
    $("sending-detail").textContent = sent
      ? `sent, being checked${left}`
      : `${bytes(done)} of ${bytes(file.size)} sent${left}`;
    if (sent) $("sending-bar").removeAttribute("value");
    else $("sending-bar").value = file.size ? done / file.size : 0;
  }

  #refuse(text) {
    const several = text && !$("refusal").hidden;
    $("refusal").hidden = !text;
    $("refusal-text").textContent = several ? `${$("refusal-text").textContent} ${text}` : text ?? "";
  }
}
