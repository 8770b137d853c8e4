// From what was typed to the JSON of an event, and what is wrong with it, by the path of the field it names.

import type { Draft, Field, Group } from './fields';
import { itemOf } from './fields';

/** What is wrong with one field; the words stand under `form.error.<wrong>`. */
export type Wrong = 'missing' | 'integer' | 'number' | 'time' | 'choice' | 'name' | 'twice' | 'range';

export interface Assembled {
  readonly data: Record<string, unknown>;
  /** By path, such as `site.region` or `sites[0].name`. */
  readonly wrong: ReadonlyMap<string, Wrong>;
}

/** The JSON of `fields`, with times in Beijing's zone; what is optional and empty is null. */
export function assemble(fields: readonly Field[], typed: Group): Assembled {
  const wrong = new Map<string, Wrong>();
  return { data: parts(fields, typed, '', wrong), wrong };
}

/** The path of a part. */
export function under(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** The path of an item of a list; of a map, of the name in that row. What the name means is `under` it. */
export function at(path: string, index: number): string {
  return `${path}[${index}]`;
}

type Found = Map<string, Wrong>;

function parts(fields: readonly Field[], typed: Group, path: string, wrong: Found): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const field of fields) {
    data[field.name] = value(field, typed.parts[field.name] ?? null, under(path, field.name), wrong);
  }
  return data;
}

function value(field: Field, typed: Draft, path: string, wrong: Found): unknown {
  if (typed === null) {
    if (!field.optional) {
      wrong.set(path, 'missing');
    }
    return null;
  }
  if (typeof typed === 'string') {
    return scalar(field, typed, path, wrong);
  }
  switch (typed.of) {
    case 'group':
      return parts(field.fields ?? [], typed, path, wrong);
    case 'list':
      return typed.items.map((one, index) => value(itemOf(field), one.draft, at(path, index), wrong));
    case 'map':
      return entries(field, typed.entries, path, wrong);
  }
}

function entries(
  field: Field,
  rows: readonly { readonly name: string; readonly draft: Draft }[],
  path: string,
  wrong: Found,
): Record<string, unknown> {
  // Without a prototype: a name that is typed in may be any word, also one that objects know.
  const data: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  rows.forEach((row, index) => {
    const name = row.name.trim();
    const here = at(path, index);
    if (name === '') {
      wrong.set(here, 'name');
    } else if (name in data) {
      wrong.set(here, 'twice');
    } else {
      data[name] = value(itemOf(field), row.draft, under(path, name), wrong);
    }
  });
  return data;
}

function scalar(field: Field, text: string, path: string, wrong: Found): unknown {
  const trimmed = text.trim();
  if (trimmed === '') {
    if (!field.optional) {
      wrong.set(path, 'missing');
    }
    return null;
  }
  const [made, mistake] = READ[field.kind](trimmed, field);
  if (mistake !== null) {
    wrong.set(path, mistake);
  }
  return made;
}

type Read = (text: string, field: Field) => readonly [unknown, Wrong | null];

const WHOLE = /^[+-]?\d+$/;
const WALL_CLOCK = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/;

const READ: Record<Field['kind'], Read> = {
  text: (text) => [text, null],
  integer: (text) => {
    if (!WHOLE.test(text)) {
      return [null, 'integer'];
    }
    const number = Number(text);
    return Number.isSafeInteger(number) ? [number, null] : [null, 'range'];
  },
  number: (text) => {
    const number = Number(text);
    return Number.isFinite(number) ? [number, null] : [null, 'number'];
  },
  boolean: (text) => (text === 'true' || text === 'false' ? [text === 'true', null] : [null, 'choice']),
  time: (text) => {
    const whole = text.length === 16 ? `${text}:00` : text;
    const fits = WALL_CLOCK.test(text) && !Number.isNaN(Date.parse(`${whole}+08:00`));
    return fits ? [`${whole}+08:00`, null] : [null, 'time'];
  },
  choice: (text, field) => ((field.choices ?? []).includes(text) ? [text, null] : [null, 'choice']),
  list: (text) => [text, null],
  group: (text) => [text, null],
  map: (text) => [text, null],
};
