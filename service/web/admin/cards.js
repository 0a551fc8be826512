/** Shows workers, jobs and tenants. */

import { duration } from "../lib/format.js";
import { button, create, line, name, state } from "./elements.js";

const rate = (value) => `${value.toFixed(value < 10 ? 1 : 0)} frames/s`;
const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const short = (id) => id.slice(0, 12);

export function tenantRow({ tenant, running, waiting, frames_left: left, oldest_wait_s: oldest }) {
  const values = [tenant, running, waiting, left, oldest === null ? "-" : duration(oldest)];
  return create("tr", {}, ...values.map((value) => create("td", { textContent: String(value) })));
}

/** `onDrain(worker)` is called to begin or to end draining. */
export function workerCard(worker, onDrain) {
  const words = worker.draining ? ["Take work again", worker.name] : ["Drain", worker.name];
  const drain = button(`drain-${worker.name}`, words[0], () => onDrain(worker), { ariaLabel: words.join(" ") });
  const head = create("div", { className: "row" }, name(worker.name), workerState(worker), drain);
  const places = worker.placements.map((place) => place.line);
  const steps = worker.steps.map(({ job, step }) => `${step} of ${short(job)}`).join(", ");
  const work = `${counted(worker.running, "step")} in work${steps ? `: ${steps}` : ""}`;
  const pace = `${rate(worker.frames_per_second)}, heard ${Math.round(worker.heard_s)} s ago`;
  const lines = [...(places.length ? places : [worker.engine]), work, pace].map(line);
  if (worker.fault) lines.push(line(worker.fault));
  return create("li", { className: "card" }, head, ...lines);
}

function workerState({ fault, draining, drained, running }) {
  if (fault) return state("Fault", "wrong");
  if (draining) return state(drained ? "Drained" : "Draining", "warn");
  return running ? state("Working", "good") : state("Free", "good");
}

/** `onCancel(job)` is called to cancel an active job. */
export function jobCard(job, onCancel) {
  const { frames_done: done, frames_total: total, eta_s: eta } = job.progress;
  const cancel = button(`cancel-${job.id}`, "Cancel", () => onCancel(job), { ariaLabel: `Cancel ${job.filename}` });
  cancel.classList.add("danger");
  const mark = state(job.status === "running" ? "Running" : "Waiting", job.status === "running" ? "good" : "warn");
  const left = eta === null ? "" : `, ${duration(eta)} left`;
  const about = `${job.tenant}, ${job.model}, ${done} of ${counted(total, "frame")}${left}, job ${short(job.id)}`;
  return create("li", { className: "card" }, create("div", { className: "row" }, name(job.filename), mark, cancel), line(about));
}

export function failureCard(job) {
  const when = new Date(job.finished_at ?? job.created_at).toLocaleString("en");
  const head = create("div", { className: "row" }, name(job.filename), state(job.error?.title ?? "Failed", "wrong"));
  const about = line(`${job.tenant}, ${when}, job ${short(job.id)}`);
  return create("li", { className: "card" }, head, create("p", { textContent: job.error?.detail ?? "" }), about);
}
