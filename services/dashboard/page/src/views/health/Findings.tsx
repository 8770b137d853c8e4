// What was found of the bus, gravest first, each with what to do; what is fine only counts.
import type { JSX } from 'preact';
import { Badge, Empty, type Tone } from '../../components';
import { has, t, title } from '../../i18n';
import { byGravity, type Finding, type Said, type Severity } from './data';
import { callsText } from './useHealth';

const TONE: Record<Severity, Tone> = { error: 'bad', warning: 'warn', note: 'info', fine: 'good' };

export function Findings({ findings }: { findings: readonly Finding[] }): JSX.Element {
  if (findings.length === 0) return <Empty>{t('health.findings.none')}</Empty>;
  const told = byGravity(findings).filter((one) => one.severity !== 'fine');
  const fine = findings.filter((one) => one.severity === 'fine');
  const calls = told.filter((one) => one.severity === 'error' || one.severity === 'warning').length;
  return (
    <>
      <p class="findings-calls">
        <Badge tone={calls > 0 ? 'bad' : 'good'}>{callsText(calls)}</Badge>
      </p>
      <ul class="findings">
        {told.map((one, index) => (
          <Item key={`${one.kind}-${index}`} finding={one} />
        ))}
      </ul>
      {fine.length > 0 && (
        <details>
          <summary>{t('health.findings.fine', { n: fine.length })}</summary>
          <ul class="findings">
            {fine.map((one, index) => (
              <Item key={`${one.area}-${index}`} finding={one} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Item({ finding }: { finding: Finding }): JSX.Element {
  const advice = said(finding.advice);
  return (
    <li class={`finding ${finding.severity}`}>
      <Badge tone={TONE[finding.severity]}>{t(`health.severity.${finding.severity}`)}</Badge>
      <span class="finding-area">{area(finding.area)}</span>
      <p class="finding-text">{said(finding.text)}</p>
      {advice && (
        <p class="finding-advice">
          <strong>{t('health.todo')}</strong> {advice}
        </p>
      )}
    </li>
  );
}

function area(id: string): string {
  const key = `health.area.${id}`;
  return has(key) ? t(key) : id;
}

function said(text: Said | string | null): string {
  return typeof text === 'string' ? text : title(text);
}
