/** The calls of the HTTP API that the page makes. */

import { ask, fetchFile } from "./http.js";

const DEFAULT_POLL_SECONDS = 2;
const LONGEST_POLL_SECONDS = 30;

const path = (id, part = "") => `jobs/${encodeURIComponent(id)}${part}`;

export const sourceUrl = (id) => path(id, "/source");
export const resultUrl = (id) => path(id, "/result");
export const sideBySideUrl = (id) => path(id, "/side-by-side.mp4");
export const eventsUrl = (id) => path(id, "/events");
/** A picture of the video, `width` pixels long, and a strip of ten side by side. */
export const posterUrl = (id, width = 320) => path(id, `/poster.jpg?width=${width}`);
export const stripUrl = (id) => path(id, "/strip.jpg");

/** What can restore a video: { models, qualities }. */
export async function models() {
  return (await ask("models")).body;
}

/** One page of jobs, newest first: { jobs, next_cursor }. `filter`: { status, name, preview, limit, cursor }. */
export async function jobs(filter = {}, signal) {
  return (await ask(`jobs?${new URLSearchParams({ limit: 50, ...filter })}`, { signal })).body;
}

/** A job, and the seconds to wait before it is asked for again. */
export async function job(id) {
  const { body, headers } = await ask(path(id));
  const wanted = Number(headers.get("Retry-After")) || DEFAULT_POLL_SECONDS;
  return { job: body, pollSeconds: Math.min(wanted, LONGEST_POLL_SECONDS) };
}

export const cancel = (id) => ask(path(id, "/cancel"), { method: "POST" });
export const retry = (id) => ask(path(id, "/retry"), { method: "POST" });
export const remove = (id) => ask(path(id), { method: "DELETE" });

/** Values per frame: { before, after, prior, frames_total, frames_measured, ... }. */
export async function sharpness(id, signal) {
  return (await ask(path(id, "/sharpness"), { signal })).body;
}

/** Seconds at which each frame appears: { source, result }. */
export async function frames(id, signal) {
  return (await ask(path(id, "/frames"), { signal })).body;
}

/** The address of a frame as a picture; `view` is before, after, side or prior. */
export const previewUrl = (id, frame, view) => `${path(id, "/preview")}/${frame}.jpg?view=${view}`;

/** A frame as a picture: a Blob. */
export const picture = async (id, frame, view, signal) => (await fetchFile(previewUrl(id, frame, view), signal)).body;

/** The picture that stands for the video, as large as previews are: a Blob. */
export const poster = async (id, signal) => (await fetchFile(posterUrl(id, 1280), signal)).body;

/** How far the video of before beside after is: { fraction, pollSeconds }; a fraction of null is all of it. */
export async function sideBySide(id, signal) {
  const head = await ask(sideBySideUrl(id), { method: "HEAD", signal }).catch(() => null); // a GET loads the video
  if (head && head.status !== 202) return { fraction: null };
  const { body, headers, status } = await ask(sideBySideUrl(id), { headers: { Range: "bytes=0-0" }, signal });
  return { fraction: status === 202 ? body.fraction : 1, pollSeconds: Number(headers.get("Retry-After")) || DEFAULT_POLL_SECONDS };
}

/** A restored frame in full size, before beside after, without loss: a Blob. */
export const still = async (id, frame) => (await fetchFile(`${path(id, "/preview")}/${frame}.png?view=side`)).body;

/** The newest restored frame of a running job: { frame, blob }. */
export async function newestPicture(id, signal) {
  const { body, headers } = await fetchFile(previewUrl(id, "newest", "after"), signal);
  return { frame: Number(/(\d+)\.jpg/.exec(headers.get("Content-Location"))[1]), blob: body };
}

/** How many other jobs are not done yet, of those that this caller may see; 100 of each state at most. */
export async function othersUnfinished(id) {
  const pages = await Promise.all(["queued", "running"].map((status) => jobs({ status, limit: 100 })));
  const ids = new Set(pages.flatMap((page) => page.jobs.map((job) => job.id)));
  ids.delete(id);
  return ids.size;
}

/** What a video would take: `video` is { width, height, duration_s, fps, bytes, quality, model }. */
export async function estimate(video) {
  const headers = { "Content-Type": "application/json" };
  return (await ask("estimates", { method: "POST", headers, body: JSON.stringify(video) })).body;
}

/** Makes a job; `fields` are its options and `upload` or `source`. With a key it is one job, however often this is called. */
export async function submit(fields, key) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const headers = key ? { "Idempotency-Key": key } : {};
  return (await ask("jobs", { method: "POST", headers, body })).body;
}

/** Makes a job of the video of another one. */
export const submitAgain = (source, options) => submit({ ...options, source });
