/** The page of operators: asks for the overview every few seconds and shows it. */

import { language, offerLanguages, t, translate } from "../languages/language.js";
import { bytes } from "../lib/format.js";
import { ask } from "../lib/http.js";
import { signedIn } from "../lib/sign_in.js";
import { failureCard, jobCard, tenantRow, workerCard } from "./cards.js";
import { create, show } from "./elements.js";

const PAUSE_MS = 3000;
const $ = (id) => document.getElementById(id);
let overview;
let timer;

/** Shows what is wrong with the last request, or that nothing is. */
function trouble(text = "") {
  $("trouble").hidden = !text;
  if ($("trouble").textContent !== text) $("trouble").textContent = text;
}

/** Asks once more now, and then again every few seconds. */
async function refresh() {
  clearTimeout(timer);
  try {
    overview = (await ask("admin/overview")).body;
    render();
    trouble();
  } catch (error) {
    trouble(error.message);
    if (error.status === 403) return; // this key will not be let in later either
  }
  timer = setTimeout(refresh, PAUSE_MS);
}

/** Sends a change, tells screen readers of it, and shows what became of it. */
async function change(method, address, told) {
  try {
    await ask(address, { method });
    $("announcer").textContent = told;
  } catch (error) {
    trouble(error.message);
    return;
  }
  await refresh();
}

function drain({ name, draining }) {
  const told = t(draining ? "admin.undrained" : "admin.drains", { name });
  return change(draining ? "DELETE" : "PUT", `admin/workers/${encodeURIComponent(name)}/drain`, told);
}

function cancel({ id, filename, tenant }) {
  if (!confirm(t("admin.cancel_this", { name: filename, tenant }))) return;
  change("POST", `jobs/${id}/cancel`, t("admin.canceled", { name: filename }));
}

function turnIntake() {
  const closed = overview.intake_closed;
  return change(closed ? "DELETE" : "PUT", "admin/intake/closed", t(closed ? "admin.intake_open" : "admin.intake_closed"));
}

function render() {
  $("overview").hidden = false;
  $("counts").textContent = t("admin.counts", overview);
  $("intake").textContent = t(overview.intake_closed ? "admin.open_intake" : "admin.close_intake");
  $("closed").hidden = !overview.intake_closed;
  show($("tenants"), overview.tenants.map(tenantRow));
  show($("workers"), overview.workers.map((one) => workerCard(one, drain)), t("admin.no_worker"));
  show($("jobs"), overview.jobs.map((one) => jobCard(one, cancel)), t("admin.no_job"));
  show($("failures"), overview.failures.map(failureCard), t("admin.no_failure"));
  $("webhooks").textContent = t("admin.webhooks", { count: overview.dead_webhooks });
  show($("room"), facts(overview));
}

function facts({ disk, broker }) {
  const pairs = {
    "admin.disk_free": part(disk.free, disk.total),
    "admin.disk_reserve": bytes(disk.reserve),
    "admin.disk_jobs": bytes(disk.jobs),
    "admin.disk_uploads": bytes(disk.uploads),
    "admin.redis": broker.limit === null ? bytes(broker.used) : part(broker.used, broker.limit),
  };
  return Object.entries(pairs).flatMap(([key, value]) => [
    create("dt", { textContent: t(key) }),
    create("dd", { textContent: value }),
  ]);
}

const part = (used, limit) => t("admin.of", { used: bytes(used), limit: bytes(limit) });

document.documentElement.lang = language;
document.title = t("admin.page_title");
translate(document);
offerLanguages($("language"));
$("intake").addEventListener("click", turnIntake);
await signedIn();
await refresh();
