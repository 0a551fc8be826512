/** Shows one frame before and after, as pictures from the service: until there is a video, or where it cannot be played. */

import { previewUrl } from "../lib/api.js";

const VIEWS = ["before", "after"];
const image = (view) => document.getElementById(`still-${view}`);

/** Shows a frame of a job, or its "newest"; resolves with whether it did. */
export async function showStill(job, frame) {
  const answers = await Promise.all(VIEWS.map((view) => fetch(previewUrl(job, frame, view)).catch(() => null)));
  if (!answers.every((answer) => answer?.ok)) return false;
  const [before, after] = answers.map((answer) => answer.headers.get("Content-Location")?.split("?")[0]);
  if (before !== after) return false; // another frame became the newest in between
  const blobs = await Promise.all(answers.map((answer) => answer.blob()));
  VIEWS.forEach((view, index) => replace(image(view), blobs[index]));
  return true;
}

export function hideStill() {
  VIEWS.forEach((view) => replace(image(view), null));
}

/** The width of the picture for each unit of its height. */
export const stillRatio = () => image("before").naturalWidth / image("before").naturalHeight;

function replace(element, blob) {
  if (element.src) URL.revokeObjectURL(element.src);
  element.hidden = !blob;
  if (blob) element.src = URL.createObjectURL(blob);
  else element.removeAttribute("src");
}
