/** Explains errors to people: a sentence for the stable `code`, then the detail that the service gave. */

import { known, t } from "../languages/language.js";

/** Explains a problem document: its sentence, with its detail where there is one. */
export function explained(problem, status) {
  const detail = problem?.detail || problem?.title;
  const key = `problem.${problem?.code}`;
  if (known(key)) return detail ? `${t(key)} ${detail}` : t(key);
  return detail || t("problem.other", { status: String(status) });
}
