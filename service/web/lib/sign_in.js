/** Asks for a key where the service requires one. The browser then gets a cookie, which also opens videos and downloads. */

import { t } from "../languages/language.js";

const ADDRESS = "session";

/**
 * Resolves when this page may send requests, with what the service says of this session; with null where it does not
 * answer, which other parts then report.
 */
export async function signedIn() {
  let session = await requestSession();
  if (!session) return null;
  if (session.keys_required && !session.signed_in) session = await askForKey();
  if (session.keys_required) offerSignOut(session);
  return session;
}

async function requestSession(options = {}) {
  try {
    const answer = await fetch(ADDRESS, { cache: "no-store", ...options });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** Shows a dialog until a key is valid; Escape does not close it, since there is nothing to see without one. */
function askForKey() {
  const dialog = create("dialog", { ariaLabel: t("key.title") });
  const form = create("form");
  const input = create("input", { id: "key", type: "password", required: true, autocomplete: "current-password" });
  const label = create("label", { htmlFor: "key", textContent: t("key.field") });
  const why = create("p", { textContent: t("key.why") });
  const wrong = create("p", { className: "notice bad", role: "alert", hidden: true });
  const field = create("p", { className: "field" });
  field.append(label, input, create("button", { textContent: t("key.send") }));
  form.append(why, wrong, field);
  dialog.append(form);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const headers = { Authorization: `Bearer ${input.value.trim()}` };
      const session = await requestSession({ method: "POST", headers });
      wrong.hidden = Boolean(session);
      wrong.textContent = t("key.wrong");
      input.value = "";
      if (!session) return input.focus();
      dialog.remove();
      resolve(session);
    });
  });
}

function offerSignOut({ tenant }) {
  const button = create("button", { type: "button", textContent: t("key.out"), title: t("key.as", { tenant }) });
  button.addEventListener("click", async () => {
    await fetch(ADDRESS, { method: "DELETE" });
    location.reload();
  });
  (document.querySelector("header .tools") ?? document.querySelector("header")).append(button);
}

function create(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}
