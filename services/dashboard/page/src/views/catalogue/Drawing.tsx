// The graph, drawn. It is scrolled, dragged and zoomed; arrow keys go from node to node, and what a node touches stands out.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button, Toolbar } from '../../components';
import { t } from '../../i18n';
import { go } from '../../router';
import { departmentTitle } from '../../session';
import { Legend } from './Legend';
import type { Edge, Graph, Side } from './graph';
import { layOut, NODE, way, weight, type Layout, type Placed } from './layout';
import { rateText } from './Topics';
import { useDrag } from './useDrag';

const ZOOM = { least: 0.4, most: 2, step: 1.25 } as const;
const LEGIBLE = 0.75; // what is smaller cannot be read; then it is scrolled
const SIDES: readonly Side[] = ['publisher', 'topic', 'reader'];

export function Drawing({ graph }: { graph: Graph }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(0);
  const layout = useMemo(() => layOut(graph, room), [graph, room]);
  const [zoom, setZoom] = useState(1);
  const [at, setAt] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const dragged = useDrag(frame);
  const current = (at !== null && layout.nodes.get(at)) || layout.columns.topic[0] || [...layout.nodes.values()][0];
  const lit = over ?? (at !== null && layout.nodes.has(at) ? at : null);
  const touched = useMemo(() => near(graph.edges, lit), [graph, lit]);

  const fit = (): void => {
    setZoom(Math.max(LEGIBLE, Math.min(1, room / layout.width)));
  };
  useEffect(fit, [layout.width, room]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const key = (event: KeyboardEvent): void => {
    const next = current && neighbour(layout, graph.edges, current, event.key);
    if (event.key === '+' || event.key === '-') setZoom(clamp(zoom * (event.key === '+' ? ZOOM.step : 1 / ZOOM.step)));
    else if (event.key === 'Enter' && current) openNode(current);
    else if (next) {
      setAt(next.id);
      document.getElementById(`node-${next.id}`)?.focus();
    } else return;
    event.preventDefault();
  };
  return (
    <>
      <Toolbar label={t('catalogue.graph.zoom')}>
        <Button aria-label={t('catalogue.graph.out')} onClick={() => setZoom(clamp(zoom / ZOOM.step))}>
          −
        </Button>
        <Button aria-label={t('catalogue.graph.in')} onClick={() => setZoom(clamp(zoom * ZOOM.step))}>
          +
        </Button>
        <Button onClick={fit}>{t('catalogue.graph.fit')}</Button>
        <span class="faint">{t('catalogue.graph.keys')}</span>
      </Toolbar>
      <div class="drawing" ref={frame} tabIndex={0} role="region" aria-label={t('catalogue.graph.drawing')}>
        <svg
          width={layout.width * zoom}
          height={layout.height * zoom}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="group"
          aria-label={t('catalogue.graph.label')}
          class={lit === null ? undefined : 'lit'}
          onKeyDown={key}
        >
          <g aria-hidden="true">
            {graph.edges.map((edge) => (
              <EdgeLine key={`${edge.from} ${edge.to}`} edge={edge} layout={layout} lit={lit !== null && (edge.from === lit || edge.to === lit)} />
            ))}
          </g>
          {SIDES.flatMap((side) => layout.columns[side]).map((node) => (
            <NodeBox
              key={node.id}
              node={node}
              edges={graph.edges.filter((edge) => edge.from === node.id || edge.to === node.id).length}
              reachable={node.id === current?.id}
              lit={touched.has(node.id)}
              onFocus={() => setAt(node.id)}
              onOver={(is) => setOver(is ? node.id : null)}
              onOpen={() => dragged() || openNode(node)}
            />
          ))}
        </svg>
      </div>
      <Legend />
    </>
  );
}

function EdgeLine({ edge, layout, lit }: { edge: Edge; layout: Layout; lit: boolean }): JSX.Element | null {
  const from = layout.nodes.get(edge.from);
  const to = layout.nodes.get(edge.to);
  if (!from || !to) return null;
  const rate = edge.rate === null ? '' : ` · ${rateText(edge.rate)} ${t('catalogue.rate')}`;
  return (
    <path class={`graph-edge ${edge.known}${lit ? ' on' : ''}`} d={way(from, to)} stroke-width={edge.known === 'granted' ? 1 : weight(edge.rate)}>
      <title>{`${from.side === 'topic' ? from.name : nodeTitle(from)} → ${to.side === 'topic' ? to.name : nodeTitle(to)}: ${t(`catalogue.known.${edge.known}`)}${rate}`}</title>
    </path>
  );
}

interface NodeProps {
  node: Placed;
  edges: number;
  /** Whether the tab key comes to it; the arrow keys go on from there. */
  reachable: boolean;
  lit: boolean;
  onFocus: () => void;
  onOver: (is: boolean) => void;
  onOpen: () => void;
}

function NodeBox({ node, edges, reachable, lit, onFocus, onOver, onOpen }: NodeProps): JSX.Element {
  const text = nodeTitle(node);
  const side = t(node.side === 'topic' ? 'catalogue.topic' : `catalogue.graph.${node.side}`);
  return (
    <g
      id={`node-${node.id}`}
      class={`graph-node ${node.side}${lit ? ' on' : ''}`}
      transform={`translate(${node.x} ${node.y})`}
      role="button"
      aria-label={t('catalogue.graph.node', { side, name: text, n: edges })}
      tabIndex={reachable ? 0 : -1}
      onFocus={onFocus}
      onMouseEnter={() => onOver(true)}
      onMouseLeave={() => onOver(false)}
      onClick={onOpen}
    >
      <title>{text}</title>
      <rect width={NODE.width} height={NODE.height} rx={node.side === 'topic' ? 12 : 2} />
      <text x={8} y={15}>
        {shortened(text)}
      </text>
    </g>
  );
}

function nodeTitle(node: Placed): string {
  return node.side === 'topic' ? node.name : departmentTitle(node.name);
}

const ROOM = 23; // letters of half an em; a Chinese character takes two

function shortened(text: string): string {
  let room = ROOM;
  const kept = [...text].filter((letter) => (room -= letter.charCodeAt(0) > 0x2e7f ? 2 : 1) >= 0);
  return kept.length === [...text].length ? text : `${kept.slice(0, -1).join('')}…`;
}

function openNode(node: Placed): void {
  if (node.side === 'topic') go('/catalogue', { tab: 'topics', topic: node.name });
  else go('/catalogue', { tab: 'graph', department: node.name });
}

/** A node and those it has an edge with. */
function near(edges: readonly Edge[], id: string | null): ReadonlySet<string> {
  const found = new Set<string>(id === null ? [] : [id]);
  for (const edge of edges) {
    if (edge.from === id) found.add(edge.to);
    if (edge.to === id) found.add(edge.from);
  }
  return found;
}

/** Where an arrow key leads: up and down in the column, left and right along an edge. */
function neighbour(layout: Layout, edges: readonly Edge[], node: Placed, key: string): Placed | undefined {
  const column = layout.columns[node.side];
  const index = column.findIndex((one) => one.id === node.id);
  switch (key) {
    case 'ArrowDown':
      return column[index + 1];
    case 'ArrowUp':
      return column[index - 1];
    case 'ArrowRight':
      return closest(layout, edges.filter((edge) => edge.from === node.id).map((edge) => edge.to), node);
    case 'ArrowLeft':
      return closest(layout, edges.filter((edge) => edge.to === node.id).map((edge) => edge.from), node);
    default:
      return undefined;
  }
}

function closest(layout: Layout, ids: readonly string[], node: Placed): Placed | undefined {
  const found = ids.flatMap((id) => layout.nodes.get(id) ?? []);
  return found.sort((one, other) => Math.abs(one.y - node.y) - Math.abs(other.y - node.y))[0];
}

function clamp(zoom: number): number {
  return Math.max(ZOOM.least, Math.min(ZOOM.most, zoom));
}
