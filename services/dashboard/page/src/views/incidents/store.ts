// All incidents, kept current: the list is fetched once, then every change comes by the stream.
import { computed, signal, type Signal } from '@preact/signals';
import { get } from '../../api';
import { isAfter, now, onLive, setNow, startLive } from '../../live';
import type { IncidentList, Row } from '../../types';

const FLUSH_MS = 250; // the first change after a silence is shown at once, those within this time together
const RETRY_MS_MAX = 15_000;

const byInstance = new Map<string, Row>();
const version = signal(0);
/** The rows, in no order. */
export const rows = computed<readonly Row[]>(() => {
  void version.value;
  return [...byInstance.values()];
});
export const loaded = signal(false);
export const failure: Signal<unknown> = signal(null);
/** Whether closed ones are here too. They are fetched when first asked for, for they only grow in number. */
export const withClosed = signal(false);
/** The time, in steps of 5 s: what is late is judged anew with each, not every second. */
export const coarseNow = computed(() => Math.floor(now.value / 5_000) * 5_000);

let position: string | null = null;
let token = 0; // of the latest reading; what an earlier one brings is not taken
let busy = false;
let waiting: { id: string; row: Row }[] = [];
let flush: number | undefined;
let flushed = -FLUSH_MS;
let attempt = 0;

/** Fetch the list and follow the stream from there on. */
export function startIncidents(): void {
  void load();
}

/** Forget everything, as when a session is over. */
export function clearIncidents(): void {
  token += 1;
  busy = false;
  byInstance.clear();
  waiting = [];
  loaded.value = false;
  withClosed.value = false;
  failure.value = null;
  version.value += 1;
}

/** Have closed incidents too. */
export function wantClosed(): void {
  if (withClosed.value) return;
  withClosed.value = true;
  void load();
}

/** One incident's row, if it is known. */
export function rowOf(instance: string): Row | undefined {
  void version.value;
  return byInstance.get(instance);
}

/** Tasks that are overdue, by department; most first. */
export function lateOf(row: Row, at: number): [string, number][] {
  const counts = new Map<string, number>();
  for (const [department, due] of row.dues) {
    if (due < at) counts.set(department, (counts.get(department) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** How many are overdue. */
export function lateCount(row: Row, at: number): number {
  let count = 0;
  for (const [, due] of row.dues) if (due < at) count += 1;
  return count;
}

async function load(): Promise<void> {
  const mine = ++token;
  busy = true; // what comes by the stream meanwhile waits, and is taken after the list
  const asked = withClosed.value;
  try {
    const list = await get<IncidentList>('/api/incidents', { status: asked ? 'all' : 'open', kind: 'all' });
    if (mine !== token) return;
    byInstance.clear();
    for (const row of list.incidents) byInstance.set(row.instance, row);
    position = list.stream;
    setNow(list.now);
    busy = false;
    attempt = 0;
    take();
    version.value += 1;
    loaded.value = true;
    failure.value = null;
    startLive(list.stream);
  } catch (error) {
    if (mine !== token) return;
    failure.value = error;
    attempt += 1;
    window.setTimeout(() => mine === token && void load(), Math.min(RETRY_MS_MAX, 500 * 2 ** attempt));
  }
}

/** Take what has come by the stream, but not what the list had already. */
function take(): void {
  flush = undefined;
  if (busy || waiting.length === 0) return;
  for (const { id, row } of waiting) {
    if (position === null || !id || isAfter(id, position)) byInstance.set(row.instance, row);
  }
  waiting = [];
  version.value += 1;
}

onLive('incident', (row: Row, id) => {
  waiting.push({ id, row });
  flush ??= window.setTimeout(take, Math.max(0, flushed + FLUSH_MS - performance.now()));
});

onLive('reset', () => {
  waiting = [];
  void load();
});
