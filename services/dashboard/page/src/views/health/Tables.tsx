// Tables of what has not been read, and of what nobody could handle.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Empty, sorted, Table, type Column, type Sort, type Tone } from '../../components';
import { has, lang, span, t } from '../../i18n';
import { Link } from '../../router';
import { byLag, type Lag, type Letters } from './data';

const ROW = 32;
const SHOWN = 10; // rows in sight; the rest is scrolled to

const TONES: Record<string, Tone> = {
  current: 'good', catching_up: 'info', behind: 'info', falling_behind: 'warn', stopped: 'warn', stuck: 'bad', unreadable: 'bad', held: 'bad',
};

export function LagTable({ lag }: { lag: readonly Lag[] }): JSX.Element {
  const [sort, setSort] = useState<Sort | null>(null);
  const [all, setAll] = useState(false);
  const rows = byLag(all ? lag : lag.filter((one) => one.events > 0 || one.stuck));
  const columns: Column<Lag>[] = [
    { key: 'group', title: t('health.group'), compare: text((one) => one.group), cell: (one) => <code>{one.group}</code> },
    { key: 'topic', title: t('health.topic'), compare: text((one) => one.topic), cell: (one) => <Topic name={one.topic} /> },
    { key: 'partition', title: t('health.partition'), width: '6rem', align: 'end', from: 720, compare: (one, other) => one.partition - other.partition, cell: (one) => one.partition },
    { key: 'events', title: t('health.events'), width: '9rem', align: 'end', compare: (one, other) => one.events - other.events, cell: unread },
    { key: 'seconds', title: t('health.waits'), width: '9rem', align: 'end', from: 720, compare: (one, other) => (one.seconds ?? -1) - (other.seconds ?? -1), cell: (one) => (one.seconds === null || one.events === 0 ? '–' : span(one.seconds * 1000)) },
    { key: 'state', title: t('health.state'), width: '10rem', compare: text(stateOf), cell: (one) => <State lag={one} /> },
  ];
  const label = t('health.lag');
  return (
    <>
      <label class="health-toggle">
        <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
        {t('health.lag.current')}
      </label>
      {rows.length === 0 ? (
        <Empty>{t('health.lag.none')}</Empty>
      ) : (
        <Table
          label={label}
          rows={sorted(rows, columns, sort)}
          columns={columns}
          rowKey={(one) => `${one.group} ${one.topic} ${one.partition}`}
          rowHeight={ROW}
          sort={sort}
          onSort={setSort}
          height={heightOf(rows.length)}
          narrow={{
            height: 64,
            cell: (one) => (
              <div class="health-block">
                <code>{one.group}</code> <State lag={one} />
                <span class="faint">
                  {one.topic}[{one.partition}] · {unread(one)} {t('health.events')}
                </span>
              </div>
            ),
          }}
        />
      )}
    </>
  );
}

export function LettersTable({ letters }: { letters: readonly Letters[] }): JSX.Element {
  const [sort, setSort] = useState<Sort | null>({ key: 'count', down: true });
  if (letters.length === 0) return <Empty>{t('health.letters.none')}</Empty>;
  const columns: Column<Letters>[] = [
    { key: 'topic', title: t('health.topic'), compare: text((one) => one.topic), cell: (one) => <Topic name={one.topic} /> },
    { key: 'reason', title: t('health.reason'), compare: text((one) => one.reason), cell: (one) => <span title={one.reason}>{one.reason}</span> },
    { key: 'count', title: t('health.count'), width: '7rem', align: 'end', compare: (one, other) => one.count - other.count, cell: (one) => figure(one.count) },
  ];
  return (
    <Table
      label={t('health.letters')}
      rows={sorted(letters, columns, sort)}
      columns={columns}
      rowKey={(one) => `${one.topic} ${one.reason}`}
      rowHeight={ROW}
      sort={sort}
      onSort={setSort}
      height={heightOf(letters.length)}
    />
  );
}

function Topic({ name }: { name: string }): JSX.Element {
  return (
    <Link to="/catalogue" query={{ tab: 'topics', topic: name }}>
      <code>{name}</code>
    </Link>
  );
}

function State({ lag }: { lag: Lag }): JSX.Element {
  const state = stateOf(lag);
  const key = `health.state.${state}`;
  return <Badge tone={TONES[state] ?? 'plain'}>{has(key) ? t(key) : state}</Badge>;
}

function stateOf(lag: Lag): string {
  return lag.state ?? (lag.stuck ? 'stuck' : lag.events > 0 ? 'behind' : 'current');
}

function unread(lag: Lag): string {
  const count = figure(lag.events);
  return lag.exact === false && lag.events > 0 ? t('health.atmost', { n: count }) : count;
}

function figure(value: number): string {
  return new Intl.NumberFormat(lang.value).format(value);
}

function text<T>(of: (one: T) => string): (one: T, other: T) => number {
  return (one, other) => of(one).localeCompare(of(other));
}

function heightOf(rows: number): string {
  return `${Math.min(rows, SHOWN) * ROW + 36}px`;
}
