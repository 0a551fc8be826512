/* Sends the chosen video straight to the deblurring service, follows its job and offers the result.

   The page's own server is asked for a token alone; no byte of the video passes through it. */

const shown = (id) => document.getElementById(id);
const tell = (text, fraction) => {
  shown("state").textContent = text;
  if (fraction === undefined) shown("bar").removeAttribute("value");
  else shown("bar").value = fraction;
};
const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

shown("video").addEventListener("change", async (event) => {
  const input = event.target;
  input.disabled = true;
  try {
    await deblur(input.files[0]);
  } catch (error) {
    tell(`That did not work: ${error.message}`, 0);
  }
  input.disabled = false;
});

async function deblur(file) {
  shown("result").hidden = true;
  const { service, token } = await (await taken(await fetch("/token", { method: "POST" }))).json();
  const headers = { Authorization: `Bearer ${token}` };
  const upload = await sent(file, `${service}/uploads`, headers);
  const job = await submitted(service, upload, headers);
  await ended(job, headers);
  await offer(`${job}/result`, headers);
  tell("Done.", 1);
}

/* Resolves to the id of the upload. What a broken connection left goes on by itself. */
function sent(file, endpoint, headers) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(file, {
      endpoint,
      headers,
      metadata: { filename: file.name },
      retryDelays: [0, 1000, 3000, 10000, 30000],
      storeFingerprintForResuming: false, // another visit has another token
      onProgress: (bytes, all) => tell(`Sending, ${Math.floor((100 * bytes) / all)}%`, bytes / all),
      onSuccess: () => resolve(upload.url.split("/").pop()),
      onError: (error) => reject(new Error(reasonIn(error.originalResponse?.getBody()) ?? error.message)),
    });
    upload.start();
  });
}

/* Resolves to the address of the job. Asked twice, because an answer was lost, the service gives the same. */
async function submitted(service, upload, headers) {
  const form = new FormData();
  form.append("upload", upload);
  const answer = await asked(`${service}/jobs`, { method: "POST", body: form, headers });
  return service + answer.headers.get("Location");
}

async function ended(job, headers) {
  for (;;) {
    const answer = await asked(job, { headers });
    const { status, progress, error } = await answer.json();
    if (status === "succeeded") return;
    if (status !== "queued" && status !== "running") throw new Error(error?.detail ?? `The job is ${status}.`);
    const left = progress.eta_s === null ? "" : `, ${Math.ceil(progress.eta_s)} s left`;
    tell(status === "queued" ? "Waiting" : `Deblurring${left}`, progress.fraction);
    await pause(Number(answer.headers.get("Retry-After") ?? 1));
  }
}

/* A link cannot show a token, so that the file is fetched into the page first. */
async function offer(address, headers) {
  tell("Fetching the result");
  const answer = await asked(address, { headers });
  URL.revokeObjectURL(shown("player").src);
  const local = URL.createObjectURL(await answer.blob());
  shown("player").src = local;
  Object.assign(shown("download"), { href: local, download: nameIn(answer.headers) });
  shown("result").hidden = false;
}

function nameIn(headers) {
  const [, coded, plain] = /filename(?:\*=utf-8''([^;]+)|="([^"]+)")/i.exec(headers.get("Content-Disposition") ?? "") ?? [];
  return coded ? decodeURIComponent(coded) : (plain ?? "deblurred.mp4");
}

/* Asks again where the connection breaks or the service is busy. */
async function asked(address, request, tries = 5) {
  const answer = await fetch(address, request).catch((error) => {
    if (tries <= 1) throw error;
  });
  if (answer && (tries <= 1 || ![429, 502, 503, 504].includes(answer.status))) return taken(answer);
  await pause(Number(answer?.headers.get("Retry-After") ?? 2));
  return asked(address, request, tries - 1);
}

async function taken(answer) {
  if (answer.ok) return answer;
  throw new Error(reasonIn(await answer.text()) ?? `${answer.status} ${answer.statusText}`);
}

function reasonIn(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return undefined;
  }
}
