// What a commander orders, with basis and reason. Nothing is done until the timeline shows it.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../api';
import { Button, Dialog, ErrorNote, Field, roman } from '../../components';
import { fromInput, moment, t, title, toInput } from '../../i18n';
import { departmentTitle, session } from '../../session';
import type { Incident, Row, TaskRecord } from '../../types';
import { rows } from '../incidents/store';
import { order, type OrderAct, type OrderBody } from './orders';
import { dueOf } from './tasks';
import './orders.css';

interface Props {
  open: boolean;
  acts: OrderAct[];
  /** The incident concerned; none where one is to be opened. */
  incident?: Incident;
  /** The task that the order is about, where it was given from a task. */
  task?: TaskRecord | null;
  onClose: () => void;
}

type Values = Record<string, string>;
const LEVELS = ['I', 'II', 'III', 'IV'];

export function OrderDialog({ open, acts, incident, task, onClose }: Props): JSX.Element {
  return open ? <Opened acts={acts} incident={incident} task={task} onClose={onClose} /> : <></>;
}

function Opened({ acts, incident, task, onClose }: Omit<Props, 'open'>): JSX.Element {
  const [act, setAct] = useState<OrderAct>(acts[0] ?? 'level');
  const [values, setValues] = useState<Values>({ task: task?.task ?? '' });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const put = (name: string) => (event: { currentTarget: { value: string } }) =>
    setValues((before) => ({ ...before, [name]: event.currentTarget.value }));
  const at = error instanceof ApiError ? error.field : undefined;
  const wrong = (name: string): string | undefined => (at === name && error instanceof ApiError ? error.message() : undefined);
  useEffect(() => setError(null), [act]);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await order(body(act, values, incident));
      onClose();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      open
      title={incident ? t('order.title', { title: title(incident.row.titles), key: incident.row.key }) : t('order.open')}
      onClose={onClose}
      footer={
        <>
          <span class="hint faint">{t('order.effect')}</span>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button kind={act === 'close' ? 'danger' : 'primary'} type="submit" form="order" busy={busy}>
            {t('order.publish')}
          </Button>
        </>
      }
    >
      <form id="order" class="form" onSubmit={(event) => void submit(event)}>
        {acts.length > 1 && (
          <Field label={t('order.act')}>
            <select value={act} onChange={(event) => setAct(event.currentTarget.value as OrderAct)}>
              {acts.map((one) => (
                <option key={one} value={one}>
                  {t(`order.${one}`)}
                </option>
              ))}
            </select>
          </Field>
        )}
        <p class="faint">{t(`order.means.${act}`)}</p>
        <Particulars act={act} values={values} put={put} wrong={wrong} incident={incident} />
        <Field label={t('order.basis')} hint={t('order.basis.hint')} error={wrong('basis')} required>
          {(control) => (
            <>
              <input {...control} required maxLength={500} list="bases" value={values.basis ?? ''} onInput={put('basis')} />
              <datalist id="bases">
                {bases(incident).map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label={t('order.reason')} error={wrong('reason')} required>
          <textarea required maxLength={4000} value={values.reason ?? ''} onInput={put('reason')} />
        </Field>
        {error !== null && at === undefined && <ErrorNote error={error} />}
      </form>
    </Dialog>
  );
}

interface ParticularsProps {
  act: OrderAct;
  values: Values;
  put: (name: string) => (event: { currentTarget: { value: string } }) => void;
  wrong: (name: string) => string | undefined;
  incident: Incident | undefined;
}

function Particulars({ act, values, put, wrong, incident }: ParticularsProps): JSX.Element | null {
  const open = incident?.tasks.filter((one) => one.outcome === null) ?? [];
  const chosen = open.find((one) => one.task === values.task);
  const tasks = (
    <Field label={t('order.task')} error={wrong('task')} required>
      <select required value={values.task ?? ''} onChange={put('task')}>
        <option value="">{t('order.choose')}</option>
        {[...open].sort((a, b) => dueOf(a) - dueOf(b)).map((one) => (
          <option key={one.task} value={one.task}>
            {`${title(one.titles)} · ${departmentTitle(one.department)} · ${moment(dueOf(one))}`}
          </option>
        ))}
      </select>
    </Field>
  );
  switch (act) {
    case 'level':
      return (
        <Field label={t('level.title')} error={wrong('level')} required>
          <select required value={values.level ?? ''} onChange={put('level')}>
            <option value="">{t('order.choose')}</option>
            {LEVELS.filter((one) => one !== incident?.row.level).map((one) => (
              <option key={one} value={one}>
                {t('level.value', { roman: roman(one) })}
              </option>
            ))}
          </select>
        </Field>
      );
    case 'reassign':
      return (
        <>
          {tasks}
          <Field label={t('order.department')} error={wrong('department')} required>
            <select required value={values.department ?? ''} onChange={put('department')}>
              <option value="">{t('order.choose')}</option>
              {Object.entries(session.value?.departments ?? {})
                .filter(([id]) => id !== chosen?.department)
                .map(([id, titles]) => (
                  <option key={id} value={id}>
                    {title(titles) || id}
                  </option>
                ))}
            </select>
          </Field>
        </>
      );
    case 'extend':
      return (
        <>
          {tasks}
          {chosen && chosen.acknowledged_at === null && (
            <Field label={t('order.acknowledge_by')} hint={t('order.now', { at: moment(chosen.acknowledge_by) })} error={wrong('acknowledge_by')}>
              <input type="datetime-local" min={toInput(chosen.acknowledge_by)} value={values.acknowledge_by ?? ''} onInput={put('acknowledge_by')} />
            </Field>
          )}
          <Field label={t('order.complete_by')} hint={chosen && t('order.now', { at: moment(chosen.complete_by) })} error={wrong('complete_by')}>
            <input type="datetime-local" min={chosen && toInput(chosen.complete_by)} value={values.complete_by ?? ''} onInput={put('complete_by')} />
          </Field>
        </>
      );
    case 'merge':
      return (
        <Field label={t('order.into')} hint={t('order.into.hint')} error={wrong('into')} required>
          {(control) => (
            <>
              <input {...control} required list="leads" value={values.into ?? ''} onInput={put('into')} />
              <datalist id="leads">
                {leads(incident).map((row) => (
                  <option key={row.instance} value={row.instance}>
                    {`${title(row.titles)} ${row.key}`}
                  </option>
                ))}
              </datalist>
            </>
          )}
        </Field>
      );
    case 'open':
      return (
        <>
          <Field label={t('order.workflow')} error={wrong('workflow')} required>
            {(control) => (
              <>
                <input {...control} required list="workflows" value={values.workflow ?? ''} onInput={put('workflow')} />
                <datalist id="workflows">
                  {[...new Map(rows.value.map((row) => [row.workflow, row.titles]))].map(([name, titles]) => (
                    <option key={name} value={name}>
                      {title(titles)}
                    </option>
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <Field label={t('order.key')} hint={t('order.key.hint')} error={wrong('key')} required>
            <input required maxLength={200} value={values.key ?? ''} onInput={put('key')} />
          </Field>
          <Field label={t('order.region')} hint={t('order.region.hint')} error={wrong('region')}>
            <input inputMode="numeric" maxLength={12} value={values.region ?? ''} onInput={put('region')} />
          </Field>
        </>
      );
    default:
      return null;
  }
}

function body(act: OrderAct, values: Values, incident: Incident | undefined): OrderBody {
  const text = (name: string): string => (values[name] ?? '').trim();
  const given: OrderBody = { act, basis: text('basis'), reason: text('reason') };
  if (incident) given.instance = incident.row.instance;
  if (act === 'level') given.level = text('level');
  if (act === 'reassign') Object.assign(given, { task: text('task'), department: text('department') });
  if (act === 'merge') given.into = text('into');
  if (act === 'open') Object.assign(given, { workflow: text('workflow'), key: text('key'), region: text('region') || undefined });
  if (act === 'extend') {
    given.task = text('task');
    for (const name of ['acknowledge_by', 'complete_by'] as const) {
      const ms = fromInput(text(name));
      if (ms !== null) given[name] = ms;
    }
  }
  return given;
}

/** The bases that the incident rests on so far, to choose from. */
function bases(incident: Incident | undefined): string[] {
  return [...new Set((incident?.timeline ?? []).map((line) => line.basis).filter((one): one is string => !!one))].sort();
}

/** Open incidents that could lead this one. */
function leads(incident: Incident | undefined): Row[] {
  const own = incident?.row;
  return rows.value
    .filter((row) => row.status === 'open' && row.instance !== own?.instance && !row.lead)
    .sort((a, b) => Number(b.workflow === own?.workflow) - Number(a.workflow === own?.workflow) || b.changed_at - a.changed_at)
    .slice(0, 200);
}
