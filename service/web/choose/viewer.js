/** Plays the chosen video from the local file, and reads from it what the browser can tell. */

import { t } from "../languages/language.js";
import { clock } from "../lib/format.js";

const $ = (id) => document.getElementById(id);

const USUAL_FPS = 30;
const FRAMES_TO_TIME = 8;
const PATIENCE_MS = 2500;

export class Viewer {
  #video = $("local");
  #on;
  #item = null;

  /** `on`: { facts(item), time(seconds), unplayable(item) }. */
  constructor(on) {
    this.#on = on;
    const video = this.#video;
    video.addEventListener("loadedmetadata", () => this.#opened());
    video.addEventListener("error", () => this.#failed());
    for (const event of ["timeupdate", "seeked"]) video.addEventListener(event, () => this.#moved());
    for (const event of ["play", "pause"]) video.addEventListener(event, () => this.#showPlaying());
    $("local-play").addEventListener("click", () => this.toggle());
    $("local-sound").addEventListener("click", () => this.#toggleSound());
    window.addEventListener("hashchange", () => video.pause()); // another part of the page is shown
    const follow = () => {
      if (!video.paused) this.#moved();
      requestAnimationFrame(follow);
    };
    requestAnimationFrame(follow);
  }

  get seconds() {
    return this.#video.currentTime;
  }

  open(item) {
    if (this.#item === item) return;
    this.#item = item;
    $("chosen-view").classList.remove("unplayable");
    $("unplayable").hidden = true;
    this.#video.src = item.url;
    this.play();
  }

  close() {
    this.#item = null;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  play() {
    this.#video.play().catch(() => {}); // the error event says what is wrong
  }

  pause() {
    this.#video.pause();
  }

  toggle() {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  seek(seconds) {
    this.#video.currentTime = seconds;
    this.#on.time(seconds);
  }

  async #opened() {
    const [item, video] = [this.#item, this.#video];
    const { videoWidth: width, videoHeight: height, duration: duration_s } = video;
    if (!width || !Number.isFinite(duration_s) || duration_s <= 0) return this.#failed();
    $("picture").style.setProperty("--ratio", String(width / height));
    item.facts = { width, height, duration_s, fps: item.facts?.fps };
    this.#on.facts(item);
    item.facts.fps ??= await rate(video);
    if (this.#item === item) this.#on.facts(item);
  }

  #failed() {
    if (!this.#item || !this.#video.getAttribute("src")) return;
    $("chosen-view").classList.add("unplayable");
    $("unplayable").hidden = false;
    this.#on.unplayable(this.#item);
  }

  /** Plays the wanted part over and over. */
  #moved() {
    if (!this.#item?.facts) return;
    const { start, end } = this.#item;
    const now = this.#video.currentTime;
    if (!this.#video.paused && end !== null && now >= end) this.#video.currentTime = start;
    $("local-clock").textContent = `${clock(now)} / ${clock(this.#item.facts.duration_s)}`;
    this.#on.time(now);
  }

  #showPlaying() {
    $("local-play").textContent = this.#video.paused ? t("compare.play") : t("compare.pause");
  }

  #toggleSound() {
    this.#video.muted = !this.#video.muted;
    $("local-sound").setAttribute("aria-pressed", String(!this.#video.muted));
  }
}

/** Measures the frame rate, which browsers do not report, from the times of the first frames that are played. */
async function rate(video) {
  if (!video.requestVideoFrameCallback) return USUAL_FPS;
  const times = [];
  await new Promise((resolve) => {
    const look = (_, { mediaTime }) => {
      times.push(mediaTime);
      if (times.length > FRAMES_TO_TIME) resolve();
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    setTimeout(resolve, PATIENCE_MS);
  });
  const steps = times.slice(1).map((time, index) => time - times[index]);
  const shortest = Math.min(...steps.filter((step) => step > 0.001)); // players may skip frames, so the shortest step counts
  return Number.isFinite(shortest) ? Math.min(Math.max(1 / shortest, 1), 240) : USUAL_FPS;
}
