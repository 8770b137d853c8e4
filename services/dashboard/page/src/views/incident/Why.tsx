// Why: which rules linked events to the incident, which steps asked for tasks, and why the level is what it is.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Empty, Moment } from '../../components';
import { lang, t, title } from '../../i18n';
import { Link } from '../../router';
import { departmentTitle } from '../../session';
import type { Incident, Line } from '../../types';

const PARTS: [string, Set<string>][] = [
  ['why.linked', new Set(['opened', 'joined'])],
  ['why.asked', new Set(['task_requested', 'task_requested_again'])],
  ['why.not', new Set(['not_asked', 'already_asked', 'nobody_responsible', 'guard_failed', 'regions_failed', 'deadline_failed'])],
  ['why.level', new Set(['level', 'level_overtaken', 'level_failed'])],
  ['why.command', new Set(['command_taken', 'merged', 'split', 'ordered', 'order_void', 'reassigned', 'extended'])],
  ['why.escalated', new Set(['escalated', 'escalation_withdrawn'])],
];
const LATEST = 5;

/** Lines that say the same of the same rule. */
interface Group {
  key: string;
  kind: string;
  rule: string | null;
  lines: Line[];
}

export function Why({ incident }: { incident: Incident }): JSX.Element {
  const parts = useMemo(() => PARTS.map(([key, kinds]) => ({ key, groups: group(incident.timeline, kinds) })), [incident]);
  if (parts.every((part) => part.groups.length === 0)) return <Empty>{t('why.empty')}</Empty>;
  return (
    <div class="why">
      {parts
        .filter((part) => part.groups.length > 0)
        .map((part) => (
          <section key={part.key}>
            <h2>{t(part.key)}</h2>
            <ul>
              {part.groups.map((one) => (
                <Reason key={one.key} group={one} incident={incident} />
              ))}
            </ul>
          </section>
        ))}
    </div>
  );
}

function Reason({ group: { kind, rule, lines }, incident }: { group: Group; incident: Incident }): JSX.Element {
  const first = lines[0] as Line;
  const comma = lang.value === 'zh' ? '、' : ', ';
  const task = incident.tasks.find((one) => one.task === first.task);
  const departments = [...new Set(lines.map((line) => line.department).filter((one): one is string => !!one))];
  const bases = [...new Set(lines.map((line) => line.basis).filter((one): one is string => !!one))];
  const reasons = [...new Set(lines.map((line) => title(line.because)).filter((one) => one !== ''))];
  const latest = lines.slice(-LATEST).reverse();
  return (
    <li class="reason">
      <p>
        <strong>{title(task?.titles) || t(`kind.${kind}`)}</strong> {title(first.why) || (rule && t('why.rule', { rule }))}
        <span class="faint"> {t('why.times', { n: lines.length })}</span>
      </p>
      {departments.length > 0 && (
        <p>
          <span class="faint">{t('timeline.department')}</span> {departments.map(departmentTitle).join(comma)}
        </p>
      )}
      {reasons.length > 0 && (
        <p>
          <span class="faint">{t('order.reason')}</span> {reasons.join(comma)}
        </p>
      )}
      {bases.length > 0 && (
        <p>
          <span class="faint">{t('timeline.basis')}</span> {bases.join(comma)}
        </p>
      )}
      <p class="causes">
        <span class="faint">{t('why.causes')}</span>
        {latest.map((line) => (
          <Link key={line.event} to="/incident" query={{ id: incident.row.instance, tab: 'lineage', event: line.cause }}>
            {line.detail.type ?? t(`kind.${line.kind}`)} <Moment at={line.at} />
          </Link>
        ))}
      </p>
    </li>
  );
}

function group(lines: Line[], kinds: Set<string>): Group[] {
  const found = new Map<string, Group>();
  for (const line of lines) {
    if (!kinds.has(line.kind)) continue;
    const key = `${line.kind} ${line.rule ?? ''}`;
    const one = found.get(key);
    if (one) one.lines.push(line);
    else found.set(key, { key, kind: line.kind, rule: line.rule, lines: [line] });
  }
  return [...found.values()];
}
