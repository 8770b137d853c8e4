// Where the nodes of the graph stand: three columns, ordered so that few edges cross. Pure.
//
// Departments both publish and read, so a graph of departments and topics goes round in circles. With publishers on
// the left, topics in the middle and readers on the right every edge runs one way and can be followed by eye.

import type { Graph, Node, Side } from './graph';

export interface Placed extends Node {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, Placed>;
  /** Per column from above, for the keyboard. */
  readonly columns: Readonly<Record<Side, readonly Placed[]>>;
}

/** Of a node and between them, in CSS pixels. */
export const NODE = { width: 168, height: 22 } as const;
const ROW = 27;
const MARGIN = 12;
/** The least that edges need between two columns. */
const GAP = 140;
/** More than this between two columns makes edges longer, not clearer. */
const GAP_MAX = 440;
const SWEEPS = 6;

/** Lay the graph out, as wide as there is room, in CSS pixels. */
export function layOut(graph: Graph, room: number): Layout {
  const near = neighbours(graph);
  const order: Record<Side, string[]> = { publisher: [], topic: [], reader: [] };
  for (const node of [...graph.nodes].sort((one, other) => one.name.localeCompare(other.name))) {
    order[node.side].push(node.id);
  }
  const rank = new Map<string, number>();
  const settle = (side: Side): void => {
    order[side].sort((one, other) => mean(one, near, rank) - mean(other, near, rank) || one.localeCompare(other));
    spread(order[side], near, rank);
  };
  order.topic.forEach((id, index) => rank.set(id, index));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    settle('publisher');
    settle('reader');
    // Topics stay side by side; the columns beside them take what place is left.
    order.topic.sort((one, other) => mean(one, near, rank) - mean(other, near, rank) || one.localeCompare(other));
    order.topic.forEach((id, index) => rank.set(id, index));
  }
  settle('publisher');
  settle('reader');
  even(order.reader, order.topic.length, rank);
  return placed(graph, order, rank, Math.max(GAP, Math.min(GAP_MAX, (room - 2 * MARGIN - 3 * NODE.width) / 2)));
}

function placed(graph: Graph, order: Record<Side, string[]>, rank: ReadonlyMap<string, number>, gap: number): Layout {
  const column: Record<Side, number> = { publisher: 0, topic: NODE.width + gap, reader: 2 * (NODE.width + gap) };
  const least = Math.min(0, ...rank.values());
  const most = Math.max(0, ...rank.values());
  const of = new Map(graph.nodes.map((node) => [node.id, node]));
  const nodes = new Map<string, Placed>();
  const columns: Record<Side, Placed[]> = { publisher: [], topic: [], reader: [] };
  for (const side of ['publisher', 'topic', 'reader'] as const) {
    for (const id of order[side]) {
      const node = of.get(id);
      if (node) {
        const one = { ...node, x: MARGIN + column[side], y: MARGIN + ((rank.get(id) ?? 0) - least) * ROW };
        nodes.set(id, one);
        columns[side].push(one);
      }
    }
  }
  const height = 2 * MARGIN + (most - least) * ROW + NODE.height;
  return { width: 2 * MARGIN + column.reader + NODE.width, height, nodes, columns };
}

function neighbours(graph: Graph): Map<string, string[]> {
  const near = new Map<string, string[]>(graph.nodes.map((node) => [node.id, []]));
  for (const edge of graph.edges) {
    near.get(edge.from)?.push(edge.to);
    near.get(edge.to)?.push(edge.from);
  }
  return near;
}

function mean(id: string, near: ReadonlyMap<string, readonly string[]>, rank: ReadonlyMap<string, number>): number {
  const ranks = (near.get(id) ?? []).map((one) => rank.get(one)).filter((one) => one !== undefined);
  return ranks.length === 0 ? (rank.get(id) ?? 0) : ranks.reduce((sum, one) => sum + one, 0) / ranks.length;
}

/** Give each of a column, in order, the row nearest to the mean of its neighbours, at least one apart. */
function spread(ids: readonly string[], near: ReadonlyMap<string, readonly string[]>, rank: Map<string, number>): void {
  const wanted = ids.map((id) => mean(id, near, rank));
  const down: number[] = [];
  const up: number[] = [];
  for (let index = 0; index < ids.length; index += 1) {
    down[index] = Math.max(wanted[index] ?? 0, (down[index - 1] ?? -Infinity) + 1);
  }
  for (let index = ids.length - 1; index >= 0; index -= 1) {
    up[index] = Math.min(wanted[index] ?? 0, (up[index + 1] ?? Infinity) - 1);
  }
  // Half way between pushing down and pushing up is as close on average, and still one apart.
  ids.forEach((id, index) => rank.set(id, ((down[index] ?? 0) + (up[index] ?? 0)) / 2));
}

/** Spread a column over all rows: who reads nearly everything has a mean in the middle, where all would crowd. */
function even(ids: readonly string[], rows: number, rank: Map<string, number>): void {
  const each = Math.max(1, rows / Math.max(1, ids.length));
  const first = (rows - 1) / 2 - ((ids.length - 1) / 2) * each;
  ids.forEach((id, index) => rank.set(id, first + index * each));
}

/** The way of an edge between two nodes, for `d`. */
export function way(from: Placed, to: Placed): string {
  const x1 = from.x + NODE.width;
  const y1 = from.y + NODE.height / 2;
  const y2 = to.y + NODE.height / 2;
  const bend = (to.x - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${to.x - bend} ${y2} ${to.x} ${y2}`;
}

/** How wide an edge is drawn, in pixels: by the order of magnitude of its rate. */
export function weight(rate: number | null): number {
  return rate === null || rate <= 0 ? 1 : Math.min(7, 1.5 + Math.log10(1 + rate * 60));
}
