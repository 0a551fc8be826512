/** Shows an element on the whole screen, and on a button whether it is. */

export class FullScreen {
  #element;

  constructor(element, button) {
    this.#element = element;
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener("click", () => this.toggle());
    document.addEventListener("fullscreenchange", () => button.setAttribute("aria-pressed", String(this.on)));
  }

  get on() {
    return document.fullscreenElement === this.#element;
  }

  async toggle() {
    if (this.on) return this.leave();
    if (document.fullscreenEnabled && this.#element.checkVisibility()) await this.#element.requestFullscreen();
  }

  async leave() {
    if (this.on) await document.exitFullscreen();
  }
}
