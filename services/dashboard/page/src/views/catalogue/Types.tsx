// The event types, and of one of them its fields and what each version changed.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api';
import { Badge, Empty, ErrorNote, sorted, Spinner, Table, type Column, type Sort, type Tone } from '../../components';
import { t, title } from '../../i18n';
import { amend, Link } from '../../router';
import { departmentTitle } from '../../session';
import { matches, typeTexts, type Catalogue, type Change, type EventType, type TypeVersions, type Version } from './data';
import { Block, BLOCK, Fact, HEIGHT, Split } from './Split';
import { text, useStepping } from './Topics';

const TONE: Record<Change['kind'], Tone> = { added: 'good', removed: 'bad', changed: 'warn' };

export function Types({ catalogue, words, chosen }: { catalogue: Catalogue; words: string; chosen: string | null }): JSX.Element {
  const [sort, setSort] = useState<Sort | null>({ key: 'type', down: false });
  const type = catalogue.types.find((one) => one.type === chosen) ?? null;
  const columns: Column<EventType>[] = [
    { key: 'type', title: t('catalogue.type'), compare: text((one) => one.type), cell: (one) => <code>{one.type}</code> },
    ...(type ? [] : ([{ key: 'doc', title: t('catalogue.doc'), from: 900, cell: (one) => <span title={one.doc}>{one.doc}</span> }] as Column<EventType>[])),
    { key: 'owner', title: t('catalogue.owner'), width: '11rem', from: 720, compare: text((one) => departmentTitle(one.owner)), cell: (one) => departmentTitle(one.owner) },
    { key: 'versions', title: t('catalogue.versions'), width: '6rem', align: 'end', compare: (one, other) => one.versions.length - other.versions.length, cell: (one) => one.versions.length },
  ];
  const rows = sorted(catalogue.types.filter((one) => matches(words, ...typeTexts(one), departmentTitle(one.owner))), columns, sort);
  const choose = (name: string | null): void => amend({ type: name, tab: 'types' }, { replace: true });
  useStepping(rows.map((one) => one.type), chosen, choose);
  return (
    <Split
      heading={type?.type ?? null}
      onClose={() => choose(null)}
      details={type && <Details key={type.type} type={type} />}
      list={
        <Table
          label={t('catalogue.tab.types')}
          rows={rows}
          columns={columns}
          rowKey={(one) => one.type}
          rowHeight={32}
          sort={sort}
          onSort={setSort}
          selected={chosen}
          onSelect={choose}
          onOpen={(one) => choose(one.type)}
          height={HEIGHT}
          narrow={{
            height: BLOCK,
            cell: (one) => (
              <Block head={<code>{one.type}</code>}>
                {departmentTitle(one.owner)} · {t('catalogue.version', { n: one.versions[one.versions.length - 1] ?? 1 })}
              </Block>
            ),
          }}
          empty={<Empty>{t('catalogue.empty')}</Empty>}
        />
      }
    />
  );
}

function Details({ type }: { type: EventType }): JSX.Element {
  return (
    <>
      <p>{type.doc}</p>
      <dl class="catalogue-facts">
        <Fact name={t('catalogue.owner')}>{departmentTitle(type.owner)}</Fact>
        {type.topic && (
          <Fact name={t('catalogue.topic')}>
            <Link to="/catalogue" query={{ tab: 'topics', topic: type.topic }}>
              <code>{type.topic}</code>
            </Link>
          </Fact>
        )}
      </dl>
      <h3>{t('catalogue.fields')}</h3>
      <table class="catalogue-fields">
        <thead>
          <tr>
            <th scope="col">{t('catalogue.field')}</th>
            <th scope="col">{t('catalogue.field.type')}</th>
            <th scope="col">{t('catalogue.field.doc')}</th>
          </tr>
        </thead>
        <tbody>
          {type.fields.map((field) => (
            <tr key={field.name}>
              <th scope="row">
                <code>{field.name}</code>
              </th>
              <td>
                <code>{field.type}</code>
              </td>
              <td>{field.doc}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>{t('catalogue.versions')}</h3>
      <Versions type={type.type} />
    </>
  );
}

function Versions({ type }: { type: string }): JSX.Element {
  const [found, setFound] = useState<TypeVersions | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setError(null);
    get<TypeVersions>('/api/catalogue/type', { type }, stop.signal).then(setFound, (failed: unknown) => !stop.signal.aborted && setError(failed));
    return () => stop.abort();
  }, [type, attempt]);
  if (error) return <ErrorNote error={error} retry={() => setAttempt(attempt + 1)} />;
  if (found === null) return <Spinner />;
  const newest = [...found.versions].sort((one, other) => other.version - one.version);
  return (
    <ol class="versions">
      {newest.map((version, index) => (
        <VersionItem key={version.version} version={version} first={index === newest.length - 1} />
      ))}
    </ol>
  );
}

function VersionItem({ version, first }: { version: Version; first: boolean }): JSX.Element {
  const [wanted, setWanted] = useState(false);
  return (
    <li>
      <h4>{t('catalogue.version', { n: version.version })}</h4>
      {version.changes.length === 0 ? (
        <p class="faint">{t(first ? 'catalogue.version.first' : 'catalogue.version.same')}</p>
      ) : (
        <ul class="changes">
          {version.changes.map((change, index) => (
            <li key={`${change.path}-${index}`}>
              <Badge tone={TONE[change.kind] ?? 'plain'}>{t(`catalogue.change.${change.kind}`)}</Badge>
              <span>{title(change.says)}</span>
            </li>
          ))}
        </ul>
      )}
      <details onToggle={(event) => setWanted(event.currentTarget.open)}>
        <summary>{t('catalogue.version.schema', { n: version.version })}</summary>
        {wanted && (
          <pre class="schema" tabIndex={0}>
            {JSON.stringify(version.schema, null, 2)}
          </pre>
        )}
      </details>
    </li>
  );
}
