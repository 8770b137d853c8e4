// Who publishes and who reads, as a drawing or as a table; of all, of one department or around one topic.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Badge, Empty, Table, Toolbar, type Column, type Tone } from '../../components';
import { t, title } from '../../i18n';
import { amend, Link } from '../../router';
import { departmentTitle } from '../../session';
import type { Catalogue } from './data';
import { Drawing } from './Drawing';
import { build, type Edge, type Graph, type Known } from './graph';
import { Block, BLOCK, HEIGHT } from './Split';
import { rateText } from './Topics';

const TONE: Record<Known, Tone> = { publishes: 'info', granted: 'plain', reads: 'good', undeclared: 'bad' };

export function GraphTab({ catalogue, query }: { catalogue: Catalogue; query: URLSearchParams }): JSX.Element {
  const department = query.get('department');
  const topic = query.get('topic');
  const own = query.get('own') === '1';
  const seen = query.get('seen') === '1';
  const asTable = query.get('as') === 'table';
  const graph = useMemo(() => build(catalogue, { department, topic, own, seen }), [catalogue, department, topic, own, seen]);
  const sortedDepartments = [...catalogue.departments].sort((one, other) => title(one.titles).localeCompare(title(other.titles)));
  return (
    <>
      <Toolbar label={t('catalogue.tab.graph')}>
        <label class="catalogue-choose">
          <span>{t('catalogue.graph.department')}</span>
          <select value={department ?? ''} onChange={(event) => amend({ department: event.currentTarget.value }, { replace: true })}>
            <option value="">{t('catalogue.graph.all')}</option>
            {sortedDepartments.map((one) => (
              <option key={one.id} value={one.id}>
                {title(one.titles)}
              </option>
            ))}
          </select>
        </label>
        <label class="catalogue-choose">
          <span>{t('catalogue.topic')}</span>
          <select value={topic ?? ''} onChange={(event) => amend({ topic: event.currentTarget.value }, { replace: true })}>
            <option value="">{t('catalogue.graph.topics.all')}</option>
            {catalogue.topics.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <Check label={t('catalogue.graph.seen')} on={seen} onChange={(on) => amend({ seen: on ? '1' : null }, { replace: true })} />
        <Check label={t('catalogue.graph.own')} on={own} onChange={(on) => amend({ own: on ? '1' : null }, { replace: true })} />
        <label class="catalogue-choose">
          <span>{t('catalogue.graph.as')}</span>
          <select value={asTable ? 'table' : 'drawing'} onChange={(event) => amend({ as: event.currentTarget.value === 'table' ? 'table' : null }, { replace: true })}>
            <option value="drawing">{t('catalogue.graph.drawing')}</option>
            <option value="table">{t('catalogue.graph.table')}</option>
          </select>
        </label>
      </Toolbar>
      {graph.edges.length === 0 ? <Empty>{t('catalogue.graph.empty')}</Empty> : asTable ? <EdgeTable catalogue={catalogue} graph={graph} /> : <Drawing graph={graph} />}
    </>
  );
}

function Check({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <label class="catalogue-choose">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

interface Row {
  publisher: string;
  edge: Edge;
}

/** The same as the drawing says: a line for each reader of a topic, and one for a topic without any. */
function EdgeTable({ catalogue, graph }: { catalogue: Catalogue; graph: Graph }): JSX.Element {
  const owners = new Map(catalogue.topics.map((one) => [one.name, one.owner]));
  const read = new Set(graph.edges.filter((edge) => edge.known !== 'publishes').map((edge) => edge.topic));
  const rows: Row[] = graph.edges
    .filter((edge) => edge.known !== 'publishes' || !read.has(edge.topic))
    .map((edge) => ({ publisher: owners.get(edge.topic) ?? '', edge }));
  const columns: Column<Row>[] = [
    { key: 'publisher', title: t('catalogue.graph.publisher'), cell: (row) => departmentTitle(row.publisher) },
    {
      key: 'topic',
      title: t('catalogue.topic'),
      cell: (row) => (
        <Link to="/catalogue" query={{ tab: 'topics', topic: row.edge.topic }}>
          <code>{row.edge.topic}</code>
        </Link>
      ),
    },
    { key: 'rate', title: t('catalogue.rate'), width: '6rem', align: 'end', from: 720, cell: (row) => rateText(row.edge.rate) },
    { key: 'reader', title: t('catalogue.graph.reader'), cell: (row) => (row.edge.known === 'publishes' ? '–' : departmentTitle(row.edge.department)) },
    { key: 'known', title: t('catalogue.graph.how'), width: '15rem', from: 720, cell: (row) => <Badge tone={TONE[row.edge.known]}>{t(`catalogue.known.${row.edge.known}`)}</Badge> },
  ];
  return (
    <Table
      label={t('catalogue.graph.label')}
      rows={rows}
      columns={columns}
      rowKey={(row) => `${row.edge.from} ${row.edge.to}`}
      rowHeight={32}
      height={HEIGHT}
      narrow={{
        height: BLOCK,
        cell: (row) => (
          <Block
            head={
              <>
                <code>{row.edge.topic}</code> <Badge tone={TONE[row.edge.known]}>{t(`catalogue.known.${row.edge.known}`)}</Badge>
              </>
            }
          >
            {departmentTitle(row.publisher)} → {row.edge.known === 'publishes' ? '–' : departmentTitle(row.edge.department)}
          </Block>
        ),
      }}
    />
  );
}
