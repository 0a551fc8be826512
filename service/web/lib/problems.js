/** Explains errors to people: a sentence for the stable `code`, then the detail that the service gave. */

const SENTENCES = {
  empty_upload: "The file is empty.",
  upload_too_large: "The file is larger than this service takes.",
  not_a_video: "This is not a video that can be read.",
  no_video_stream: "There are no pictures in this file.",
  damaged_video: "The video is damaged or not complete.",
  frame_size_rejected: "The picture is too small or too large.",
  video_too_long: "The video is longer than this service takes.",
  probe_timeout: "Looking at the video took too long.",
  storage_full: "The service has no room left on its disk.",
  upload_not_found: "The upload is no longer there. Choose the file again.",
  job_not_found: "This job no longer exists.",
  job_state_conflict: "The job has changed in the meantime.",
  result_expired: "The files of this job have been removed, since their time was over.",
  frame_not_restored: "This frame is not restored yet.",
  segment_gave_up: "A part of the video made the program that restores it crash several times.",
  engine_unavailable: "The program that runs the model does not answer. Retry continues where the job stopped.",
  inference_failed: "The model failed on a part of the video.",
  precision_too_low: "The model's pictures are not exact enough on this machine.",
  restoration_failed: "The video could not be restored to its end.",
  fidelity_lost: "The result would lack a part of the original, and this job forbids that.",
  broker_unavailable: "The service cannot reach its list of jobs. Try again in a moment.",
  storage_unavailable: "The service cannot reach its storage. Try again in a moment.",
};

/** Explains a problem document: its sentence, with its detail where there is one. */
export function explained(problem, status) {
  const detail = problem?.detail || problem?.title;
  const sentence = SENTENCES[problem?.code];
  if (sentence) return detail ? `${sentence} ${detail}` : sentence;
  return detail || `The service answered with an error (HTTP ${status}).`;
}
