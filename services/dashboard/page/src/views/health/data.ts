// What the server tells of the bus's health, and how it is ordered for people.

export interface Said {
  readonly zh: string;
  readonly en: string;
}

export type Severity = 'error' | 'warning' | 'note' | 'fine';

export interface Finding {
  readonly area: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly text: Said | string;
  readonly advice: Said | string | null;
}

export interface Rate {
  readonly department: string;
  readonly per_s: number;
}

export interface Lag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly events: number;
  /** How long the first unread event has waited; null where that is not known. */
  readonly seconds: number | null;
  /** Whether somebody should look: there are unread events, and the position does not move. */
  readonly stuck: boolean;
  /** How it stands; the words are under `health.state.<state>`. */
  readonly state?: string;
  /** Whether `events` were counted; if not there are at most so many. */
  readonly exact?: boolean;
}

export interface Letters {
  readonly topic: string;
  readonly reason: string;
  readonly count: number;
}

export interface Overdue {
  readonly department: string;
  readonly tasks: number;
}

export interface Series {
  readonly name: string;
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Health {
  readonly at: number;
  /** Why the last look failed; what is told then is older. */
  readonly problem?: string | null;
  readonly rates: readonly Rate[];
  readonly lag: readonly Lag[];
  readonly letters: readonly Letters[];
  readonly overdue: readonly Overdue[];
  readonly series: readonly Series[];
  readonly findings: readonly Finding[];
  readonly findings_at?: number | null;
}

const GRAVITY: Record<Severity, number> = { error: 0, warning: 1, note: 2, fine: 3 };

/** What is gravest first. */
export function byGravity(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => GRAVITY[one.severity] - GRAVITY[other.severity]);
}

/** Partitions that stand still first, then where most waits. */
export function byLag(lag: readonly Lag[]): Lag[] {
  return [...lag].sort((one, other) => Number(other.stuck) - Number(one.stuck) || other.events - one.events);
}

/** Series of the same name belong in one chart; the names keep the server's order. */
export function charts(series: readonly Series[]): Map<string, Series[]> {
  const found = new Map<string, Series[]>();
  for (const one of series) {
    if (one.points.length > 0) {
      found.set(one.name, [...(found.get(one.name) ?? []), one]);
    }
  }
  return found;
}
