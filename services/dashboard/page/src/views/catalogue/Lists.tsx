// The data elements with their one source, and the departments with what they publish and may read.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Empty, sorted, Table, type Column, type Sort } from '../../components';
import { t, title } from '../../i18n';
import { Link } from '../../router';
import { departmentTitle } from '../../session';
import { matches, type Catalogue, type Department, type Element } from './data';
import { Block, BLOCK, HEIGHT } from './Split';
import { named, text } from './Topics';

export function Elements({ catalogue, words }: { catalogue: Catalogue; words: string }): JSX.Element {
  const [sort, setSort] = useState<Sort | null>({ key: 'id', down: false });
  const columns: Column<Element>[] = [
    { key: 'id', title: t('catalogue.element'), compare: text((one) => one.id), cell: (one) => <code>{one.id}</code> },
    { key: 'owner', title: t('catalogue.element.source'), compare: text((one) => departmentTitle(one.owner)), cell: (one) => departmentTitle(one.owner) },
  ];
  const rows = catalogue.elements.filter((one) => matches(words, one.id, one.owner, departmentTitle(one.owner)));
  return (
    <Table
      label={t('catalogue.tab.elements')}
      rows={sorted(rows, columns, sort)}
      columns={columns}
      rowKey={(one) => `${one.owner} ${one.id}`}
      rowHeight={32}
      sort={sort}
      onSort={setSort}
      height={HEIGHT}
      empty={<Empty>{t('catalogue.empty')}</Empty>}
    />
  );
}

export function Departments({ catalogue, words }: { catalogue: Catalogue; words: string }): JSX.Element {
  const [sort, setSort] = useState<Sort | null>({ key: 'title', down: false });
  const publishes = (id: string): number => catalogue.topics.filter((topic) => topic.owner === id).length;
  const reads = (id: string): number => catalogue.topics.filter((topic) => topic.grants.some((grant) => grant.department === id && grant.in_force !== false)).length;
  const columns: Column<Department>[] = [
    {
      key: 'title',
      title: t('catalogue.department'),
      compare: text((one) => title(one.titles)),
      cell: (one) => (
        <>
          {title(one.titles)} <code class="faint">{one.id}</code>
        </>
      ),
    },
    { key: 'level', title: t('catalogue.department.level'), width: '7rem', from: 720, compare: text((one) => one.level), cell: (one) => named('level', one.level) },
    { key: 'region', title: t('catalogue.department.region'), width: '7rem', from: 720, compare: text((one) => one.region), cell: (one) => one.region },
    { key: 'code', title: t('catalogue.department.code'), width: '13rem', from: 1100, compare: text((one) => one.org_code), cell: (one) => <code>{one.org_code}</code> },
    { key: 'publishes', title: t('catalogue.department.publishes'), width: '7rem', align: 'end', compare: (one, other) => publishes(one.id) - publishes(other.id), cell: (one) => publishes(one.id) },
    { key: 'reads', title: t('catalogue.department.reads'), width: '7rem', align: 'end', compare: (one, other) => reads(one.id) - reads(other.id), cell: (one) => reads(one.id) },
    {
      key: 'graph',
      title: t('catalogue.tab.graph'),
      width: '6rem',
      cell: (one) => (
        <Link to="/catalogue" query={{ tab: 'graph', department: one.id }}>
          {t('catalogue.tab.graph')}
        </Link>
      ),
    },
  ];
  const rows = catalogue.departments.filter((one) => matches(words, one.id, one.titles.zh, one.titles.en, one.region, one.org_code));
  return (
    <Table
      label={t('catalogue.tab.departments')}
      rows={sorted(rows, columns, sort)}
      columns={columns}
      rowKey={(one) => one.id}
      rowHeight={32}
      sort={sort}
      onSort={setSort}
      height={HEIGHT}
      narrow={{
        height: BLOCK,
        cell: (one) => (
          <Block
            head={
              <Link to="/catalogue" query={{ tab: 'graph', department: one.id }}>
                {title(one.titles)}
              </Link>
            }
          >
            {t('catalogue.department.publishes')} {publishes(one.id)} · {t('catalogue.department.reads')} {reads(one.id)} · {named('level', one.level)}
          </Block>
        ),
      }}
      empty={<Empty>{t('catalogue.empty')}</Empty>}
    />
  );
}
