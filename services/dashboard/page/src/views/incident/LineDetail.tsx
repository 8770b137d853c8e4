// All that a line of the timeline says.
import type { ComponentChildren, JSX } from 'preact';
import { Badge, Button, Dialog } from '../../components';
import { momentExact, t, title } from '../../i18n';
import { amend, Link } from '../../router';
import { departmentTitle } from '../../session';
import type { Incident, Line } from '../../types';
import { toneOf } from './tones';

export function LineDetail({ line, incident, onClose }: { line: Line | null; incident: Incident; onClose: () => void }): JSX.Element | null {
  if (!line) return null;
  const id = incident.row.instance;
  const task = incident.tasks.find((one) => one.task === line.task);
  const leave = (): void => {
    onClose();
    amend({ at: line.at });
  };
  return (
    <Dialog open title={t(`kind.${line.kind}`)} onClose={onClose} wide footer={<Button onClick={leave}>{t('line.then')}</Button>}>
      <dl class="facts tall">
        <Fact name={t('timeline.at')}>{momentExact(line.at)}</Fact>
        <Fact name={t('timeline.kind')}>
          <Badge tone={toneOf(line.kind)}>{t(`kind.${line.kind}`)}</Badge> <code>{line.kind}</code>
        </Fact>
        <Fact name={t('line.why')}>{title(line.why)}</Fact>
        <Fact name={t('line.rule')}>{line.rule}</Fact>
        <Fact name={t('line.task')}>
          {line.task && (
            <>
              {title(task?.titles)} <code>{line.task}</code>
            </>
          )}
        </Fact>
        <Fact name={t('timeline.department')}>{line.department && `${departmentTitle(line.department)} (${line.department})`}</Fact>
        <Fact name={t('timeline.actor')}>{line.actor}</Fact>
        <Fact name={t('timeline.basis')}>{line.basis}</Fact>
        <Fact name={t('line.cause')}>
          <Link to="/incident" query={{ id, tab: 'lineage', event: line.cause }} onClickCapture={onClose}>
            <code>{line.cause}</code>
          </Link>
        </Fact>
        <Fact name={t('line.source')}>
          <code>{line.record}</code>
        </Fact>
        <Fact name={t('line.event')}>
          <code>{line.event}</code>
        </Fact>
        {Object.entries(line.detail).map(([name, value]) => (
          <Fact key={name} name={name}>
            {name === 'reason' ? title(line.because) : value}
          </Fact>
        ))}
      </dl>
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element | null {
  if (children === null || children === undefined || children === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
