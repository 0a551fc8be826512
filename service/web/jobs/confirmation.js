/** Asks before something is deleted. */

const $ = (id) => document.getElementById(id);

/** Shows a question in a dialog, and resolves with whether to do it; Escape does not. */
export function confirmed(question) {
  const dialog = $("confirm");
  $("confirm-text").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
