/** What can be told of a job from its description. */

const FINAL = new Set(["succeeded", "failed", "canceled", "expired"]);

export const isOver = (job) => FINAL.has(job.status);

/** A canceled job may have the beginning of a result. */
export const hasResult = (job) => job.output != null && job.status !== "expired";

/** What the job is called: by the name of its file, which its address tells while its video is still fetched. */
export const nameOf = (job) => job.filename;

/** Width and height of the picture as players show it, in pixels. */
export function upright(input) {
  const turned = input.rotation === 90 || input.rotation === 270;
  return turned ? [input.height, input.width] : [input.width, input.height];
}
