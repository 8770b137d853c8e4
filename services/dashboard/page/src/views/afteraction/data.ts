// How departments did against their deadlines: figures, periods, and the same for one incident. Pure.

import type { TaskRecord } from '../../types';

export interface Figures {
  readonly department: string;
  readonly asked: number;
  readonly acknowledged_late: number;
  readonly completed: number;
  readonly completed_late: number;
  readonly declined: number;
  /** Overdue, and never completed. */
  readonly missed: number;
  readonly median_acknowledge_ms: number | null;
  readonly median_complete_ms: number | null;
}

export interface Performance {
  readonly departments: readonly Figures[];
  /** Incidents that were looked at. */
  readonly incidents?: number;
}

/** The parts of a bar, that together are what was asked. */
export interface Parts {
  readonly timely: number;
  readonly late: number;
  readonly missed: number;
  readonly declined: number;
  readonly rest: number;
}

/** What became of what was asked. */
export function parts(one: Figures): Parts {
  const timely = one.completed - one.completed_late;
  const rest = Math.max(0, one.asked - one.completed - one.missed - one.declined);
  return { timely, late: one.completed_late, missed: one.missed, declined: one.declined, rest };
}

/** The share completed in time of what was completed or missed; null where nothing was. */
export function timely(one: Figures): number | null {
  const judged = one.completed + one.missed;
  return judged === 0 ? null : (one.completed - one.completed_late) / judged;
}

/** All departments together; medians of medians would mean nothing, so there are none. */
export function total(departments: readonly Figures[]): Figures {
  const sum = (of: (one: Figures) => number): number => departments.reduce((all, one) => all + of(one), 0);
  return {
    department: '',
    asked: sum((one) => one.asked),
    acknowledged_late: sum((one) => one.acknowledged_late),
    completed: sum((one) => one.completed),
    completed_late: sum((one) => one.completed_late),
    declined: sum((one) => one.declined),
    missed: sum((one) => one.missed),
    median_acknowledge_ms: null,
    median_complete_ms: null,
  };
}

/** The figures of one incident's tasks, by the department that is responsible for each. */
export function ofTasks(tasks: readonly TaskRecord[], at: number): Figures[] {
  const by = new Map<string, TaskRecord[]>();
  for (const task of tasks) by.set(task.department, [...(by.get(task.department) ?? []), task]);
  return [...by].map(([department, own]) => {
    const completed = own.filter((task) => task.outcome === 'completed');
    return {
      department,
      asked: own.length,
      acknowledged_late: own.filter((task) => task.acknowledged_late).length,
      completed: completed.length,
      completed_late: completed.filter((task) => task.completed_late).length,
      declined: own.filter((task) => task.outcome === 'declined').length,
      missed: own.filter((task) => task.outcome !== 'completed' && task.outcome !== 'declined' && task.paused_at === null && (task.ended_at ?? at) > task.complete_by).length,
      median_acknowledge_ms: median(own.flatMap((task) => (task.acknowledged_at === null ? [] : [task.acknowledged_at - task.requested_at]))),
      median_complete_ms: median(completed.flatMap((task) => (task.ended_at === null ? [] : [task.ended_at - task.requested_at]))),
    };
  });
}

function median(lengths: number[]): number | null {
  const ordered = [...lengths].sort((one, other) => one - other);
  const middle = ordered.length >> 1;
  const upper = ordered[middle];
  if (upper === undefined) return null;
  return ordered.length % 2 === 1 ? upper : Math.round(((ordered[middle - 1] ?? upper) + upper) / 2);
}

const DAY_MS = 86_400_000;
const ZONE_MS = 8 * 3_600_000;

/** The last days, or two days of one's own. */
export type Period = { readonly days: number | null } | { readonly from: string; readonly to: string };
export const LATEST = [7, 30, 90] as const;

/** The period that an address names: the last 30 days where it names none. */
export function periodOf(query: URLSearchParams): Period {
  const [from, to, days] = [query.get('from'), query.get('to'), query.get('days')];
  if (from !== null || to !== null) return { from: from ?? '', to: to ?? '' };
  if (days === 'all') return { days: null };
  return { days: LATEST.find((one) => String(one) === days) ?? 30 };
}

/** From and up to when, in milliseconds; the day that `to` names belongs to it. Null where it cannot be. */
export function limits(period: Period, now: number): { from: number | null; to: number | null } | null {
  if ('days' in period) {
    // from midnight on, so that the address stays the same over the day
    const today = Math.floor((now + ZONE_MS) / DAY_MS) * DAY_MS - ZONE_MS;
    return { from: period.days === null ? null : today - (period.days - 1) * DAY_MS, to: null };
  }
  const from = dayStart(period.from);
  const last = dayStart(period.to);
  const to = last === null ? null : last + DAY_MS;
  return from !== null && to !== null && from >= to ? null : { from, to };
}

/** Beijing's midnight at the beginning of a day, ISO 8601. */
function dayStart(day: string): number | null {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : NaN;
  return Number.isNaN(ms) ? null : ms - ZONE_MS;
}

/** The day of Beijing's calendar, ISO 8601. */
export function dayOf(ms: number): string {
  return new Date(ms + ZONE_MS).toISOString().slice(0, 10);
}
