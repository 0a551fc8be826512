/** Sends requests to the service and reads their answers. Addresses are relative to the page. */

import { t } from "../languages/language.js";
import { explained } from "./problems.js";

const SILENCE_MS = 60_000; // a connection that moves nothing for so long is given up

/** An answer that is not the one asked for; `message` can be shown to people. `status` 0 means no answer at all. */
export class ApiError extends Error {
  constructor(message, status, code, retryAfter = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter; // seconds
  }
}

/** Sends a request and reads its JSON answer: { body, headers, status }. Throws ApiError, and AbortError for `signal`. */
export async function ask(address, { method = "GET", headers = {}, body, signal } = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers }, body, signal };
  const { answer, content } = await read(address, options, async (answer) => parsed(await answer.text()));
  return { body: content, headers: answer.headers, status: answer.status };
}

/** Loads a file: { body, headers, status }, whose body is a Blob. Throws as `ask` does. */
export async function fetchFile(address, signal) {
  const { answer, content } = await read(address, { signal }, (answer) => answer.blob());
  return { body: content, headers: answer.headers, status: answer.status };
}

async function read(address, options, reading) {
  let answer, content;
  try {
    answer = await fetch(address, options);
    content = answer.ok ? await reading(answer) : parsed(await answer.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("problem.unreachable"), 0, "unreachable");
  }
  if (answer.status === 401) location.reload(); // the session has ended: the page asks for a key when it opens
  if (!answer.ok) throw problem(answer.status, content, answer.headers.get("Retry-After"));
  return { answer, content };
}

/**
 * Sends bytes with PATCH. Uses XMLHttpRequest, because fetch does not report how much was sent. Resolves with a
 * function that returns a header of the answer. Throws like `ask`.
 */
export function patch(address, bytes, headers, { onProgress, signal }) {
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  let silence;
  const restartSilence = () => {
    clearTimeout(silence);
    silence = setTimeout(stop, SILENCE_MS);
  };
  return new Promise((resolve, reject) => {
    const lost = () => reject(new ApiError(t("problem.lost"), 0, "unreachable"));
    request.upload.addEventListener("progress", (event) => {
      restartSilence();
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
    restartSilence();
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
