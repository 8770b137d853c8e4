// A form made of the fields of an event; what is typed stays with whoever shows it.
import type { JSX } from 'preact';
import type { Draft, Field, Group } from './fields';
import { isWhole } from './fields';
import { Scalar } from './Scalar';
import { Whole } from './Whole';
import './forms.css';

/** What is wrong, in words, by the path of the field. */
export type Wrongs = ReadonlyMap<string, string>;

interface SchemaFormProps {
  fields: readonly Field[];
  typed: Group;
  wrong: Wrongs;
  onChange: (typed: Group) => void;
}

export function SchemaForm({ fields, typed, wrong, onChange }: SchemaFormProps): JSX.Element {
  return (
    <div class="schema-form">
      {fields.map((field) => (
        <Part
          key={field.name}
          field={field}
          name={field.name}
          path={field.name}
          draft={typed.parts[field.name] ?? null}
          wrong={wrong}
          onChange={(draft) => onChange({ of: 'group', parts: { ...typed.parts, [field.name]: draft } })}
        />
      ))}
    </div>
  );
}

interface PartProps {
  field: Field;
  name: string;
  path: string;
  draft: Draft;
  wrong: Wrongs;
  onChange: (draft: Draft) => void;
}

/** One field: an input, or a whole of parts. */
export function Part({ field, name, path, draft, wrong, onChange }: PartProps): JSX.Element {
  if (isWhole(field) && typeof draft !== 'string') {
    return <Whole field={field} name={name} path={path} draft={draft} wrong={wrong} onChange={onChange} />;
  }
  return <Scalar field={field} name={name} typed={typeof draft === 'string' ? draft : ''} error={wrong.get(path)} onChange={onChange} />;
}
