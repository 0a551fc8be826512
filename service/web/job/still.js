/** Saves single frames as files. */

import { picture } from "../lib/api.js";

/** Saves a frame, before beside after. */
export async function saveStill(job, frame) {
  const blob = await picture(job.id, frame, "side");
  const stem = job.input.filename.replace(/\.[^.]+$/, "");
  save(blob, `${stem}_${frame + 1}.${blob.type === "image/png" ? "png" : "jpg"}`);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may ask first where to save it
}
