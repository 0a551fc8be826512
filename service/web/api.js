/** Calls to the service. Addresses are relative to the page, so that it also works behind a path prefix. */

import { explained } from "./problems.js";

const DEFAULT_POLL_SECONDS = 2;
const LONGEST_POLL_SECONDS = 30;
const SILENCE_MS = 60_000; // a connection that moves nothing for so long is as good as lost

/** An answer that is not the one asked for; `message` can be shown to people. `status` 0: no answer at all. */
export class ApiError extends Error {
  constructor(message, status, code, retryAfter = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter; // seconds
  }
}

const path = (id, part = "") => `jobs/${encodeURIComponent(id)}${part}`;

export const sourceUrl = (id) => path(id, "/source");
export const resultUrl = (id) => path(id, "/result");

export async function models() {
  return (await ask("models")).body.models;
}

/** One page of jobs, newest first: { jobs, next_cursor }. */
export async function jobs(cursor) {
  const query = new URLSearchParams({ limit: 20, ...(cursor ? { cursor } : {}) });
  return (await ask(`jobs?${query}`)).body;
}

/** A job and the seconds to wait before asking again. */
export async function job(id) {
  const { body, headers } = await ask(path(id));
  const asked = Number(headers.get("Retry-After")) || DEFAULT_POLL_SECONDS;
  return { job: body, pollSeconds: Math.min(asked, LONGEST_POLL_SECONDS) };
}

export const cancel = (id) => ask(path(id, "/cancel"), { method: "POST" });
export const retry = (id) => ask(path(id, "/retry"), { method: "POST" });
export const remove = (id) => ask(path(id), { method: "DELETE" });

/** Values per frame: { before, after, prior, frames_total, frames_measured, ... }. */
export async function sharpness(id, signal) {
  return (await ask(path(id, "/sharpness"), { signal })).body;
}

/** A frame as a picture; `view` is before, after, side or prior. */
export const previewUrl = (id, frame, view) => `${path(id, "/preview")}/${frame}.jpg?view=${view}`;

/** Bytes of a file from `begin` to `end`, both included, as a DataView. */
export async function range(url, begin, end, signal) {
  const { body } = await ask(url, { headers: { Range: `bytes=${begin}-${end}` }, signal, as: "blob" });
  return new DataView(await body.slice(0, end - begin + 1).arrayBuffer());
}

/** What a video would take: `video` is { width, height, duration_s, fps, bytes, model }. */
export async function estimate(video) {
  const headers = { "Content-Type": "application/json" };
  return (await ask("estimates", { method: "POST", headers, body: JSON.stringify(video) })).body;
}

/** A job of a complete upload. The upload's id makes it one job, however often this is asked for. */
export async function submit(upload, model) {
  const form = new FormData();
  if (model) form.append("model", model);
  form.append("upload", upload);
  return (await ask("jobs", { method: "POST", headers: { "Idempotency-Key": upload }, body: form })).body;
}

/** Ask and read the answer: { body, headers, status }. Raises ApiError, and AbortError for `signal`. */
export async function ask(address, { method = "GET", headers = {}, body, signal, as = "json" } = {}) {
  let answer, content;
  try {
    answer = await fetch(address, {
      method,
      headers: { Accept: "application/json", ...headers },
      body,
      signal,
    });
    content = answer.ok && as === "blob" ? await answer.blob() : parsed(await answer.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The service does not answer. Is it still running?", 0, "unreachable");
  }
  if (answer.status === 401) location.reload(); // the session is over: the page asks for a key as it opens
  if (!answer.ok) throw problem(answer.status, content, answer.headers.get("Retry-After"));
  return { body: content, headers: answer.headers, status: answer.status };
}

/**
 * PATCH bytes; XMLHttpRequest because fetch tells nothing about how much was sent. Resolves with a function that
 * gives a header of the answer. Raises like `ask`.
 */
export function patch(address, bytes, headers, { onProgress, signal }) {
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(stop, SILENCE_MS);
  };
  return new Promise((resolve, reject) => {
    const lost = () => reject(new ApiError("The connection was lost.", 0, "unreachable"));
    request.upload.addEventListener("progress", (event) => {
      heard();
      onProgress(event.loaded);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve((name) => request.getResponseHeader(name));
      else reject(problem(request.status, parsed(request.responseText), request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", lost);
    request.addEventListener("abort", () =>
      signal.aborted ? reject(new DOMException("stopped", "AbortError")) : lost(),
    );
    signal.addEventListener("abort", stop);
    request.open("PATCH", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    heard();
    request.send(bytes);
  }).finally(() => {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
  });
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function problem(status, body, retryAfter) {
  return new ApiError(explained(body, status), status, body?.code, Number(retryAfter) || 0);
}
