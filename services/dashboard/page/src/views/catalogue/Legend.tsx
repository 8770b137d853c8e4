// What the lines of the graph mean.
import type { JSX } from 'preact';
import { t } from '../../i18n';
import type { Known } from './graph';

const SHOWN: readonly Known[] = ['publishes', 'reads', 'granted', 'undeclared'];

export function Legend(): JSX.Element {
  return (
    <ul class="graph-legend" aria-label={t('catalogue.graph.legend')}>
      {SHOWN.map((known) => (
        <li key={known}>
          <svg viewBox="0 0 32 8" aria-hidden="true">
            <path class={`graph-edge ${known}`} d="M0 4H32" stroke-width={2} />
          </svg>
          {t(`catalogue.known.${known}`)}
        </li>
      ))}
      <li class="faint">{t('catalogue.graph.weight')}</li>
    </ul>
  );
}
