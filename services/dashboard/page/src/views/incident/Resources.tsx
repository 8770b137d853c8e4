// How much of each resource was asked for and what became of it; below, what the incident remembers.
import type { JSX } from 'preact';
import { Badge, Empty, Moment } from '../../components';
import { t, title } from '../../i18n';
import type { Incident, Remembered, Resource } from '../../types';

const FIGURES = ['requested', 'committed', 'deployed', 'short', 'released', 'declined', 'cancelled', 'open'] as const;

export function Resources({ incident }: { incident: Incident }): JSX.Element {
  const facts = incident.remembered;
  return (
    <>
      {incident.resources.length === 0 ? (
        <Empty>{t('resources.empty')}</Empty>
      ) : (
        <div class="plain-scroll" tabIndex={0} role="region" aria-label={t('tab.resources')}>
          <table class="plain">
            <caption class="heard-only">{t('tab.resources')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('resources.resource')}</th>
                {FIGURES.map((figure) => (
                  <th key={figure} scope="col" class="end">
                    {t(`resources.${figure}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {incident.resources.map((line) => (
                <tr key={line.resource}>
                  <th scope="row">{line.resource || t('resources.all')}</th>
                  {FIGURES.map((figure) => (
                    <td key={figure} class="end" title={line.sources[figure] && t(`resources.source.${line.sources[figure]}`)}>
                      <Figure line={line} figure={figure} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {facts.length > 0 && (
        <details class="remembered">
          <summary>{t('resources.facts', { n: facts.length })}</summary>
          <dl class="facts">
            {facts.map((fact) => (
              <div key={fact.name} title={fact.name}>
                <dt>{title(fact.titles)}</dt>
                <dd>{shown(fact)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

function shown({ value, time }: Remembered): JSX.Element | string {
  if (time) return <Moment at={Number(value)} />;
  return typeof value === 'boolean' ? t(value ? 'yes' : 'no') : String(value);
}

function Figure({ line, figure }: { line: Resource; figure: (typeof FIGURES)[number] }): JSX.Element {
  const value = line[figure];
  if (value === null || value === undefined) return <span class="faint">–</span>;
  if (typeof value === 'boolean') return <>{t(value ? 'yes' : 'no')}</>;
  if (figure === 'short' && value > 0) return <Badge tone="bad">{t('resources.lack', { n: value })}</Badge>;
  return <>{value}</>;
}
