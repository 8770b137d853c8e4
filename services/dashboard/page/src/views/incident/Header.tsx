// What the incident is: level with its history, grade and colour apart, who commands, what it leads or is led by.
import type { ComponentChildren, JSX } from 'preact';
import { Badge, Colour, Grade, Level, Moment, PageTitle } from '../../components';
import { lang, span, t, title } from '../../i18n';
import { now } from '../../live';
import { Link } from '../../router';
import { departmentTitle } from '../../session';
import type { Incident } from '../../types';

interface Props {
  incident: Incident;
  past: boolean;
  children?: ComponentChildren;
}

export function Header({ incident, past, children }: Props): JSX.Element {
  const { row, facts } = incident;
  const fact = (name: 'grade' | 'colour'): string | null => {
    if (!past) return row[name];
    const value = facts?.[name];
    return typeof value === 'string' && value ? value : null;
  };
  const level = past ? incident.level : row.level;
  const closed = past ? incident.closed_at : row.closed_at;
  const end = closed ?? (past ? incident.as_of : now.value);
  return (
    <header class="incident-header">
      <div class="line">
        <Link to="/incidents" class="back" aria-label={t('incident.back')}>
          ‹
        </Link>
        <PageTitle text={`${title(row.titles)} ${row.key}`}>
          {title(row.titles)} <span class="key">{row.key}</span>
        </PageTitle>
        <Badge tone={closed === null ? 'info' : 'plain'}>{t(closed === null ? 'status.open' : 'status.closed')}</Badge>
        <div class="incident-acts">{children}</div>
      </div>
      <dl class="facts">
        <Fact name={t('level.title')}>
          <Level level={level} />
        </Fact>
        <Fact name={t('grade.title')}>
          <Grade grade={fact('grade')} />
        </Fact>
        <Fact name={t('colour.title')}>
          <Colour colour={fact('colour')} />
        </Fact>
        <Fact name={t('incidents.column.region')}>
          {row.region_titles ? `${title(row.region_titles)} ` : ''}
          {row.region ?? '–'}
        </Fact>
        <Fact name={t('incident.command')}>
          {row.command_department ? `${departmentTitle(row.command_department)} ${row.command_unit ?? ''}` : '–'}
        </Fact>
        <Fact name={t('incident.opened')}>
          <Moment at={row.opened_at} /> <span class="faint">{span(Math.max(0, end - row.opened_at))}</span>
        </Fact>
        {closed !== null && (
          <Fact name={t('incident.closed')}>
            <Moment at={closed} /> {title(incident.closed_because)}
          </Fact>
        )}
        {row.lead && (
          <Fact name={t('incident.lead')}>
            <Link to="/incident" query={{ id: row.lead }}>
              {row.lead}
            </Link>
          </Fact>
        )}
        {row.parts.length > 0 && (
          <Fact name={t('incident.parts')}>
            {row.parts.map((part) => (
              <Link key={part} to="/incident" query={{ id: part }} class="part">
                {part}
              </Link>
            ))}
          </Fact>
        )}
      </dl>
      <History incident={incident} />
      {incident.note && <p class="faint">{incident.note[lang.value]}</p>}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** How the level came to be what it is. */
function History({ incident }: { incident: Incident }): JSX.Element | null {
  if (incident.levels.length === 0) return null;
  return (
    <details class="history">
      <summary>{t('incident.levels', { n: incident.levels.length })}</summary>
      <ol>
        {incident.levels.map((change, index) => (
          <li key={index}>
            <Moment at={change.at} />
            <span class="change">
              <Level level={change.from_level} compact /> <span aria-hidden="true">→</span>
              <span class="heard-only">{t('incident.levels.to')}</span> <Level level={change.to_level} />
            </span>
            <span>
              {title(change.reason)}
              {change.actor && ` · ${change.actor}`}
              {change.basis && <span class="faint"> · {change.basis}</span>}
            </span>
            <Link to="/incident" query={{ id: incident.row.instance, tab: 'lineage', event: change.cause }}>
              {t('incident.cause')}
            </Link>
          </li>
        ))}
      </ol>
    </details>
  );
}
