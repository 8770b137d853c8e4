// What happened, when, by which rule, on what basis, from what cause. Of any length: only rows in sight are drawn.
import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { Badge, Empty, Moment, sorted, Table, Toolbar, useKeys, type Column, type Sort } from '../../components';
import { t, title } from '../../i18n';
import { departmentTitle } from '../../session';
import type { Incident, Line } from '../../types';
import { LineDetail } from './LineDetail';
import { toneOf } from './tones';

export function Timeline({ incident }: { incident: Incident }): JSX.Element {
  const [text, setText] = useState('');
  const [department, setDepartment] = useState('');
  const [sort, setSort] = useState<Sort>({ key: 'at', down: true });
  const [selected, setSelected] = useState<string | null>(null);
  const [opened, setOpened] = useState<Line | null>(null);
  const search = useRef<HTMLInputElement>(null);

  const tasks = useMemo(() => new Map(incident.tasks.map((task) => [task.task, task])), [incident]);
  const departments = useMemo(() => [...new Set(incident.timeline.map((line) => line.department).filter((one): one is string => !!one))].sort(), [incident]);
  const about = (line: Line): string => title(tasks.get(line.task ?? '')?.titles) || title(line.because) || line.detail.type || line.rule || '';
  const columns: Column<Line>[] = [
    { key: 'at', title: t('timeline.at'), width: '10.5rem', compare: (a, b) => a.at - b.at, cell: (line) => <Moment at={line.at} /> },
    { key: 'kind', title: t('timeline.kind'), width: '12.5rem', compare: (a, b) => (a.kind < b.kind ? -1 : 1), cell: (line) => <Badge tone={toneOf(line.kind)}>{t(`kind.${line.kind}`)}</Badge> },
    { key: 'about', title: t('timeline.about'), cell: (line) => <span title={title(line.why) || about(line)}>{about(line) || title(line.why)}</span> },
    { key: 'department', title: t('timeline.department'), width: '9rem', compare: (a, b) => ((a.department ?? '') < (b.department ?? '') ? -1 : 1), cell: (line) => departmentTitle(line.department) },
    { key: 'actor', title: t('timeline.actor'), width: '8rem', from: 1100, cell: (line) => line.actor },
    { key: 'basis', title: t('timeline.basis'), width: '16rem', from: 1280, cell: (line) => <span title={line.basis ?? undefined}>{line.basis}</span> },
    { key: 'record', title: t('timeline.record'), width: '12rem', from: 1000, cell: (line) => <code>{line.record}</code> },
  ];
  const wanted = text.trim().toLowerCase();
  const shown = useMemo(() => {
    const found = incident.timeline
      .map((line, index) => ({ ...line, index }))
      .filter((line) => (department === '' || line.department === department) && (wanted === '' || haystack(line, about(line)).includes(wanted)));
    // lines of one moment stay in the order in which they happened
    const ordered = sort.down && sort.key === 'at' ? found.reverse() : found;
    return sorted(ordered, columns, sort);
  }, [incident, wanted, department, sort]);

  const key = (line: Line): string => line.event;
  const at = shown.findIndex((line) => key(line) === selected);
  const move = (step: number): void => {
    const next = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? 0 : at + step))];
    if (next) setSelected(key(next));
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: (event) => {
      const line = shown[at];
      if (!line || (event.target instanceof Element && event.target.closest('a,button,summary'))) return;
      event.preventDefault();
      setOpened(line);
    },
    '/': (event) => {
      event.preventDefault();
      search.current?.focus();
    },
  });

  return (
    <>
      <Toolbar label={t('incidents.filters')}>
        <label class="search">
          <span class="heard-only">{t('incidents.search')}</span>
          <input ref={search} type="search" value={text} placeholder={t('timeline.search')} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label class="choice">
          <span>{t('timeline.department')}</span>
          <select value={department} onChange={(event) => setDepartment(event.currentTarget.value)}>
            <option value="">{t('incidents.all')}</option>
            {departments.map((one) => (
              <option key={one} value={one}>
                {departmentTitle(one)}
              </option>
            ))}
          </select>
        </label>
        <span class="tally">{t('incidents.count', { shown: shown.length, all: incident.timeline.length })}</span>
      </Toolbar>
      <Table
        label={t('tab.timeline')}
        rows={shown}
        columns={columns}
        rowKey={key}
        rowHeight={32}
        sort={sort}
        onSort={setSort}
        selected={selected}
        onSelect={setSelected}
        onOpen={setOpened}
        height="max(320px, calc(100dvh - 340px))"
        narrow={{
          height: 72,
          cell: (line) => (
            <div class="line-block">
              <span>
                <Moment at={line.at} /> <Badge tone={toneOf(line.kind)}>{t(`kind.${line.kind}`)}</Badge>
              </span>
              <span>{about(line) || title(line.why)}</span>
              <span class="faint">{departmentTitle(line.department)}</span>
            </div>
          ),
        }}
        empty={<Empty>{t('timeline.empty')}</Empty>}
      />
      {incident.unplaced.length > 0 && (
        <details class="unplaced">
          <summary>{t('timeline.unplaced', { n: incident.unplaced.length })}</summary>
          <ul>
            {incident.unplaced.map((line) => (
              <li key={line.event}>
                <Moment at={line.at} /> {t(`kind.${line.kind}`)} <span class="faint">{line.rule}</span> <code>{line.record}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
      <LineDetail line={opened} incident={incident} onClose={() => setOpened(null)} />
    </>
  );
}

function haystack(line: Line, about: string): string {
  return [t(`kind.${line.kind}`), line.kind, about, line.rule, departmentTitle(line.department), line.department, line.actor,
    line.basis, line.record, line.cause, line.event, ...Object.values(line.detail)].join('\n').toLowerCase();
}
