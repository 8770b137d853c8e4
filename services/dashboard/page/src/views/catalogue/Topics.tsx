// The topics, and of one of them everything: grants with purpose and basis, and who was seen reading.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Empty, sorted, Table, useKeys, type Column, type Sort, type Tone } from '../../components';
import { has, lang, span, t } from '../../i18n';
import { amend, Link } from '../../router';
import { departmentTitle } from '../../session';
import { matches, topicTexts, type Catalogue, type Grant, type Topic } from './data';
import { readersOf, type Known } from './graph';
import { Block, BLOCK, Fact, HEIGHT, Split } from './Split';

const TONE: Record<Known, Tone> = { publishes: 'info', granted: 'plain', reads: 'good', undeclared: 'bad' };
const GUARDED: Record<string, Tone> = { sensitive: 'warn', secret: 'bad' };

export function Topics({ catalogue, words, chosen }: { catalogue: Catalogue; words: string; chosen: string | null }): JSX.Element {
  const [sort, setSort] = useState<Sort | null>({ key: 'name', down: false });
  const topic = catalogue.topics.find((one) => one.name === chosen) ?? null;
  const columns: Column<Topic>[] = [
    { key: 'name', title: t('catalogue.topic'), compare: text((one) => one.name), cell: (one) => <code>{one.name}</code> },
    { key: 'owner', title: t('catalogue.owner'), compare: text((one) => departmentTitle(one.owner)), cell: (one) => departmentTitle(one.owner) },
    ...(topic
      ? []
      : ([
          { key: 'sharing', title: t('catalogue.sharing'), width: '9rem', from: 900, compare: text((one) => one.sharing), cell: (one) => named('sharing', one.sharing) },
          { key: 'classification', title: t('catalogue.classification'), width: '7rem', from: 900, compare: text((one) => one.classification), cell: (one) => <Classification topic={one} /> },
          { key: 'types', title: t('catalogue.types'), width: '6rem', align: 'end', from: 1100, compare: (one, other) => one.types.length - other.types.length, cell: (one) => one.types.length },
          { key: 'grants', title: t('catalogue.grants'), width: '6rem', align: 'end', from: 1100, compare: (one, other) => one.grants.length - other.grants.length, cell: (one) => one.grants.length },
        ] as Column<Topic>[])),
    { key: 'rate', title: t('catalogue.rate'), width: '7rem', align: 'end', compare: (one, other) => (one.rate ?? -1) - (other.rate ?? -1), cell: (one) => rateText(one.rate) },
  ];
  const rows = sorted(catalogue.topics.filter((one) => matches(words, ...topicTexts(one), departmentTitle(one.owner))), columns, sort);
  const choose = (name: string | null): void => amend({ topic: name, tab: 'topics' }, { replace: true });
  useStepping(rows.map((one) => one.name), chosen, choose);
  return (
    <Split
      heading={topic?.name ?? null}
      onClose={() => choose(null)}
      details={topic && <Details catalogue={catalogue} topic={topic} />}
      list={
        <Table
          label={t('catalogue.tab.topics')}
          rows={rows}
          columns={columns}
          rowKey={(one) => one.name}
          rowHeight={32}
          sort={sort}
          onSort={setSort}
          selected={chosen}
          onSelect={choose}
          onOpen={(one) => choose(one.name)}
          height={HEIGHT}
          narrow={{
            height: BLOCK,
            cell: (one) => (
              <Block head={<code>{one.name}</code>}>
                {departmentTitle(one.owner)} · {rateText(one.rate)} {t('catalogue.rate')}
              </Block>
            ),
          }}
          empty={<Empty>{t('catalogue.empty')}</Empty>}
        />
      }
    />
  );
}

