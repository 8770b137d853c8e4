// How the bus is, for operators: what calls for action first, then figures now and over the last hours.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Banner, Button, Empty, ErrorNote, Moment, PageTitle, Spinner } from '../../components';
import { moment, span, t } from '../../i18n';
import { may } from '../../session';
import { Bars } from './Bars';
import { Chart } from './Chart';
import { charts, type Health } from './data';
import { Findings } from './Findings';
import { LagTable, LettersTable } from './Tables';
import { useHealth } from './useHealth';
import './health.css';

const OLD_MS = 60_000;

export default function HealthView(): JSX.Element {
  if (!may('operator')) {
    return (
      <>
        <PageTitle text={t('health.title')} />
        <Empty>{t('health.forbidden')}</Empty>
      </>
    );
  }
  return <Watched />;
}

function Watched(): JSX.Element {
  const { health, error, read, at } = useHealth();
  const age = health ? at - health.at : 0;
  return (
    <>
      <div class="health-head">
        <PageTitle text={t('health.title')} />
        {health && <span class={age > OLD_MS ? 'health-old' : 'faint'}>{age > OLD_MS ? t('health.old', { span: span(age) }) : t('health.read', { at: moment(health.at) })}</span>}
        <Button onClick={read}>{t('health.refresh')}</Button>
      </div>
      <ErrorNote error={error} retry={read} />
      {health ? <Shown health={health} /> : error === null && <Spinner />}
    </>
  );
}

function Shown({ health }: { health: Health }): JSX.Element {
  const drawn = [...charts(health.series)];
  return (
    <>
      {health.problem && (
        <Banner kind="bad">
          {t('health.problem')} {health.problem}
        </Banner>
      )}
      <div class="health-cards">
        <Card title={t('health.findings')} wide aside={health.findings_at ? <><span>{t('health.findings.at')}</span> <Moment at={health.findings_at} /></> : null}>
          <Findings findings={health.findings} />
        </Card>
        <Card title={t('health.rates')}>
          <Bars label={t('health.rates')} unit={t('health.per_s')} rows={health.rates.map((one) => [one.department, one.per_s])} empty={t('health.rates.none')} />
        </Card>
        <Card title={t('health.overdue')}>
          <Bars label={t('health.overdue')} unit={t('health.tasks')} rows={health.overdue.map((one) => [one.department, one.tasks])} empty={t('health.overdue.none')} link />
        </Card>
        <Card title={t('health.lag')} wide>
          <LagTable lag={health.lag} />
        </Card>
        <Card title={t('health.letters')} wide>
          <LettersTable letters={health.letters} />
        </Card>
        <Card title={t('health.series')} wide>
          {drawn.length === 0 ? (
            <Empty>{t('health.series.none')}</Empty>
          ) : (
            <div class="charts">
              {drawn.map(([name, series]) => (
                <Chart key={name} name={name} series={series} />
              ))}
            </div>
          )}
        </Card>
      </div>
    </>
  );
}

function Card({ title, wide = false, aside = null, children }: { title: string; wide?: boolean; aside?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  const [id] = useState(() => `card-${(cards += 1)}`);
  return (
    <section class={`health-card${wide ? ' wide' : ''}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside && <span class="faint">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

let cards = 0;
