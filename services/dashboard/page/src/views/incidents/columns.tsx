// The columns of the list, and its rows in narrow windows.
import type { JSX } from 'preact';
import { Badge, Colour, Grade, Level, Moment, width, type Column } from '../../components';
import { lang, span, t, title } from '../../i18n';
import { now } from '../../live';
import { Link } from '../../router';
import { departmentTitle } from '../../session';
import type { Row } from '../../types';
import { comparison } from './filter';
import { coarseNow, lateOf } from './store';

const NAMED_MAX = 2;
/** From this width on there is room for departments' names and the last change. */
const WIDE = 1100;

export function columns(): Column<Row>[] {
  const wide = width.value >= WIDE;
  const by = (key: string): ((a: Row, b: Row) => number) => comparison(key, coarseNow.value);
  return [
    { key: 'title', title: t('incidents.column.title'), compare: by('title'), cell: (row) => <Name row={row} /> },
    { key: 'level', title: t('level.title'), width: '8rem', compare: by('level'), cell: (row) => <Level level={row.level} /> },
    { key: 'grade', title: t('grade.title'), width: '7rem', compare: by('grade'), cell: (row) => <Grade grade={row.grade} /> },
    { key: 'colour', title: t('colour.title'), width: '8rem', compare: by('colour'), cell: (row) => <Colour colour={row.colour} /> },
    { key: 'region', title: t('incidents.column.region'), width: '7rem', from: 900, compare: by('region'), cell: (row) => <Region row={row} /> },
    { key: 'command', title: t('incidents.column.command'), width: '9rem', from: 1280, compare: by('command'), cell: (row) => <Command row={row} /> },
    { key: 'age', title: t('incidents.column.age'), width: '7rem', compare: by('age'), cell: (row) => <Age row={row} /> },
    { key: 'open', title: t('incidents.column.open'), width: '4.5rem', align: 'end', compare: by('open'), cell: (row) => row.open || <span class="faint">0</span> },
    { key: 'late', title: t('incidents.column.late'), width: wide ? '13rem' : '8rem', compare: by('late'), cell: (row) => <Late row={row} /> },
    { key: 'changed', title: t('incidents.column.changed'), width: '10.5rem', from: WIDE, compare: by('changed'), cell: (row) => <Moment at={row.changed_at} /> },
  ];
}

/** A row as a small block, in windows that are too narrow for columns. */
export function Block({ row }: { row: Row }): JSX.Element {
  return (
    <div class="incident-block">
      <Name row={row} />
      <div class="marks">
        <Level level={row.level} />
        <Grade grade={row.grade} />
        <Colour colour={row.colour} />
      </div>
      <div class="marks">
        <span>{t('incidents.tasks', { n: row.open })}</span>
        <Late row={row} />
        <Age row={row} />
      </div>
    </div>
  );
}

function Name({ row }: { row: Row }): JSX.Element {
  return (
    <span class="incident-name">
      <Link to="/incident" query={{ id: row.instance }} title={row.instance}>
        {title(row.titles)}
      </Link>
      <span class="key">{row.key}</span>
      {row.status === 'closed' && <Badge>{t('status.closed')}</Badge>}
      {row.lead && (
        <Badge tone="info" title={t('incidents.led.by', { lead: row.lead })}>
          {t('incidents.led')}
        </Badge>
      )}
      {row.parts.length > 0 && (
        <Badge tone="info" title={row.parts.join('\n')}>
          {t('incidents.leads', { n: row.parts.length })}
        </Badge>
      )}
    </span>
  );
}

function Region({ row }: { row: Row }): JSX.Element {
  if (!row.region) return <span class="faint">–</span>;
  return row.region_titles ? <span title={row.region}>{title(row.region_titles)}</span> : <span class="numeric">{row.region}</span>;
}

function Command({ row }: { row: Row }): JSX.Element {
  if (!row.command_department) return <span class="faint">–</span>;
  const department = departmentTitle(row.command_department);
  return <span title={`${department} ${row.command_unit ?? ''}`}>{row.command_unit ?? department}</span>;
}

function Age({ row }: { row: Row }): JSX.Element {
  const end = row.status === 'closed' && row.closed_at !== null ? row.closed_at : now.value;
  return <span class="numeric">{span(Math.max(0, end - row.opened_at))}</span>;
}

function Late({ row }: { row: Row }): JSX.Element {
  const late = lateOf(row, coarseNow.value);
  const paused = row.paused > 0 && <span class="faint">{t('incidents.paused', { n: row.paused })}</span>;
  if (late.length === 0) return <span class="late-tasks">{paused || <span class="faint">{row.open ? t('incidents.late.none') : '–'}</span>}</span>;
  const count = late.reduce((sum, [, n]) => sum + n, 0);
  const named = late.map(([department, n]) => t('incidents.late.by', { department: departmentTitle(department), n }));
  const comma = lang.value === 'zh' ? '、' : ', ';
  const more = named.length > NAMED_MAX ? ` +${named.length - NAMED_MAX}` : '';
  return (
    <span class="late-tasks" title={named.join(comma)}>
      <Badge tone="bad">
        <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M7 1h2l-.3 9H7.3zM7 12h2v2.5H7z" />
        </svg>
        {count}
      </Badge>
      <span class="names">
        {named.slice(0, NAMED_MAX).join(comma)}
        {more}
      </span>
      {paused}
    </span>
  );
}
