/** The choice of how the result is encoded. */

const $ = (id) => document.getElementById(id);

const CHOICES = [
  ["", "As the upload"],
  ["codec=h264&container=mp4", "H.264 in MP4: plays everywhere"],
  ["codec=hevc", "HEVC: small, ten bits"],
  ["codec=av1", "AV1: smallest, for the web"],
  ["codec=prores", "ProRes: for editing"],
  ["codec=ffv1", "FFV1: without loss"],
];
const REMEMBERED = "cdvd-output";

/** Fills the list, and remembers what was chosen last. */
export function offerOutputs() {
  $("output").replaceChildren(...CHOICES.map(([value, words]) => new Option(words, value)));
  const last = localStorage.getItem(REMEMBERED);
  if (CHOICES.some(([value]) => value === last)) $("output").value = last;
  $("output").addEventListener("change", () => localStorage.setItem(REMEMBERED, $("output").value));
}

/** The options of POST /jobs that were chosen. */
export function chosenOutput() {
  return Object.fromEntries(new URLSearchParams($("output").value));
}
