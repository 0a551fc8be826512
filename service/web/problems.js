/** What went wrong, for people: a sentence by the stable `code`, then the service's own detail. */

const SENTENCES = {
  empty_upload: "The file is empty.",
  upload_too_large: "The file is larger than this service takes.",
  not_a_video: "This is not a video that can be read.",
  no_video_stream: "There are no pictures in this file.",
  damaged_video: "The video is damaged or not complete.",
  frame_size_rejected: "The picture is too small or too large.",
  video_too_long: "The video is longer than this service takes.",
  probe_timeout: "Looking at the video took too long.",
  storage_full: "The service has no room left on its disk. Try again later.",
  upload_not_found: "What was sent is no longer there. Choose the file again.",
  job_not_found: "This job no longer exists.",
  job_state_conflict: "The job has moved on in the meantime.",
  result_expired: "The files of this job were kept for a time and are removed now.",
  frame_not_restored: "This frame is still to be restored.",
  segment_gave_up: "A part of the video stopped the program that restores it, several times.",
  engine_unavailable: "The program that runs the model does not answer. Retry goes on where it stopped.",
  inference_failed: "The model failed on a part of the video.",
  precision_too_low: "The model's pictures are not exact enough on this machine.",
  restoration_failed: "The video could not be restored to its end.",
  fidelity_lost: "The result would lack a part of the original, and this job forbids that.",
  broker_unavailable: "The service is starting or its job list is away. Try again in a moment.",
  storage_unavailable: "The service does not reach its storage. Try again in a moment.",
};

/** The sentence of a problem document, with its detail where that adds something. */
export function explained(problem, status) {
  const detail = problem?.detail || problem?.title;
  const sentence = SENTENCES[problem?.code];
  if (sentence) return detail ? `${sentence} ${detail}` : sentence;
  return detail || `The service answered with an error (HTTP ${status}).`;
}
