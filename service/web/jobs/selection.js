/** The bar that acts on several jobs at once; it shows while any is selected. */

import { t } from "../languages/language.js";
import { ACTIONS } from "./states.js";

const $ = (id) => document.getElementById(id);

export class Selection {
  #ids = new Set();
  #rows;

  /** `rows`: ids -> { element, job } of what is shown. `onAct(action, jobs)` does it. */
  constructor(rows, onAct) {
    this.#rows = rows;
    $("selected-actions").addEventListener("click", (event) => {
      const action = event.target.closest("[data-all]")?.dataset.all;
      if (action) onAct(action, this.#allowing(action));
    });
    $("select-all").addEventListener("change", () => this.#selectAll($("select-all").checked));
    $("selected-clear").addEventListener("click", () => this.#selectAll(false));
  }

  set(id, chosen) {
    if (chosen) this.#ids.add(id);
    else this.#ids.delete(id);
    this.draw();
  }

  /** Shows what the selected jobs allow now; call it when jobs change or go. */
  draw() {
    for (const id of this.#ids) if (!this.#rows.has(id)) this.#ids.delete(id);
    $("selected").hidden = this.#rows.size === 0;
    $("selected-actions").hidden = this.#ids.size === 0;
    $("selected-count").textContent = this.#ids.size ? t("list.selected", { count: this.#ids.size }) : t("list.select_all");
    $("select-all").checked = this.#ids.size > 0 && this.#ids.size === this.#rows.size;
    $("select-all").indeterminate = this.#ids.size > 0 && this.#ids.size < this.#rows.size;
    for (const button of $("selected-actions").querySelectorAll("[data-all]")) {
      button.disabled = this.#allowing(button.dataset.all).length === 0;
    }
  }

  #allowing(action) {
    return [...this.#ids].map((id) => this.#rows.get(id)?.job).filter((job) => job && ACTIONS[action](job));
  }

  #selectAll(chosen) {
    for (const [id, { element }] of this.#rows) {
      element.querySelector('[data-part="select"]').checked = chosen;
      if (chosen) this.#ids.add(id);
    }
    if (!chosen) this.#ids.clear();
    this.draw();
  }
}
