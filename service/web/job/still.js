/** Saves single frames as files. */

import { still } from "../lib/api.js";

/** Saves a frame, before beside after. */
export async function saveStill(job, frame) {
  const blob = await still(job.id, frame);
  const stem = job.input.filename.replace(/\.[^.]+$/, "");
  save(blob, `${stem}_${frame + 1}.png`);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may ask first where to save it
}
