/** Explains errors to people: a sentence for the stable `code`, then the detail that the service gave, in English. */

import { known, t } from "../languages/language.js";

/** Codes whose sentence leaves nothing for the detail to tell. */
const WHOLE = new Set([
  "empty_upload",
  "no_video_stream",
  "upload_not_found",
  "job_not_found",
  "result_expired",
  "source_missing",
  "frame_not_restored",
  "intake_closed",
  "internal_error",
]);

/** Explains a problem document: its sentence, with its detail where that tells more. */
export function explained(problem, status) {
  const detail = problem?.detail || problem?.title;
  const key = `problem.${problem?.code}`;
  if (known(key)) return detail && !WHOLE.has(problem.code) ? `${t(key)} ${detail}` : t(key);
  return detail || t("problem.other", { status: String(status) });
}
