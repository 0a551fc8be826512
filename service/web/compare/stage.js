/** Handles pointers on the pictures: the divider, zoom by wheel and pinch, and moving a zoomed picture. */

import { t } from "../languages/language.js";

const LARGEST = 12; // times the whole picture; more where single pixels would still be small
const LARGEST_PIXEL = 8;
const STEP = 1.5;
const SQUARES_FROM = 4; // pixels of the page for one of the video: from there on they are drawn as squares
const REACH = 28; // pixels beside the divider at which a pointer still takes hold of it

export class Stage {
  #element;
  #split;
  #scale = 1;
  #width = 0; // of the video, in pixels
  #x = 0; // left and top edge of the picture, in shares of the stage
  #y = 0;
  #pointers = new Map(); // id -> [x, y] in shares of the stage
  #dragging = null; // "divider" or "picture"
  #onZoom;

  constructor(element, split, onZoom) {
    [this.#element, this.#split, this.#onZoom] = [element, split, onZoom];
    split.addEventListener("input", () => this.#drawSplit());
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, (event) => this.#pointers.delete(event.pointerId));
    }
    this.reset();
    this.#drawSplit();
  }

  /** Takes the size of the video, in pixels. */
  set size([width, height]) {
    if (!width || !height) return;
    this.#width = width;
    this.#element.style.setProperty("--ratio", String(width / height));
    this.#element.style.setProperty("--natural", `${width}px`);
  }

  /** The address of a small picture that stands in until there is a better one; null for none. */
  set poster(address) {
    this.#element.style.backgroundImage = address ? `url("${address}")` : "none";
  }

  /** Shows "both" with the divider, "before" or "after" alone, or the "prior" in place of what is after. */
  set view(view) {
    const alone = view === "before" || view === "after";
    if (alone && document.activeElement === this.#split) this.#element.focus({ preventScroll: true }); // keys go on
    this.#element.dataset.view = view;
    this.#split.disabled = alone;
  }

  reset() {
    this.#zoomTo(1, [0.5, 0.5]);
  }

  zoom(steps, at = [0.5, 0.5]) {
    this.#zoomTo(this.#scale * STEP ** steps, at);
  }

  /** One pixel of the video on one of the screen; twice as large each time where that is less than the zoom now. */
  pixels() {
    const natural = this.#width / (this.#element.clientWidth * devicePixelRatio);
    let scale = natural;
    while (scale <= this.#scale * 1.01) scale *= 2;
    this.#zoomTo(scale > this.#largest ? Math.max(natural, 1) : scale, [0.5, 0.5]);
  }

  get #largest() {
    return Math.max(LARGEST, (LARGEST_PIXEL * this.#width) / (this.#element.clientWidth || 1));
  }

  /** Moves the picture by shares of the stage. */
  pan(x, y) {
    this.#place(this.#x + x, this.#y + y);
  }

  #wheel(event) {
    // The wheel scrolls the page, unless the pictures have the focus, are zoomed, or a key is held down.
    const zooms = event.ctrlKey || event.metaKey || this.#scale > 1 || this.#element.contains(document.activeElement);
    if (!zooms || (this.#scale === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
    this.zoom(-Math.min(Math.max(pixels, -150), 150) / 150, this.#at(event));
  }

  #down(event) {
    if (event.button !== 0) return;
    const at = this.#at(event);
    this.#pointers.set(event.pointerId, at);
    this.#element.setPointerCapture(event.pointerId);
    this.#dragging = this.#takesDivider(at) ? "divider" : "picture";
    this.#split.focus({ preventScroll: true });
    if (event.pointerType !== "touch") event.preventDefault(); // selects nothing; touches may still scroll the page
    if (this.#dragging === "divider" && this.#pointers.size === 1) this.#divide(at);
  }

  #takesDivider([x]) {
    if (this.#split.disabled) return false;
    const distance = Math.abs(x - this.#split.valueAsNumber / 100) * this.#element.clientWidth;
    return this.#scale === 1 || distance < REACH;
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (this.#dragging === "divider") this.#divide(now);
    else this.pan(now[0] - before[0], now[1] - before[1]);
    this.#pointers.set(event.pointerId, now);
  }

  #pinch(id, before, now) {
    const [, other] = [...this.#pointers].find(([pointer]) => pointer !== id);
    const distance = ([x, y]) =>
      Math.hypot((x - other[0]) * this.#element.clientWidth, (y - other[1]) * this.#element.clientHeight);
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.#zoomTo(this.#scale * (distance(now) / Math.max(distance(before), 1)), middle);
    this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  }

  #divide([x]) {
    this.#split.value = String(Math.min(Math.max(x, 0), 1) * 100);
    this.#split.dispatchEvent(new Event("input"));
  }

  #at(event) {
    const box = this.#element.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** Zooms around `at`: the point of the picture that lies there stays there. */
  #zoomTo(scale, [atX, atY]) {
    const wanted = Math.min(Math.max(scale, 1), this.#largest);
    const next = wanted < 1.02 ? 1 : wanted;
    const grown = next / this.#scale;
    this.#scale = next;
    this.#place(atX - (atX - this.#x) * grown, atY - (atY - this.#y) * grown);
    this.#element.classList.toggle("zoomed", next > 1);
    const pixel = (next * this.#element.clientWidth) / (this.#width || Infinity);
    this.#element.classList.toggle("pixels", next > 1 && pixel >= SQUARES_FROM);
    this.#onZoom(next);
  }

  /** Moves the picture to `x`, `y`, but no further than it still covers the stage. */
  #place(x, y) {
    const least = 1 - this.#scale;
    this.#x = Math.min(Math.max(x, least), 0);
    this.#y = Math.min(Math.max(y, least), 0);
    const style = this.#element.style;
    style.setProperty("--zoom", String(this.#scale));
    style.setProperty("--x", `${this.#x * 100}%`);
    style.setProperty("--y", `${this.#y * 100}%`);
  }

  #drawSplit() {
    const percent = this.#split.valueAsNumber;
    this.#element.style.setProperty("--split", `${percent}%`);
    this.#split.setAttribute("aria-valuetext", t("compare.split", { percent: Math.round(percent) }));
  }
}
