// The fields of an event as the server describes them, and what a person has typed for them so far.

import { toInput } from '../i18n';

export type Kind = 'text' | 'integer' | 'number' | 'boolean' | 'time' | 'choice' | 'list' | 'group' | 'map';

export interface Field {
  readonly name: string;
  /** What the field means, from the schema; may be empty. */
  readonly label: string;
  readonly kind: Kind;
  readonly optional: boolean;
  readonly choices?: readonly string[] | null;
  /** The parts of a group. */
  readonly fields?: readonly Field[] | null;
  /** What an item of a list, or a value of a map, is. */
  readonly item?: Field | null;
  /** What is known already. */
  readonly value?: unknown;
}

export interface Group {
  readonly of: 'group';
  readonly parts: Readonly<Record<string, Draft>>;
}

export interface Items {
  readonly of: 'list';
  /** Each with a number of its own, so that removing one leaves the others' inputs alone. */
  readonly items: readonly { readonly id: number; readonly draft: Draft }[];
}

export interface Entries {
  readonly of: 'map';
  readonly entries: readonly { readonly id: number; readonly name: string; readonly draft: Draft }[];
}

/** What stands in the inputs: the typed text, or the parts; null where an optional whole was left out. */
export type Draft = string | Group | Items | Entries | null;

let last = 0;

/** A number that no other item or entry on the page has. */
export function nextId(): number {
  last += 1;
  return last;
}

const PLAIN: Field = { name: '', label: '', kind: 'text', optional: false };

/** What an item of a list, or a value of a map, is; text where nothing else is said. */
export function itemOf(field: Field): Field {
  return field.item ?? PLAIN;
}

/** The draft to begin with: what is known, else empty. */
export function begin(field: Field): Draft {
  return draft(field, field.value);
}

/** The draft of a whole event. */
export function beginAll(fields: readonly Field[]): Group {
  return { of: 'group', parts: Object.fromEntries(fields.map((field) => [field.name, begin(field)])) };
}

/** An empty draft, also where the field is optional: somebody wants to give it after all. */
export function blank(field: Field): Draft {
  switch (field.kind) {
    case 'list':
      return oneItem(field);
    case 'map':
      return { of: 'map', entries: [] };
    case 'group':
      return beginAll(field.fields ?? []);
    default:
      return '';
  }
}

/** Whether the field is made of parts, not of one input. */
export function isWhole(field: Field): boolean {
  return field.kind === 'list' || field.kind === 'map' || field.kind === 'group';
}

function draft(field: Field, value: unknown): Draft {
  switch (field.kind) {
    case 'list':
      if (Array.isArray(value)) {
        return { of: 'list', items: value.map((one) => ({ id: nextId(), draft: draft(itemOf(field), one) })) };
      }
      return field.optional ? null : oneItem(field);
    case 'map':
      if (isRecord(value)) {
        const entries = Object.entries(value).map(([name, one]) => ({
          id: nextId(),
          name,
          draft: draft(itemOf(field), one),
        }));
        return { of: 'map', entries };
      }
      return field.optional ? null : blank(field);
    case 'group': {
      if (field.optional && !isRecord(value)) {
        return null;
      }
      const known = isRecord(value) ? value : {};
      const parts = (field.fields ?? []).map((part) => [part.name, draft(part, known[part.name] ?? part.value)]);
      return { of: 'group', parts: Object.fromEntries(parts) as Record<string, Draft> };
    }
    case 'time':
      return wallClock(value);
    default:
      return value === null || value === undefined ? '' : String(value);
  }
}

/** A list begins with one item, for which the server may know parts. */
function oneItem(field: Field): Items {
  return { of: 'list', items: [{ id: nextId(), draft: begin(itemOf(field)) }] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A time (ms since the epoch, or RFC 3339) as Beijing's wall clock, as an input takes it. */
function wallClock(value: unknown): string {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? '' : toInput(ms);
}
