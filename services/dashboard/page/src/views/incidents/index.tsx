// The list of incidents: live, filtered, sorted, of any length.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce, Button, Empty, ErrorNote, NARROW, PageTitle, Spinner, Table, useKeys, width } from '../../components';
import { lang, t, title } from '../../i18n';
import { onLive } from '../../live';
import { go, route } from '../../router';
import { may } from '../../session';
import type { Row } from '../../types';
import { OrderDialog } from '../incident/OrderDialog';
import { OrdersUnderway } from '../incident/OrdersUnderway';
import { Block, columns } from './columns';
import { apply, comparison, isNarrowed, read } from './filter';
import { Filters, set } from './Filters';
import { coarseNow, failure, lateCount, loaded, rowOf, rows, wantClosed } from './store';
import './incidents.css';

const BLOCK_HEIGHT = 92;

export default function Incidents(): JSX.Element {
  const { query } = route.value;
  const filter = useMemo(() => read(query), [query]);
  const search = useRef<HTMLInputElement>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const [opening, setOpening] = useState(false);
  useEffect(() => {
    if (filter.status !== 'open') wantClosed();
  }, [filter.status]);
  useAnnouncements();

  const at = coarseNow.value;
  const all = rows.value;
  const shown = useMemo(() => {
    const sign = filter.sort.down ? -1 : 1;
    const compare = comparison(filter.sort.key, at);
    return apply(all, filter, at).sort((a, b) => sign * compare(a, b) || (a.instance < b.instance ? -1 : 1));
  }, [all, filter, at, lang.value]);
  const late = useMemo(() => shown.filter((row) => lateCount(row, at) > 0).length, [shown, at]);

  const open = (row: Row): void => go('/incident', { id: row.instance });
  const move = (step: number): void => {
    const current = shown.findIndex((row) => row.instance === selected);
    const row = shown[Math.max(0, Math.min(shown.length - 1, current < 0 ? 0 : current + step))];
    if (row) setSelected(row.instance);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: (event) => {
      const row = shown.find((one) => one.instance === selected);
      if (!row || (event.target instanceof Element && event.target.closest('a,button,summary'))) return;
      event.preventDefault();
      open(row);
    },
    '/': (event) => {
      event.preventDefault();
      search.current?.focus();
      search.current?.select();
    },
  });

  const bar = <Filters filter={filter} search={search} />;
  return (
    <section class="incidents fills">
      <div class="incidents-head">
        <PageTitle text={t('incidents.title')} />
        <p class="tally">
          {t('incidents.count', { shown: shown.length, all: all.length })}
          {late > 0 && <strong class="late-count"> · {t('incidents.count.late', { n: late })}</strong>}
        </p>
        {may('commander') && <Button onClick={() => setOpening(true)}>{t('incidents.open')}</Button>}
      </div>
      {width.value < NARROW ? (
        <details class="filters" open={isNarrowed(filter)}>
          <summary>{t('incidents.filters')}</summary>
          {bar}
        </details>
      ) : (
        bar
      )}
      {failure.value !== null && <ErrorNote error={failure.value} />}
      <OrdersUnderway act="open" />
      {loaded.value ? (
        <Table
          label={t('incidents.table')}
          rows={shown}
          columns={columns()}
          rowKey={(row) => row.instance}
          sort={filter.sort}
          onSort={(sort) => set({ sort })}
          selected={selected}
          onSelect={setSelected}
          onOpen={open}
          narrow={{ height: BLOCK_HEIGHT, cell: (row) => <Block row={row} /> }}
          empty={<Nothing narrowed={isNarrowed(filter)} />}
        />
      ) : (
        failure.value === null && <Spinner />
      )}
      <OrderDialog open={opening} acts={['open']} onClose={() => setOpening(false)} />
    </section>
  );
}

/** Where the list is empty: what was over before anybody looked is one press away. */
function Nothing({ narrowed }: { narrowed: boolean }): JSX.Element {
  return (
    <Empty>
      {t(narrowed ? 'incidents.empty' : 'incidents.none')}{' '}
      {!narrowed && <Button onClick={() => set({ status: 'closed' })}>{t('incidents.ended')}</Button>}
    </Empty>
  );
}

/** Says new incidents by name, and of other changes how many there were. */
function useAnnouncements(): void {
  useEffect(() => {
    const changed = new Set<string>();
    return onLive('incident', (row: Row) => {
      if (!rowOf(row.instance) && row.status === 'open') {
        announce(t('incidents.new', { title: title(row.titles), key: row.key }));
        return;
      }
      changed.add(row.instance);
      window.setTimeout(() => {
        if (changed.size === 0) return;
        announce(t('incidents.changed', { n: changed.size }));
        changed.clear();
      }, 10_000);
    });
  }, []);
}
