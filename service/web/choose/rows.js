/** Draws the videos that were chosen, in the order in which they are sent and deblurred. */

import { t } from "../languages/language.js";
import { bytes } from "../lib/format.js";

const $ = (id) => document.getElementById(id);
const part = (element, name) => element.querySelector(`[data-part="${name}"]`);

export class Rows {
  #elements = new Map(); // item -> its element
  #on;

  /** `on`: { view(item), earlier(item), remove(item) }. */
  constructor(on) {
    this.#on = on;
  }

  /** Shows `items`; `viewed` is the one whose pictures are shown. */
  draw(items, viewed) {
    for (const item of this.#elements.keys()) if (!items.includes(item)) this.#elements.delete(item);
    const elements = items.map((item) => this.#element(item));
    const shown = [...$("chosen").children];
    if (elements.length !== shown.length || elements.some((one, index) => one !== shown[index])) {
      $("chosen").replaceChildren(...elements);
    }
    items.forEach((item, index) => {
      const element = this.#element(item);
      part(element, "view").setAttribute("aria-pressed", String(item === viewed));
      part(element, "earlier").hidden = index === 0;
      this.follow(item);
    });
    $("chosen").classList.toggle("several", items.length > 1);
  }

  /** Shows how far the upload of an item is. */
  follow(item) {
    const element = this.#elements.get(item);
    if (!element) return;
    const { state, text, share } = item.sending;
    element.dataset.state = state;
    part(element, "bar").value = share;
    part(element, "detail").textContent = state === "whole" && item.wanted ? t("choose.checked") : text;
    part(element, "pause").hidden = state === "whole";
    this.#namePause(part(element, "pause"), state === "paused", item.file.name);
  }

  #namePause(button, paused, name) {
    button.textContent = paused ? t("choose.resume") : t("choose.pause");
    button.setAttribute("aria-label", paused ? t("choose.resume_name", { name }) : t("choose.pause_name", { name }));
  }

  #element(item) {
    let element = this.#elements.get(item);
    if (!element) this.#elements.set(item, (element = this.#build(item)));
    return element;
  }

  #build(item) {
    const element = $("chosen-template").content.firstElementChild.cloneNode(true);
    const { name, size } = item.file;
    part(element, "view").textContent = name;
    part(element, "size").textContent = bytes(size);
    part(element, "bar").setAttribute("aria-label", t("choose.progress_of", { name }));
    part(element, "earlier").setAttribute("aria-label", t("choose.earlier_name", { name }));
    part(element, "remove").setAttribute("aria-label", t("choose.remove_name", { name }));
    part(element, "view").addEventListener("click", () => this.#on.view(item));
    part(element, "earlier").addEventListener("click", () => this.#on.earlier(item));
    part(element, "pause").addEventListener("click", () => item.sending.togglePause());
    part(element, "remove").addEventListener("click", () => this.#on.remove(item));
    return element;
  }
}
