// What the server remarked of answers, as that one counts as late; by the event that was published.
import { signal } from '@preact/signals';
import { title } from '../i18n';
import type { Published, Titles } from '../types';

type Remark = string | Titles;

const remarks = signal<ReadonlyMap<string, readonly Remark[]>>(new Map());

/** Keep what was remarked of an answer. */
export function keepRemarks(published: Published): void {
  const said = (published.remarks ?? []) as readonly Remark[];
  if (said.length > 0) remarks.value = new Map(remarks.value).set(published.event_id, said);
}

/** What was remarked of an event that was published here, in the language chosen. */
export function remarksOf(event: string): string[] {
  return (remarks.value.get(event) ?? []).map((remark) => (typeof remark === 'string' ? remark : title(remark)));
}
