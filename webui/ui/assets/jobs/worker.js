// The machine and other people's jobs, asked again soon while it starts, now and then afterwards.

import { ApiError, api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { alarm } from "../core/timing.js";
import { active } from "./jobs.js";

const WHILE_STARTING = 1000; // ms
const WHILE_BUSY = 4000;
const OTHERWISE = 15000;

export const worker = {
  state: "starting", eta: null, device: "", precision: "", used: null, total: null, others: 0, problem: "", isOperator: false, downloads: null,
};
const again = alarm(refreshWorker);

async function refreshWorker() {
  let wait = OTHERWISE;
  if (!document.hidden) {
    try {
      Object.assign(worker, read(await api("GET", "/api/queue")));
      if (worker.state === "starting" || worker.state === "restarting") wait = WHILE_STARTING;
      else if (active().length) wait = WHILE_BUSY;
      emit("jobs");
      emit("machine", worker);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      wait = WHILE_BUSY; // the stream says when the line is lost
    }
  }
  again.set(wait);
}

function read({ worker: found, waiting, running: atWork, problem, is_operator: isOperator, downloads }) {
  return {
    state: found.state, eta: found.ready_eta_seconds, device: found.device, precision: found.precision,
    used: found.memory_used_bytes, total: found.memory_total_bytes, problem: problem?.message ?? "", isOperator, downloads,
    others: Math.max(0, waiting + atWork - active().filter((job) => !job.isUnsent).length),
  };
}

export function followWorker() {
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshWorker(); });
  on("accepted", () => again.set(300));
  refreshWorker();
}
