// What a department may say of a task: buttons for what is usual, a dialog for it and for the rest, and what came of it.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { acts } from '../acts';
import { announce, Button } from '../components';
import { t, title } from '../i18n';
import { actsFor } from '../session';
import { AnswerDialog } from './AnswerDialog';
import { possible, usual, type Act, type ActionTask } from './answers';
import { Receipts, receiptText } from './Receipts';
import './forms.css';

interface TaskActionsProps {
  task: ActionTask;
  /** An answer took effect, or turned out to be in vain: look at the task again. */
  onDone?: () => void;
  /** Opened from outside, as by a key; `onClosed` is called when it is shut. */
  open?: boolean;
  onClosed?: () => void;
}

export function TaskActions({ task, onDone, open = false, onClosed }: TaskActionsProps): JSX.Element | null {
  const [chosen, choose] = useState<Act | null>(null);
  const mine = acts.value.filter((one) => one.task !== null && task.task.startsWith(one.task));
  const underway = mine.filter((one) => one.state === 'waiting').map((one) => one.act);
  const allowed = actsFor(task.department) ? possible(task, underway) : [];
  const settled = mine.filter((one) => one.state !== 'waiting');

  const told = useRef(settled.length);
  useEffect(() => {
    const latest = settled[0];
    if (settled.length > told.current && latest) {
      announce(`${title(task.titles)}: ${receiptText(latest)}`);
      onDone?.();
    }
    told.current = settled.length;
  }, [settled.length]);

  const group = useRef<HTMLDivElement>(null);
  const first = allowed[0];
  const shown = chosen ?? (open && first ? first : null);
  const close = (): void => {
    choose(null);
    onClosed?.();
    // the button that opened the dialog may be gone by now
    window.setTimeout(() => document.activeElement === document.body && group.current?.focus());
  };
  const nothing = open && allowed.length === 0;
  useEffect(() => {
    if (nothing) onClosed?.();
  }, [nothing]);
  const buttons = usual(task, underway).filter((act) => allowed.includes(act));
  if (allowed.length === 0 && mine.length === 0) return null;
  return (
    <div class="task-actions" ref={group} tabIndex={-1} role="group" aria-label={t('act.group', { task: title(task.titles) })}>
      {buttons.map((act, index) => (
        <Button key={act} kind={index === 0 ? 'primary' : 'plain'} aria-label={t('act.of', { act: t(`act.${act}`), task: title(task.titles) })} onClick={() => choose(act)}>
          {t(`act.${act}`)}
        </Button>
      ))}
      {first && allowed.length > buttons.length && (
        <Button kind="quiet" aria-haspopup="dialog" aria-label={t('act.more.of', { task: title(task.titles) })} onClick={() => choose(allowed.find((act) => !buttons.includes(act)) ?? first)}>
          {t('act.more')}
        </Button>
      )}
      <Receipts acts={mine} />
      {shown && <AnswerDialog task={task} act={shown} allowed={allowed} onChoose={choose} onClose={close} />}
    </div>
  );
}
