/** The time that is left, as people are told it: it only falls, unless the service says why it rises. */

export class Countdown {
  #shown = null; // seconds
  #end = null; // when the service expects the end, in seconds of the clock

  /** Takes what the service expects at the moment `now` (seconds): `left` in seconds, or null where it does not know. */
  update(left, reason, now) {
    if (left === null) this.#shown = null;
    else if (reason && (this.#shown === null || left > this.#shown)) this.#shown = left;
    this.#end = left === null ? null : now + left;
  }

  /** Seconds to show at the moment `now`; null where nothing is known. */
  left(now) {
    if (this.#end === null) return null;
    this.#shown = Math.min(this.#shown ?? Infinity, Math.max(0, this.#end - now));
    return this.#shown;
  }
}
