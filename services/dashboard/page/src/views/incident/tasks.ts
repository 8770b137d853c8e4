// What follows from a task's record: what is due next, whether it is overdue, and how tasks are put in lanes.
import type { TaskRecord } from '../../types';

export interface Lane {
  department: string;
  /** What is overdue first, then what is due first. */
  open: TaskRecord[];
  /** What ended last first. */
  ended: TaskRecord[];
  late: number;
}

/** When something is due next: the acknowledgement, then the completion. */
export function dueOf(task: TaskRecord): number {
  return task.acknowledged_at === null ? task.acknowledge_by : task.complete_by;
}

/** Whether that has passed; not while the clock stands. */
export function isLate(task: TaskRecord, at: number): boolean {
  return task.outcome === null && task.paused_at === null && dueOf(task) < at;
}

/** A lane for each department: the one with most overdue tasks first, then the one with what is due first. */
export function lanes(tasks: TaskRecord[], at: number): Lane[] {
  const found = new Map<string, Lane>();
  for (const task of tasks) {
    let lane = found.get(task.department);
    if (!lane) found.set(task.department, (lane = { department: task.department, open: [], ended: [], late: 0 }));
    (task.outcome === null ? lane.open : lane.ended).push(task);
    if (isLate(task, at)) lane.late += 1;
  }
  for (const lane of found.values()) {
    lane.open.sort((a, b) => Number(isLate(b, at)) - Number(isLate(a, at)) || paused(a) - paused(b) || dueOf(a) - dueOf(b));
    lane.ended.sort((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0));
  }
  const first = (lane: Lane): number => (lane.open[0] ? dueOf(lane.open[0]) : Number.POSITIVE_INFINITY);
  return [...found.values()].sort(
    (a, b) => b.late - a.late || (first(a) === first(b) ? 0 : first(a) - first(b)) || (a.department < b.department ? -1 : 1),
  );
}

function paused(task: TaskRecord): number {
  return Number(task.paused_at !== null);
}
