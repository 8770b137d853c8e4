// What a department may say of a task, and when.

/** The last part of the address that takes it; its words stand under `act.<act>`. */
export type Act = 'acknowledge' | 'accept' | 'commit' | 'progress' | 'complete' | 'decline';

/** What the buttons need to know of a task; both an open task and one of a record have it. */
export interface ActionTask {
  readonly task: string;
  readonly department: string;
  readonly titles: { readonly zh: string; readonly en: string };
  readonly state: string;
  readonly basis: string | null;
  readonly subject?: string | null;
  readonly instance?: string;
  readonly acknowledge_by?: number;
  readonly complete_by?: number;
  readonly acknowledged_at?: number | null;
  readonly paused_at?: number | null;
  /** The department's own event types that complete it; without any, a plain answer does. */
  readonly completes_with?: readonly string[];
  /** How it ended; null while it is open. */
  readonly outcome?: string | null;
}

/** The states of an open task, each further than the one before, and the act that leads there. */
const WAY: readonly (readonly [string, Act | null])[] = [
  ['requested', null],
  ['acknowledged', 'acknowledge'],
  ['accepted', 'accept'],
  ['committed', 'commit'],
  ['progressed', 'progress'],
];

const POSSIBLE: Record<string, readonly Act[]> = {
  requested: ['acknowledge', 'accept', 'commit', 'progress', 'complete', 'decline'],
  acknowledged: ['accept', 'commit', 'progress', 'complete', 'decline'],
  accepted: ['commit', 'progress', 'complete', 'decline'],
  committed: ['progress', 'complete', 'decline'],
  progressed: ['progress', 'complete', 'decline'],
};

const USUAL: Record<string, readonly Act[]> = {
  requested: ['acknowledge'],
  acknowledged: ['commit', 'complete'],
  accepted: ['commit', 'complete'],
  committed: ['progress', 'complete'],
  progressed: ['complete'],
};

/** What can still be said of a task of which `underway` was published already; nothing once it is over. */
export function possible(task: ActionTask, underway: readonly string[] = []): readonly Act[] {
  const over = task.outcome || underway.includes('complete') || underway.includes('decline');
  return over ? [] : (POSSIBLE[reached(task.state, underway)] ?? []);
}

/** What is most often said next. */
export function usual(task: ActionTask, underway: readonly string[] = []): readonly Act[] {
  return possible(task, underway).length === 0 ? [] : (USUAL[reached(task.state, underway)] ?? []);
}

function reached(state: string, underway: readonly string[]): string {
  const before = WAY.findIndex(([name]) => name === state);
  const after = Math.max(...WAY.map(([, act], index) => (act !== null && underway.includes(act) ? index : -1)));
  return (before < 0 ? undefined : WAY[Math.max(before, after)]?.[0]) ?? state;
}
