// Acts that were published here: answers to tasks and orders. An act is done when a line of the timeline that follows
// from it says so, and not before.
import { signal, type Signal } from '@preact/signals';
import { onLive } from './live';
import type { Line, Published, Titles } from './types';

/** `waiting`: published, no effect seen yet; `seen`: the timeline shows it; `void`: it shows that nothing came of it. */
export type ActState = 'waiting' | 'seen' | 'void';

export interface Act {
  event: string;
  /** `acknowledge`, `complete`, …, or of an order `level`, `close`, …. */
  act: string;
  /** The instance; of one to be opened `<workflow>/<key>`. */
  instance: string | null;
  task: string | null;
  /** When it was published, by this machine's clock. */
  at: number;
  state: ActState;
  /** The kinds of the lines that follow from it. */
  lines: string[];
  /** `topic[partition]@offset`. */
  where: string;
  remarks: (Titles | string)[];
}

/** The line that each order leads to; an answer leads to one of several. */
const EFFECTS: Record<string, string> = {
  open: 'opened',
  level: 'level',
  reassign: 'reassigned',
  extend: 'extended',
  merge: 'merged',
  split: 'split',
  close: 'closed',
};
const IN_VAIN = new Set(['order_void', 'late', 'unmatched', 'duplicate', 'not_responsible', 'event_owed', 'malformed', 'over_already']);
/** What says nothing yet of the outcome. */
const ON_THE_WAY = new Set(['joined', 'ordered']);
const KEPT = 50;
const EARLY_MAX = 300;

export const acts: Signal<Act[]> = signal([]);
/** The stream may show an effect before the answer to the request is here. */
const early: { line: Line; instance: string }[] = [];

/** Follow what was published until its effect shows. */
export function follow(path: string, body: unknown, published: Published): void {
  const { act, instance, workflow, key, task } = (body ?? {}) as Record<string, string | undefined>;
  const one: Act = {
    event: published.event_id,
    act: act ?? path.split('/').pop() ?? path,
    instance: instance ?? (workflow && key ? `${workflow}/${key}` : null),
    task: task ?? null,
    at: Date.now(),
    state: 'waiting',
    lines: [],
    where: `${published.topic}[${published.partition}]@${published.offset}`,
    remarks: published.remarks ?? [],
  };
  acts.value = [one, ...acts.value].slice(0, KEPT);
  for (const { line, instance: of } of early) settle(line, of);
}

/** Take in lines that were read and not streamed: what came while the stream was away is in them. */
export function settleFrom(instance: string, lines: readonly Line[]): void {
  const waiting = new Set(acts.value.filter((one) => one.state === 'waiting').map((one) => one.event));
  if (waiting.size > 0) for (const line of lines) if (waiting.has(line.cause)) settle(line, instance);
}

/** Take an act off the screen. */
export function forget(event: string): void {
  acts.value = acts.value.filter((one) => one.event !== event);
}

function settle(line: Line, instance: string): void {
  if (!acts.value.some((one) => one.event === line.cause)) return;
  acts.value = acts.value.map((one) => {
    if (one.event !== line.cause) return one;
    const lines = one.lines.includes(line.kind) ? one.lines : [...one.lines, line.kind];
    return { ...one, instance: one.instance ?? instance, lines, state: outcome(one, line.kind, instance) };
  });
}

function outcome(one: Act, kind: string, instance: string): ActState {
  const effect = EFFECTS[one.act];
  if (effect === undefined) {
    if (ON_THE_WAY.has(kind) || kind === 'parked' || one.state === 'seen') return one.state;
    return IN_VAIN.has(kind) ? 'void' : 'seen';
  }
  // another instance may say more of the same order, as the one that leads does of a merge
  const own = one.instance === null || instance === one.instance || instance.slice(0, instance.lastIndexOf('/')) === one.instance;
  if (!own || one.state === 'seen') return one.state;
  return kind === effect ? 'seen' : IN_VAIN.has(kind) || kind === 'parked' ? 'void' : one.state;
}

onLive('line', (data: { instance: string; line: Line }) => {
  early.push(data);
  if (early.length > EARLY_MAX) early.shift();
  settle(data.line, data.instance);
});
