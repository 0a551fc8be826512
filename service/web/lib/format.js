/** Makes texts of numbers and states. */

import { decimal, known, language, t } from "../languages/language.js";

const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

const QUALITIES = ["fast", "good", "best"];

/** What a job is at, in a word; one that runs may still wait for its turn. */
export const stateOf = ({ status, progress }) =>
  statusWord(progress?.eta_reason === "waiting_for_turn" && !progress.frames_done ? "queued" : status);

export const statusWord = (status) => (known(`status.${status}`) ? t(`status.${status}`) : status);

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
  if (seconds < 55) return t("count.seconds", { count: Math.max(5, Math.ceil(seconds / 5) * 5) });
  if (seconds < 5400) return t("count.minutes", { count: Math.round(seconds / 60) });
  return t("count.hours", { count: Math.round(seconds / 3600) });
}

export const frames = (count) => t("count.frames", { count });

/** 1300000 -> "1.2 MiB"; `digits` after the decimal separator, if one or two are too exact. */
export function bytes(count, digits = 2) {
  if (count < 1024 * 1024) return `${Math.max(1, Math.round(count / 1024))} KiB`;
  if (count < 1024 ** 3) return `${decimal(count / 1024 ** 2, Math.min(digits, 1))} MiB`;
  return `${decimal(count / 1024 ** 3, digits)} GiB`;
}

/** "640×360, 24 frames, 1.2 MiB". */
export function facts(job) {
  const input = job.input;
  if (!input) return "";
  const turned = input.rotation === 90 || input.rotation === 270;
  const [width, height] = turned ? [input.height, input.width] : [input.width, input.height];
  const partial = job.output?.partial ? `, ${t("facts.partial", { count: job.output.frames })}` : "";
  return `${width}×${height}, ${frames(input.frames)}, ${bytes(input.bytes)}${partial}`;
}

/** The day and time of the service's timestamp, as the reader's clock has it. */
export const moment = (timestamp) => dates.format(new Date(timestamp));

/** "0:02 · 640×360, 24 frames, 1.2 MiB · Good · Nov 30, 2026, 9:09 AM", as far as it is known. */
export function described(job) {
  const length = job.input ? duration(job.input.duration_s) : "";
  return [length, facts(job), restoredWith(job), moment(job.created_at)].filter(Boolean).join(" · ");
}

function restoredWith({ model, options }) {
  return QUALITIES.includes(options.quality) ? t(`choose.${options.quality}`) : t("choose.model", { name: model });
}

/** "12 of 48 frames, 3.1 frames/s, 0:11 left", as far as it is known. */
export function progressText(progress) {
  if (progress.stage === "fetching") return fetched(progress);
  const parts = [];
  const { frames_total: count, frames_done: done, frames_per_second: speed } = progress;
  if (count) parts.push(t("progress.frames", { count, done }));
  if (speed) parts.push(t("progress.speed", { speed: decimal(speed, speed < 10 ? 1 : 0) }));
  if (progress.stage === "waiting_for_space") parts.push(t("progress.no_space"));
  else if (progress.eta_s != null) parts.push(t("progress.left", { time: duration(progress.eta_s) }));
  return parts.join(", ");
}

/** How much of a video that the service fetches by itself has arrived. */
function fetched({ bytes_done: done, bytes_total: total }) {
  if (!done) return t("progress.fetching");
  return total ? t("progress.fetched_of", { done: bytes(done), total: bytes(total) }) : t("progress.fetched", { done: bytes(done) });
}
