/** What can be done with a job in each of its states. */

import { hasResult, isOver } from "../lib/job.js";

export const STATUSES = ["queued", "running", "succeeded", "failed", "canceled", "expired"];

/** Name of each action -> whether the job allows it. */
export const ACTIONS = {
  download: hasResult,
  cancel: (job) => !isOver(job),
  retry: (job) => job.status === "failed" || job.status === "canceled",
  delete: () => true,
};
