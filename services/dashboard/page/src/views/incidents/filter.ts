// What of the list is wanted: kept in the address, so that it can be bookmarked, sent and saved under a name.
import { RANK, type Sort } from '../../components';
import type { Query } from '../../api';
import type { Row } from '../../types';
import { departmentTitle } from '../../session';
import { lateCount } from './store';

export interface Filter {
  text: string;
  status: 'open' | 'closed' | 'all';
  kind: 'incident' | 'case' | 'all';
  /** I to IV, or `none`. */
  level: string;
  grade: string;
  colour: string;
  /** The beginning of a GB/T 2260 code; zeros at its end are left away. */
  region: string;
  department: string;
  late: boolean;
  sort: Sort;
}

export const LEVELS = ['I', 'II', 'III', 'IV', 'none'];
export const COLOURS = ['red', 'orange', 'yellow', 'blue', 'none'];
const DEFAULT_SORT: Sort = { key: 'late', down: true };
/** Names in the address that belong to the filter. */
const NAMES = ['q', 'status', 'kind', 'level', 'grade', 'colour', 'region', 'department', 'late', 'sort'];

/** The filter that an address asks for; what it does not know is as if it were not there. */
export function read(query: URLSearchParams): Filter {
  const one = <T extends string>(name: string, known: readonly T[], otherwise: T): T => {
    const given = query.get(name) as T | null;
    return given !== null && known.includes(given) ? given : otherwise;
  };
  const sort = query.get('sort');
  return {
    text: query.get('q') ?? '',
    status: one('status', ['open', 'closed', 'all'], 'open'),
    kind: one('kind', ['incident', 'case', 'all'], 'all'),
    level: one('level', LEVELS, ''),
    grade: one('grade', LEVELS, ''),
    colour: one('colour', COLOURS, ''),
    region: query.get('region') ?? '',
    department: query.get('department') ?? '',
    late: query.get('late') === '1',
    sort: sort ? { key: sort.replace(/^-/, ''), down: sort.startsWith('-') } : DEFAULT_SORT,
  };
}

/** The part of an address that says a filter, in a fixed order; what is usual is left away. */
export function write(filter: Filter): Query {
  const { key, down } = filter.sort;
  return {
    q: filter.text || null,
    status: filter.status === 'open' ? null : filter.status,
    kind: filter.kind === 'all' ? null : filter.kind,
    level: filter.level || null,
    grade: filter.grade || null,
    colour: filter.colour || null,
    region: filter.region || null,
    department: filter.department || null,
    late: filter.late ? '1' : null,
    sort: key === DEFAULT_SORT.key && down === DEFAULT_SORT.down ? null : `${down ? '-' : ''}${key}`,
  };
}

/** Whether anything but the order is set. */
export function isNarrowed(filter: Filter): boolean {
  return Object.entries(write(filter)).some(([name, value]) => name !== 'sort' && value !== null);
}

/** The names of an address that belong to a filter, as text to be kept. */
export function asText(query: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of NAMES) {
    const value = query.get(name);
    if (value) kept.set(name, value);
  }
  return kept.toString();
}

/** The rows that a filter wants, as late as they are at `at`. */
export function apply(rows: readonly Row[], filter: Filter, at: number): Row[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const region = filter.region.trim().replace(/(00)+$/, '');
  return rows.filter(
    (row) =>
      (filter.status === 'all' || row.status === filter.status) &&
      (filter.kind === 'all' || row.kind === null || row.kind === filter.kind) &&
      fits(row.level, filter.level) &&
      fits(row.grade, filter.grade) &&
      fits(row.colour, filter.colour) &&
      (region === '' || (row.region ?? '').startsWith(region)) &&
      (filter.department === '' || row.departments.includes(filter.department)) &&
      (!filter.late || lateCount(row, at) > 0) &&
      words.every((word) => searched(row).includes(word)),
  );
}

/** How rows compare, by the key of a column. */
export function comparison(key: string, at: number): (a: Row, b: Row) => number {
  const late = new Map<Row, number>();
  const lateness = (row: Row): number => {
    const known = late.get(row);
    if (known !== undefined) return known;
    const count = lateCount(row, at);
    late.set(row, count);
    return count;
  };
  switch (key) {
    case 'level':
      return (a, b) => rank(a.level) - rank(b.level) || a.changed_at - b.changed_at;
    case 'grade':
      return (a, b) => rank(a.grade) - rank(b.grade) || a.changed_at - b.changed_at;
    case 'colour':
      return (a, b) => rank(a.colour) - rank(b.colour) || a.changed_at - b.changed_at;
    case 'region':
      return (a, b) => text(a.region, b.region) || a.changed_at - b.changed_at;
    case 'title':
      return (a, b) => text(a.workflow, b.workflow) || text(a.key, b.key);
    case 'command':
      return (a, b) => text(a.command_department, b.command_department) || text(a.command_unit, b.command_unit);
    case 'age':
      return (a, b) => b.opened_at - a.opened_at; // the oldest is of the greatest age
    case 'open':
      return (a, b) => a.open - b.open || a.changed_at - b.changed_at;
    case 'changed':
      return (a, b) => a.changed_at - b.changed_at;
    default:
      return (a, b) =>
        Number(a.status === 'open') - Number(b.status === 'open') || lateness(a) - lateness(b) || a.changed_at - b.changed_at;
  }
}

const haystacks = new WeakMap<Row, string>();

function searched(row: Row): string {
  let found = haystacks.get(row);
  if (found === undefined) {
    const departments = row.departments.map((id) => `${id} ${departmentTitle(id)}`);
    found = [row.instance, row.titles.zh, row.titles.en, row.key, row.region, row.region_titles?.zh, row.region_titles?.en,
      row.command_unit, row.command_department, ...departments].join('\n').toLowerCase();
    haystacks.set(row, found);
  }
  return found;
}

function fits(value: string | null, wanted: string): boolean {
  return wanted === '' || (wanted === 'none' ? !value : value === wanted);
}

function rank(value: string | null): number {
  return value ? (RANK[value] ?? 0) : 0;
}

function text(a: string | null, b: string | null): number {
  return (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0;
}
