/** The page of operators: asks for the overview every few seconds and shows it. */

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
  const told = draining ? `${name} takes work again.` : `${name} drains.`;
  return change(draining ? "DELETE" : "PUT", `admin/workers/${encodeURIComponent(name)}/drain`, told);
}

function cancel({ id, filename, tenant }) {
  if (!confirm(`Cancel ${filename} of ${tenant}? What is restored of it stays.`)) return;
  change("POST", `jobs/${id}/cancel`, `${filename} is canceled.`);
}

function turnIntake() {
  const closed = overview.intake_closed;
  return change(closed ? "DELETE" : "PUT", "admin/intake/closed", closed ? "New work is taken." : "No new work is taken.");
}

function render() {
  $("overview").hidden = false;
  $("counts").textContent = `${overview.running} running, ${overview.waiting} waiting`;
  $("intake").textContent = overview.intake_closed ? "Take new work" : "Take no new work";
  $("closed").hidden = !overview.intake_closed;
  show($("tenants"), overview.tenants.map(tenantRow));
  show($("workers"), overview.workers.map((one) => workerCard(one, drain)), "No worker is alive.");
  show($("jobs"), overview.jobs.map((one) => jobCard(one, cancel)), "Nothing runs or waits.");
  show($("failures"), overview.failures.map(failureCard), "No job on record has failed.");
  $("webhooks").textContent = `Webhooks that were given up: ${overview.dead_webhooks}`;
  show($("room"), facts(overview));
}

function facts({ disk, broker }) {
  const pairs = {
    "Disk free": `${bytes(disk.free)} of ${bytes(disk.total)}`,
    "Kept free by uploads": bytes(disk.reserve),
    "Files of jobs": bytes(disk.jobs),
    "Uploads on their way": bytes(disk.uploads),
    "Memory of Redis": broker.limit === null ? bytes(broker.used) : `${bytes(broker.used)} of ${bytes(broker.limit)}`,
  };
  return Object.entries(pairs).flatMap(([name, value]) => [
    create("dt", { textContent: name }),
    create("dd", { textContent: value }),
  ]);
}

$("intake").addEventListener("click", turnIntake);
await signedIn();
await refresh();