function Details({ catalogue, topic }: { catalogue: Catalogue; topic: Topic }): JSX.Element {
  const readers = readersOf(topic, new Set(catalogue.departments.map((one) => one.id)));
  return (
    <>
      <dl class="catalogue-facts">
        <Fact name={t('catalogue.owner')}>{departmentTitle(topic.owner)}</Fact>
        <Fact name={t('catalogue.key')}>
          <code>{topic.key}</code>
        </Fact>
        <Fact name={t('catalogue.partitions')}>{topic.partitions}</Fact>
        <Fact name={t('catalogue.retention')}>{topic.retention === null ? t('catalogue.forever') : span(topic.retention)}</Fact>
        <Fact name={t('catalogue.cleanup')}>{named('cleanup', topic.cleanup)}</Fact>
        <Fact name={t('catalogue.sharing')}>{named('sharing', topic.sharing)}</Fact>
        <Fact name={t('catalogue.classification')}>
          <Classification topic={topic} />
        </Fact>
        <Fact name={t('catalogue.rate')}>{topic.rate === null ? t('catalogue.rate.unknown') : rateText(topic.rate)}</Fact>
      </dl>
      <h3>{t('catalogue.types')}</h3>
      <ul class="chips">
        {topic.types.map((type) => (
          <li key={type}>
            <Link to="/catalogue" query={{ tab: 'types', type }}>
              <code>{type}</code>
            </Link>
          </li>
        ))}
      </ul>
      <h3>{t('catalogue.grants')}</h3>
      {topic.grants.length === 0 ? <p class="faint">{t('catalogue.grants.none')}</p> : <Grants grants={topic.grants} known={new Map(readers.map((one) => [one.department, one.known]))} />}
      <h3>{t('catalogue.readers')}</h3>
      <ul class="chips">
        {readers.filter((one) => one.known === 'undeclared').map((one) => (
          <li key={one.department}>
            {departmentTitle(one.department)} <Badge tone="bad">{t('catalogue.known.undeclared')}</Badge>
          </li>
        ))}
        {topic.readers.length === 0 ? <li class="faint">{t('catalogue.readers.none')}</li> : topic.readers.map((group) => <li key={group}><code>{group}</code></li>)}
      </ul>
      <p>
        <Link to="/catalogue" query={{ tab: 'graph', topic: topic.name }}>
          {t('catalogue.tab.graph')}
        </Link>
      </p>
    </>
  );
}

function Grants({ grants, known }: { grants: readonly Grant[]; known: ReadonlyMap<string, Known> }): JSX.Element {
  return (
    <ul class="grants">
      {grants.map((grant, index) => {
        const reading = known.get(grant.department) ?? 'granted';
        return (
          <li key={`${grant.department}-${index}`}>
            <p class="grant-head">
              <strong>{departmentTitle(grant.department)}</strong>
              <Badge tone={TONE[reading]}>{t(`catalogue.known.${reading}`)}</Badge>
              {grant.in_force === false && <Badge tone="bad">{t('catalogue.grant.over')}</Badge>}
              <span class="faint">
                {t('catalogue.grant.until')} {grant.until ?? t('catalogue.grant.open')}
              </span>
            </p>
            <p>{grant.purpose}</p>
            <p class="faint">{grant.legal_basis}</p>
            <p class="faint">
              {t('catalogue.grant.fields')}: {grant.fields === null ? t('catalogue.grant.fields.all') : <code>{grant.fields.join(', ')}</code>}
            </p>
          </li>
        );
      })}
    </ul>
  );
}

function Classification({ topic }: { topic: Topic }): JSX.Element {
  return <Badge tone={GUARDED[topic.classification] ?? 'plain'}>{named('classification', topic.classification)}</Badge>;
}

/** Words for a value of the declarations; the value itself where there are none. */
export function named(what: string, value: string): string {
  const key = `catalogue.${what}.${value}`;
  return has(key) ? t(key) : value;
}

/** A rate for people; a dash where it is not known. */
export function rateText(rate: number | null): string {
  return rate === null ? '–' : new Intl.NumberFormat(lang.value, { maximumSignificantDigits: 3 }).format(rate);
}

/** j and k choose the next and the previous of some rows, Escape none. */
export function useStepping(names: readonly string[], chosen: string | null, choose: (name: string | null) => void): void {
  const step = (by: number): void => {
    const at = chosen === null ? -1 : names.indexOf(chosen);
    const next = names[Math.max(0, Math.min(names.length - 1, at < 0 ? 0 : at + by))];
    if (next !== undefined) choose(next);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Escape: () => chosen !== null && choose(null),
  });
}

/** Compares by a text of each. */
export function text<T>(of: (one: T) => string): (one: T, other: T) => number {
  return (one, other) => of(one).localeCompare(of(other));
}
