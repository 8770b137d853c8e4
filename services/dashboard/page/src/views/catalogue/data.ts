// What the server tells of the catalogue, and finding in it.

import type { Titles } from '../../types';

export interface Department {
  readonly id: string;
  readonly titles: Titles;
  readonly level: string;
  readonly region: string;
  readonly org_code: string;
}

export interface Grant {
  readonly department: string;
  readonly purpose: string;
  readonly legal_basis: string;
  /** The fields that may be read; null for all. */
  readonly fields: readonly string[] | null;
  /** The last day, ISO 8601; null without an end. */
  readonly until: string | null;
  readonly in_force?: boolean;
}

export interface Topic {
  readonly name: string;
  readonly owner: string;
  readonly key: string;
  readonly partitions: number;
  /** Milliseconds; null for ever. */
  readonly retention: number | null;
  readonly cleanup: string;
  readonly classification: string;
  readonly sharing: string;
  readonly types: readonly string[];
  readonly grants: readonly Grant[];
  /** Events per second of late; null where it is not known. */
  readonly rate: number | null;
  /** Consumer groups seen to read it. */
  readonly readers: readonly string[];
}

export interface FieldOf {
  readonly name: string;
  readonly type: string;
  readonly doc: string;
}

export interface EventType {
  readonly type: string;
  readonly owner: string;
  readonly topic: string | null;
  readonly doc: string;
  readonly versions: readonly number[];
  readonly fields: readonly FieldOf[];
}

export interface Element {
  readonly id: string;
  /** Its one source. */
  readonly owner: string;
}

export interface Catalogue {
  readonly departments: readonly Department[];
  readonly topics: readonly Topic[];
  readonly types: readonly EventType[];
  readonly elements: readonly Element[];
}

export interface Change {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Empty for the event itself. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly says: Titles;
}

export interface Version {
  readonly version: number;
  readonly schema: unknown;
  readonly changes: readonly Change[];
}

export interface TypeVersions {
  readonly type: string;
  /** The newest first. */
  readonly versions: readonly Version[];
}

/** Whether every word searched for stands somewhere in the texts. */
export function matches(search: string, ...texts: readonly (string | null | undefined)[]): boolean {
  const all = texts.join('\n').toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

/** What is searched of a topic. */
export function topicTexts(topic: Topic): string[] {
  const grants = topic.grants.flatMap((grant) => [grant.department, grant.purpose, grant.legal_basis]);
  return [topic.name, topic.owner, ...topic.types, ...grants, topic.classification];
}

/** What is searched of an event type. */
export function typeTexts(type: EventType): string[] {
  return [type.type, type.owner, type.topic ?? '', type.doc, ...type.fields.flatMap((one) => [one.name, one.doc])];
}

/** The department whose consumer group this is: groups are `<department>…` or `notify.<department>.<channel>`. */
export function departmentOf(group: string, departments: ReadonlySet<string>): string | null {
  const parts = group.split(/[.\-/]/);
  const [first = '', second = ''] = parts;
  const name = first === 'notify' ? second : first;
  return departments.has(name) ? name : null;
}
