/** Asks for a key where the service wants one. The browser then has a cookie, which videos and downloads carry too. */

const ADDRESS = "session";

/** Resolves when requests of this page are let in, or when the service does not answer: then others tell. */
export async function signedIn() {
  let session = await asked();
  if (!session) return;
  if (session.keys_required && !session.signed_in) session = await keyGiven();
  if (session.keys_required) offerSignOut(session);
}

async function asked(options = {}) {
  try {
    const answer = await fetch(ADDRESS, { cache: "no-store", ...options });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** A dialog that stays until a key is right; Escape does not close it, as there is nothing to see without one. */
function keyGiven() {
  const dialog = made("dialog", { ariaLabel: "Sign in" });
  const form = made("form");
  const input = made("input", { id: "key", type: "password", required: true, autocomplete: "current-password" });
  const label = made("label", { htmlFor: "key", textContent: "Key" });
  const why = made("p", { textContent: "This service asks for a key. Whoever runs it can give you one." });
  const wrong = made("p", { className: "notice bad", role: "alert", hidden: true });
  const field = made("p", { className: "field" });
  field.append(label, input, made("button", { textContent: "Sign in" }));
  form.append(why, wrong, field);
  dialog.append(form);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const headers = { Authorization: `Bearer ${input.value.trim()}` };
      const session = await asked({ method: "POST", headers });
      wrong.hidden = Boolean(session);
      wrong.textContent = "That is not a valid key.";
      input.value = "";
      if (!session) return input.focus();
      dialog.remove();
      resolve(session);
    });
  });
}

function offerSignOut({ tenant }) {
  const button = made("button", { type: "button", textContent: "Sign out", title: `Signed in as ${tenant}` });
  button.addEventListener("click", async () => {
    await fetch(ADDRESS, { method: "DELETE" });
    location.reload();
  });
  document.querySelector("header").append(button);
}

function made(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}
