/** Shows before and after by turns in the same place, without the divider. */

const HELD_MS = 300; // a key that is down for longer flickers back when it is let go

export class Flicker {
  #views;
  #began = 0; // when the key went down, in milliseconds

  /** `views`: what has a `view`. */
  constructor(views) {
    this.#views = views;
  }

  press() {
    this.#began = performance.now();
    this.#turn();
  }

  release() {
    if (performance.now() - this.#began > HELD_MS) this.#turn();
  }

  #turn() {
    this.#views.view = this.#views.view === "before" ? "after" : "before";
  }
}
