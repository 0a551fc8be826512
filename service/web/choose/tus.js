/**
 * Sends resumable uploads by the protocol tus 1.0 (https://tus.io/protocols/resumable-upload).
 *
 * After every break it asks the service how many bytes have arrived, and sends the rest. The browser keeps the id of an
 * upload under the file's name, size and date, so that the same file continues after the page was closed.
 */

import { ApiError, ask, patch } from "../lib/http.js";

const TUS = { "Tus-Resumable": "1.0.0" };
const BYTES = { ...TUS, "Content-Type": "application/offset+octet-stream" };
/** Bytes per request: proxies limit bodies, and a lost connection locks the upload for one chunk at most. */
const CHUNK = 32 * 1024 * 1024;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const PREFIX = "cdvd-upload:";

/** Statuses worth another try: no answer, the offset or lock of a broken request, busy or unavailable. */
const PASSING = new Set([0, 409, 423, 429, 460, 500, 502, 503, 504]);

export const isPassing = (error) => error instanceof ApiError && PASSING.has(error.status);

/** Uploads that this browser began and did not finish: [{ key, id, name, size, sent }]. */
export function unfinished() {
  return keys()
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => ({ key, ...recall(key) }))
    .filter((upload) => upload.id);
}

/** Forgets an upload and has the service remove its bytes. */
export async function terminate({ key, id }) {
  localStorage.removeItem(key);
  if (id) await ask(address(id), { method: "DELETE", headers: TUS });
}

/** Uploads one file. `on`: { progress(bytes), waiting(milliseconds or 0, error) }. */
export class TusUpload {
  #file;
  #on;
  #id = null;
  #offset = 0;

  constructor(file, on) {
    this.#file = file;
    this.#on = on;
    this.key = `${PREFIX}${file.name}:${file.size}:${file.lastModified}`;
    this.#id = recall(this.key)?.id ?? null;
  }

  get id() {
    return this.#id;
  }

  /** Sends all bytes that are missing; resolves with the id of the complete upload. */
  async send(signal) {
    await persistently(() => this.#attempt(signal), signal, this.#on.waiting);
    return this.#id;
  }

  forget() {
    localStorage.removeItem(this.key);
  }

  async #attempt(signal) {
    const began = this.#offset;
    try {
      if (!(await this.#locate(signal))) await this.#create(signal);
      while (this.#offset < this.#file.size) await this.#sendChunk(signal);
    } catch (error) {
      error.moved = this.#offset > began; // after progress, the next wait is short again
      throw error;
    }
  }

  /** Asks for the offset; resolves with whether the service still has this upload. */
  async #locate(signal) {
    if (!this.#id) return false;
    try {
      const { headers } = await ask(address(this.#id), { method: "HEAD", headers: TUS, signal });
      this.#advance(Number(headers.get("Upload-Offset")));
      return true;
    } catch (error) {
      if (error.status !== 404 && error.status !== 410) throw error;
      this.forget();
      return false;
    }
  }

  async #create(signal) {
    const headers = {
      ...TUS,
      "Upload-Length": String(this.#file.size),
      "Upload-Metadata": `filename ${base64(this.#file.name)}`,
    };
    const answer = await ask("uploads", { method: "POST", headers, signal });
    this.#id = answer.headers.get("Location").split("/").at(-1);
    this.#advance(0);
  }

  async #sendChunk(signal) {
    const begin = this.#offset;
    const header = await patch(
      address(this.#id),
      this.#file.slice(begin, begin + CHUNK),
      { ...BYTES, "Upload-Offset": String(begin) },
      { signal, onProgress: (sent) => this.#on.progress(begin + sent) },
    );
    this.#advance(Number(header("Upload-Offset")));
  }

  #advance(offset) {
    this.#offset = offset;
    const { name, size } = this.#file;
    remember(this.key, { id: this.#id, name, size, sent: offset });
    this.#on.progress(offset);
  }
}

/** Runs `work` until it succeeds, fails for good, or `signal` stops it. The waits grow, with jitter. */
export async function persistently(work, signal, onWaiting) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (error.moved) failures = 0;
      const grown = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
      const wait = Math.max(grown, error.retryAfter * 1000);
      onWaiting(wait, error);
      await pause(wait, signal);
      onWaiting(0);
    }
  }
}

/** Waits, but not longer than until the network is back. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(new DOMException("stopped", "AbortError"));
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    window.addEventListener("online", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

const address = (id) => `uploads/${encodeURIComponent(id)}`;

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

/** Some private windows have no storage: uploads then survive breaks, but not a reload. */
function remember(key, upload) {
  try {
    localStorage.setItem(key, JSON.stringify(upload));
  } catch {
    return;
  }
}
