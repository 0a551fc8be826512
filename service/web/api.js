/** Calls to the service. Addresses are relative to the page, so that it also works behind a path prefix. */

const DEFAULT_POLL_SECONDS = 2;
const LONGEST_POLL_SECONDS = 30;

/** An answer that is not the one asked for; `message` can be shown to people. `status` 0: no answer at all. */
export class ApiError extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const sourceUrl = (id) => `jobs/${encodeURIComponent(id)}/source`;
export const resultUrl = (id) => `jobs/${encodeURIComponent(id)}/result`;

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
  const { body, answer } = await ask(`jobs/${encodeURIComponent(id)}`);
  const asked = Number(answer.headers.get("Retry-After")) || DEFAULT_POLL_SECONDS;
  return { job: body, pollSeconds: Math.min(asked, LONGEST_POLL_SECONDS) };
}

export const cancel = (id) => ask(`jobs/${encodeURIComponent(id)}/cancel`, "POST");
export const retry = (id) => ask(`jobs/${encodeURIComponent(id)}/retry`, "POST");
export const remove = (id) => ask(`jobs/${encodeURIComponent(id)}`, "DELETE");

/**
 * Send a video; XMLHttpRequest because fetch tells nothing about how much was sent.
 * Returns { done: Promise of the job, stop() }.
 */
export function upload(file, model, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status === 202 && body) resolve(body);
      else reject(problem(request.status, body));
    });
    request.addEventListener("error", () => reject(cutOff()));
    request.addEventListener("abort", () => reject(new ApiError("The upload was stopped.", 0, "stopped")));
    request.open("POST", "jobs");
    request.send(form(file, model));
  });
  return { done, stop: () => request.abort() };
}

/** The options go ahead of the file: the service reads the form as a stream. */
function form(file, model) {
  const data = new FormData();
  if (model) data.append("model", model);
  data.append("video", file, file.name);
  return data;
}

async function ask(path, method = "GET") {
  let answer;
  try {
    answer = await fetch(path, { method, headers: { Accept: "application/json" } });
  } catch {
    throw new ApiError("The service does not answer. Is it still running?", 0, "unreachable");
  }
  const body = parsed(await answer.text());
  if (!answer.ok) throw problem(answer.status, body);
  return { body, answer };
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function problem(status, body) {
  const message = body?.detail || body?.title || `The service answered with an error (HTTP ${status}).`;
  return new ApiError(message, status, body?.code);
}

/** A server that refuses a file early closes the connection, which browsers report like a lost one. */
function cutOff() {
  const message =
    "The upload was cut off. Either the connection was lost, or the service refused the file before " +
    "all of it was sent, for instance because it is too large.";
  return new ApiError(message, 0, "cut_off");
}
