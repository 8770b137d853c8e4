// Who publishes to which topic and who reads it, as nodes and edges, from the declarations and the real traffic.

import type { Catalogue, Topic } from './data';
import { departmentOf } from './data';

export type Side = 'publisher' | 'topic' | 'reader';

export interface Node {
  /** Unique in the graph: a department stands on both sides. */
  readonly id: string;
  readonly side: Side;
  /** The department or topic. */
  readonly name: string;
}

/** How an edge is known. */
export type Known = 'publishes' | 'granted' | 'reads' | 'undeclared';

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly topic: string;
  readonly department: string;
  /** `granted`: may read, and was not seen to; `undeclared`: seen to read a topic without a grant of its own. */
  readonly known: Known;
  /** Events per second; null where it is not known. */
  readonly rate: number | null;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

export interface Wanted {
  /** Only what it publishes or reads; null for all. */
  readonly department: string | null;
  /** Only its neighbourhood; null for all. */
  readonly topic: string | null;
  /** Whether topics of the bus itself are shown. */
  readonly own: boolean;
  /** Whether only reading that was seen counts. */
  readonly seen: boolean;
}

/** The graph of what is wanted. */
export function build(catalogue: Catalogue, wanted: Wanted): Graph {
  const departments = new Set(catalogue.departments.map((one) => one.id));
  const nodes = new Map<string, Node>();
  const edges: Edge[] = [];
  const node = (side: Side, name: string): string => {
    const id = `${side}:${name}`;
    nodes.set(id, { id, side, name });
    return id;
  };
  for (const topic of catalogue.topics) {
    const asked = wanted.topic === null ? wanted.own || departments.has(topic.owner) : topic.name === wanted.topic;
    if (!asked) {
      continue;
    }
    const readers = readersOf(topic, departments).filter((reader) => !wanted.seen || reader.known !== 'granted');
    const mine = (name: string): boolean => wanted.department === null || wanted.department === name;
    const publishes = mine(topic.owner);
    const shown = publishes ? readers : readers.filter((reader) => mine(reader.department));
    if (!publishes && shown.length === 0) {
      continue;
    }
    const here = node('topic', topic.name);
    const { name, rate } = topic;
    edges.push({
      from: node('publisher', topic.owner), to: here, topic: name, department: topic.owner, known: 'publishes', rate,
    });
    for (const reader of shown) {
      edges.push({ ...reader, from: here, to: node('reader', reader.department), topic: name, rate });
    }
  }
  return { nodes: [...nodes.values()], edges };
}

/** Who may read a topic and who was seen to, by department. */
export function readersOf(
  topic: Topic,
  departments: ReadonlySet<string>,
): { readonly department: string; readonly known: Known }[] {
  const seen = new Set<string>();
  for (const group of topic.readers) {
    const department = departmentOf(group, departments);
    if (department !== null) {
      seen.add(department);
    }
  }
  const granted = new Set(topic.grants.map((grant) => grant.department));
  const free = topic.sharing === 'unconditional';
  const found = [...granted].map((department) => ({
    department,
    known: (seen.has(department) ? 'reads' : 'granted') as Known,
  }));
  for (const department of seen) {
    if (!granted.has(department) && department !== topic.owner) {
      found.push({ department, known: free ? 'reads' : 'undeclared' });
    }
  }
  return found.sort((one, other) => one.department.localeCompare(other.department));
}
