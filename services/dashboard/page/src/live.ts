// The stream of changes, over server-sent events. It goes on where it stopped; a view misses nothing, for it fetches,
// and then takes what comes after the position of what it fetched.
import { signal, type Signal } from '@preact/signals';

export type LiveKind = 'incident' | 'line' | 'now' | 'reset';
/** What the data are is for the kind to say. */
export type LiveHandler = (data: any, id: string) => void;

const KINDS: LiveKind[] = ['incident', 'line', 'now', 'reset'];
const SILENT_MS = 20_000; // a frame comes each 5 s at least
const RETRY_MS_MAX = 15_000;

export const connected: Signal<boolean> = signal(false);
/** The server's time; in an exercise how far its own time has come. */
export const now: Signal<number> = signal(Date.now());
/** Whether the server follows the bus, or is still reading what was on it, or waits for it. */
export const standing: Signal<'following' | 'filling' | 'waiting'> = signal('following');

const handlers: Record<LiveKind, Set<LiveHandler>> = {
  incident: new Set(),
  line: new Set(),
  now: new Set(),
  reset: new Set(),
};
let source: EventSource | null = null;
let last: string | null = null;
let heard = 0;
let attempt = 0;
let retry: number | undefined;
let ahead = 0; // the server's clock less this machine's
let ticking = true;
let refused: () => void = () => undefined;

/** Be told of frames of a kind, with their ids; returns what ends that. */
export function onLive(kind: LiveKind, handle: LiveHandler): () => void {
  handlers[kind].add(handle);
  return () => void handlers[kind].delete(handle);
}

/** Be told when the server closes the stream rather than the network: perhaps the session is over. */
export function onRefused(handle: () => void): void {
  refused = handle;
}

/** Begin after a position, as a list names it; nothing happens where the stream runs already. */
export function startLive(from: string): void {
  if (source || retry !== undefined) return;
  last = from;
  open();
}

/** End the stream, as when a session is over. */
export function stopLive(): void {
  source?.close();
  source = null;
  window.clearTimeout(retry);
  retry = undefined;
  last = null;
  connected.value = false;
}

/** Whether a frame came after a position; of another history of the server's, it counts as later. */
export function isAfter(id: string, position: string): boolean {
  const [epoch, sequence] = split(id);
  const [otherEpoch, otherSequence] = split(position);
  return epoch !== otherEpoch || sequence > otherSequence;
}

/** Set the clock to the server's. */
export function setNow(ms: number): void {
  ahead = ms - Date.now();
  now.value = ms;
}

/** Whether time passes by itself between the server's reports: not in an exercise, whose time goes in steps. */
export function setTicking(on: boolean): void {
  ticking = on;
}

function split(id: string): [string, number] {
  const at = id.lastIndexOf('.');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

function open(): void {
  retry = undefined;
  heard = Date.now();
  const opened = new EventSource(`/api/stream?from=${encodeURIComponent(last ?? '')}`);
  source = opened;
  opened.onopen = () => {
    attempt = 0;
    heard = Date.now();
    connected.value = true;
  };
  opened.onerror = () => {
    if (source !== opened) return;
    connected.value = false;
    // while it is CONNECTING the browser tries again itself, with Last-Event-ID
    if (opened.readyState !== EventSource.CLOSED) return;
    again();
    refused();
  };
  for (const kind of KINDS) opened.addEventListener(kind, (event) => take(kind, event as MessageEvent<string>));
}

function again(): void {
  source?.close();
  source = null;
  connected.value = false;
  window.clearTimeout(retry);
  retry = window.setTimeout(open, Math.min(RETRY_MS_MAX, 500 * 2 ** attempt) * (0.5 + Math.random() / 2));
  attempt += 1;
}

function take(kind: LiveKind, event: MessageEvent<string>): void {
  heard = Date.now();
  if (event.lastEventId) last = event.lastEventId;
  let data: unknown;
  try {
    data = JSON.parse(event.data || '{}');
  } catch {
    return;
  }
  if (kind === 'now') {
    const told = data as { now: number; standing?: typeof standing.value };
    setNow(told.now);
    standing.value = told.standing ?? 'following';
  }
  for (const handle of [...handlers[kind]]) handle(data, event.lastEventId);
}

window.setInterval(() => {
  if (ticking) now.value = Date.now() + ahead;
  if (source && connected.value && Date.now() - heard > SILENT_MS) again();
}, 1000);
