/** What somebody sees who opens the page: what the service does, a clip to try, and what it takes. */

import { Stage } from "../compare/stage.js";
import { t } from "../languages/language.js";
import { ask } from "../lib/http.js";
import { fillFacts } from "./facts.js";

const $ = (id) => document.getElementById(id);

const SAMPLE = "static/sample/espresso.mp4";
/** Seconds into the sample at which its camera shakes most. */
const SAMPLE_AT = 1;

/** Wires the pictures and the sample. `take(files, options)` takes chosen files. */
export function welcome(take) {
  new Stage($("hero"), $("hero-split"), () => {});
  $("sample").addEventListener("click", () => trySample(take));
}

/** Fills in what the service says of itself. `session` is the answer of /session, or null. */
export async function introduce(session) {
  fillFacts((await ask("limits")).body, session);
}

async function trySample(take) {
  $("sample").disabled = true;
  try {
    const answer = await fetch(SAMPLE);
    if (!answer.ok) throw new Error(String(answer.status));
    const file = new File([await answer.blob()], SAMPLE.split("/").at(-1), { type: "video/mp4", lastModified: 0 });
    take([file], { secondAt: SAMPLE_AT });
  } catch {
    $("sample").textContent = t("start.no_sample");
  } finally {
    $("sample").disabled = false;
  }
}
