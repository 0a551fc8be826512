/** Shows workers, jobs and tenants. */

import { decimal, language, t } from "../languages/language.js";
import { duration, moment } from "../lib/format.js";
import { explained } from "../lib/problems.js";
import { button, create, line, name, state } from "./elements.js";

const rate = (value) => t("progress.speed", { speed: decimal(value, value < 10 ? 1 : 0) });
const short = (id) => id.slice(0, 12);
const list = (...parts) => parts.filter(Boolean).join(", ");

export function tenantRow({ tenant, running, waiting, frames_left: left, oldest_wait_s: oldest }) {
  const counts = [running, waiting, left].map((value) => value.toLocaleString(language));
  const values = [tenant, ...counts, oldest === null ? "-" : duration(oldest)];
  return create("tr", {}, ...values.map((value) => create("td", { textContent: value })));
}

/** `onDrain(worker)` is called to begin or to end draining. What a worker says of itself is in English. */
export function workerCard(worker, onDrain) {
  const { draining, name: own } = worker;
  const [text, label] = draining ? ["admin.undrain", "admin.undrain_name"] : ["admin.drain", "admin.drain_name"];
  const drain = button(`drain-${own}`, t(text), () => onDrain(worker), { ariaLabel: t(label, { name: own }) });
  const head = create("div", { className: "row" }, name(own), workerState(worker), drain);
  const places = worker.placements.map((place) => place.line);
  const steps = worker.steps.map(({ job, step }) => t("admin.step", { step, job: short(job) })).join(", ");
  const work = t(steps ? "admin.steps_of" : "admin.steps", { count: worker.running, steps });
  const pace = t("admin.pace", { speed: rate(worker.frames_per_second), seconds: Math.round(worker.heard_s) });
  const words = [...(places.length ? places : [worker.engine]), ...(worker.fault ? [worker.fault] : [])];
  return create("li", { className: "card" }, head, ...words.map((words) => line(words, "en")), line(work), line(pace));
}

function workerState({ fault, draining, drained, running }) {
  if (fault) return state(t("admin.fault"), "wrong");
  if (draining) return state(t(drained ? "admin.drained" : "admin.draining"), "warn");
  return state(t(running ? "admin.working" : "admin.free"), "good");
}

/** `onCancel(job)` is called to cancel an active job. */
export function jobCard(job, onCancel) {
  const { frames_done: done, frames_total: count, eta_s: eta } = job.progress;
  const label = t("admin.cancel_name", { name: job.filename });
  const cancel = button(`cancel-${job.id}`, t("admin.cancel"), () => onCancel(job), { ariaLabel: label });
  cancel.classList.add("danger");
  const runs = job.status === "running";
  const mark = state(t(runs ? "admin.running" : "admin.waiting"), runs ? "good" : "warn");
  const left = eta === null ? "" : t("progress.left", { time: duration(eta) });
  const about = list(job.tenant, job.model, t("progress.frames", { done, count }), left, t("admin.job", { id: short(job.id) }));
  return create("li", { className: "card" }, create("div", { className: "row" }, name(job.filename), mark, cancel), line(about));
}

export function failureCard(job) {
  const head = create("div", { className: "row" }, name(job.filename), state(t("status.failed"), "wrong"));
  const about = line(list(job.tenant, moment(job.finished_at ?? job.created_at), t("admin.job", { id: short(job.id) })));
  return create("li", { className: "card" }, head, create("p", { textContent: job.error ? explained(job.error) : "" }), about);
}
