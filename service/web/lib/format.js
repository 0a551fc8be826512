/** Makes texts of numbers and states. */

const STATUS_WORDS = {
  queued: "Waiting",
  running: "Deblurring",
  succeeded: "Done",
  failed: "Failed",
  canceled: "Canceled",
  expired: "Expired",
};

export const statusWord = (status) => STATUS_WORDS[status] ?? status;

/** 75 -> "1:15", 3700 -> "1:01:40". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** 75.34 -> "1:15.3". */
export function clock(seconds) {
  const tenths = Math.max(0, Math.floor(seconds * 10));
  const rest = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  return `${Math.floor(tenths / 600)}:${rest}.${tenths % 10}`;
}

/** "20 seconds", "3 minutes", "2 hours": no more precise than an estimate is. */
export function spoken(seconds) {
  const [unit, count] =
    seconds < 55
      ? ["second", Math.max(5, Math.ceil(seconds / 5) * 5)]
      : seconds < 5400
        ? ["minute", Math.round(seconds / 60)]
        : ["hour", Math.round(seconds / 3600)];
  return plural(count, unit);
}

/** 1 -> "1 frame", 2 -> "2 frames". */
export const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** 1300000 -> "1.2 MiB". */
export function bytes(count) {
  if (count < 1024 * 1024) return `${Math.max(1, Math.round(count / 1024))} KiB`;
  if (count < 1024 ** 3) return `${(count / 1024 ** 2).toFixed(1)} MiB`;
  return `${(count / 1024 ** 3).toFixed(2)} GiB`;
}

/** "640×360, 24 frames, 1.2 MiB". */
export function facts(job) {
  const input = job.input;
  if (!input) return "";
  const turned = input.rotation === 90 || input.rotation === 270;
  const [width, height] = turned ? [input.height, input.width] : [input.width, input.height];
  const partial = job.output?.partial ? `, the first ${job.output.frames} restored` : "";
  return `${width}×${height}, ${plural(input.frames, "frame")}, ${bytes(input.bytes)}${partial}`;
}

/** "12 of 48 frames, 3.1 frames/s, 0:11 left", as far as it is known. */
export function progressText(progress) {
  const parts = [];
  if (progress.frames_total) parts.push(`${progress.frames_done} of ${plural(progress.frames_total, "frame")}`);
  if (progress.frames_per_second) parts.push(`${progress.frames_per_second.toPrecision(2)} frames/s`);
  if (progress.stage === "waiting_for_space") parts.push("waits for space on the disk of the service");
  else if (progress.eta_s != null) parts.push(`${duration(progress.eta_s)} left`);
  return parts.join(", ");
}
