/**
 * What the page shows, kept in its address after "#", so that links, reloading and the back button work:
 * nothing for the start, `#job/<id>` for a job.
 */

const JOB = /^#job\/([\w-]+)$/;

/** The id of the job that is shown; null at the start. */
export const shownJob = () => JOB.exec(location.hash)?.[1] ?? null;

/** The link that opens a job. */
export const jobLink = (id) => `#job/${id}`;

export function showJob(id) {
  location.hash = jobLink(id);
}

/** Goes to the start; a job that was opened from there is left as by the back button. */
export function showStart() {
  if (shownJob()) location.hash = "";
}

/** Calls `handler(id or null)` now and whenever another part is shown. */
export function onRoute(handler) {
  const report = () => handler(shownJob());
  window.addEventListener("hashchange", report);
  report();
}
