// One input for one value: a text, a number, a time of Beijing's clock, a choice.
import type { JSX } from 'preact';
import { Button, Field as Labelled, type ControlProps } from '../components';
import { t, toInput } from '../i18n';
import { now } from '../live';
import type { Field } from './fields';

interface ScalarProps {
  field: Field;
  /** What it is called, where its own name does not say it, as for an item of a list. */
  name: string;
  typed: string;
  /** What is wrong with it, in words. */
  error: string | undefined;
  onChange: (typed: string) => void;
}

const LONG = 60; // letters; what is longer is shown in an area

export function Scalar({ field, name, typed, error, onChange }: ScalarProps): JSX.Element {
  return (
    <Labelled label={<Label field={field} name={name} />} error={error} required={!field.optional}>
      {(control) => input(field, name, typed, control, onChange)}
    </Labelled>
  );
}

/** What a field means, and its name in the event. */
export function Label({ field, name }: { field: Field; name: string }): JSX.Element {
  return (
    <>
      {field.label || name}
      {field.label && field.name && <code class="form-name">{field.name}</code>}
    </>
  );
}

function input(field: Field, name: string, typed: string, control: ControlProps, onChange: (typed: string) => void): JSX.Element {
  const common = { ...control, 'aria-required': !field.optional };
  const take = (event: { currentTarget: { value: string } }): void => onChange(event.currentTarget.value);
  switch (field.kind) {
    case 'choice':
      return <Choice {...common} typed={typed} optional={field.optional} choices={(field.choices ?? []).map((one) => [one, one])} take={take} />;
    case 'boolean':
      return <Choice {...common} typed={typed} optional={field.optional} choices={[['true', t('form.yes')], ['false', t('form.no')]]} take={take} />;
    case 'time':
      return (
        <span class="form-time">
          <input {...common} type="datetime-local" value={typed} onInput={take} />
          <span class="faint">{t('form.time.zone')}</span>
          <Button kind="quiet" aria-label={t('form.time.now.of', { name: field.label || name })} onClick={() => onChange(toInput(now.value))}>
            {t('form.time.now')}
          </Button>
        </span>
      );
    case 'integer':
    case 'number':
      // no `type=number`: it hides what it cannot read, and a wheel over it changes figures
      return <input {...common} type="text" inputMode={field.kind === 'integer' ? 'numeric' : 'decimal'} autocomplete="off" value={typed} onInput={take} />;
    default:
      return typed.length > LONG || typed.includes('\n') ? (
        <textarea {...common} rows={3} value={typed} onInput={take} />
      ) : (
        <input {...common} type="text" autocomplete="off" value={typed} onInput={take} />
      );
  }
}

interface ChoiceProps extends ControlProps {
  'aria-required': boolean;
  typed: string;
  optional: boolean;
  choices: (readonly [string, string])[];
  take: (event: { currentTarget: { value: string } }) => void;
}

function Choice({ typed, optional, choices, take, ...control }: ChoiceProps): JSX.Element {
  return (
    <select {...control} value={typed} onChange={take}>
      <option value="">{t(optional ? 'form.none' : 'form.choose')}</option>
      {choices.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}
