/** Lists uploads of earlier visits. A page gets their files again only when they are chosen again. */

import { t } from "../languages/language.js";
import { amount } from "./sending.js";
import { terminate, unfinished } from "./tus.js";

const $ = (id) => document.getElementById(id);

/** `own`: keys of the uploads that this page sends itself. */
export function showUnfinished(own) {
  const left = unfinished().filter(({ key }) => !own.includes(key));
  $("unfinished").hidden = left.length === 0;
  $("unfinished-list").replaceChildren(...left.map((upload) => row(upload, own)));
}

function row(upload, own) {
  const element = $("unfinished-template").content.firstElementChild.cloneNode(true);
  element.querySelector(".name").textContent = upload.name;
  element.querySelector(".detail").textContent = amount(upload.sent, upload.size);
  const button = element.querySelector("button");
  button.setAttribute("aria-label", t("choose.forget_name", { name: upload.name }));
  button.addEventListener("click", () => {
    terminate(upload).catch(() => {});
    showUnfinished(own);
    $("file").focus();
  });
  return element;
}
