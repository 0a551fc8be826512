/** Says which files the service did not take, and why. */

const $ = (id) => document.getElementById(id);

$("refusal-close").addEventListener("click", clearRefusal);

/** Adds a sentence to those that are shown. */
export function refuse(text) {
  $("refusal-text").textContent = $("refusal").hidden ? text : `${$("refusal-text").textContent} ${text}`;
  $("refusal").hidden = false;
}

export function clearRefusal() {
  $("refusal").hidden = true;
}
