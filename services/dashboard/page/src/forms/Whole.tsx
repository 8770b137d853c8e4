// What is made of parts: groups, lists and maps, each in a fieldset; what is optional can be left out whole.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../components';
import { t } from '../i18n';
import { at, under } from './assemble';
import { begin, blank, itemOf, nextId, type Draft, type Entries, type Field, type Group, type Items } from './fields';
import { Label } from './Scalar';
import { Part, type Wrongs } from './SchemaForm';

interface WholeProps<D> {
  field: Field;
  name: string;
  path: string;
  draft: D;
  wrong: Wrongs;
  onChange: (draft: Draft) => void;
}

/** A part that may be left out, and what stands for it while it is. */
export function Whole(props: WholeProps<Exclude<Draft, string>>): JSX.Element {
  const { field, name, path, draft, wrong, onChange } = props;
  const shown = field.label || name;
  if (draft === null) {
    return (
      <div class="field form-left-out">
        <Button onClick={() => onChange(blank(field))}>+ {t('form.give', { name: shown })}</Button>
      </div>
    );
  }
  return (
    <fieldset class="form-whole">
      <legend>
        <Label field={field} name={name} />
        {field.optional && (
          <Button kind="quiet" onClick={() => onChange(null)}>
            {t('form.leave', { name: shown })}
          </Button>
        )}
      </legend>
      {wrong.get(path) && (
        <p class="error" role="alert">
          {wrong.get(path)}
        </p>
      )}
      {draft.of === 'group' && <GroupParts {...props} draft={draft} />}
      {draft.of === 'list' && <ListItems {...props} draft={draft} />}
      {draft.of === 'map' && <MapEntries {...props} draft={draft} />}
    </fieldset>
  );
}

function GroupParts({ field, path, draft, wrong, onChange }: WholeProps<Group>): JSX.Element {
  return (
    <>
      {(field.fields ?? []).map((part) => (
        <Part
          key={part.name}
          field={part}
          name={part.name}
          path={under(path, part.name)}
          draft={draft.parts[part.name] ?? null}
          wrong={wrong}
          onChange={(next) => onChange({ ...draft, parts: { ...draft.parts, [part.name]: next } })}
        />
      ))}
    </>
  );
}

function ListItems({ field, name, path, draft, wrong, onChange }: WholeProps<Items>): JSX.Element {
  const item = itemOf(field);
  const shown = field.label || name;
  const add = (): void => onChange({ ...draft, items: [...draft.items, { id: nextId(), draft: begin(item) ?? blank(item) }] });
  return (
    <Rows count={draft.items.length} shown={shown} onAdd={add}>
      {draft.items.map((one, index) => (
        <Row key={one.id} shown={shown} index={index} onRemove={() => onChange({ ...draft, items: draft.items.filter((other) => other !== one) })}>
          <Part
            field={item}
            name={t('form.list.item', { n: index + 1 })}
            path={at(path, index)}
            draft={one.draft}
            wrong={wrong}
            onChange={(next) => onChange({ ...draft, items: draft.items.map((other) => (other === one ? { ...one, draft: next } : other)) })}
          />
        </Row>
      ))}
    </Rows>
  );
}

const NAME: Field = { name: '', label: '', kind: 'text', optional: false };

function MapEntries({ field, name, path, draft, wrong, onChange }: WholeProps<Entries>): JSX.Element {
  const item = itemOf(field);
  const shown = field.label || name;
  const change = (id: number, to: { name: string } | { draft: Draft }): void =>
    onChange({ ...draft, entries: draft.entries.map((one) => (one.id === id ? { ...one, ...to } : one)) });
  const add = (): void => onChange({ ...draft, entries: [...draft.entries, { id: nextId(), name: '', draft: begin(item) ?? blank(item) }] });
  return (
    <Rows count={draft.entries.length} shown={shown} onAdd={add}>
      {draft.entries.map((one, index) => (
        <Row key={one.id} shown={shown} index={index} onRemove={() => onChange({ ...draft, entries: draft.entries.filter((other) => other !== one) })}>
          <Part
            field={NAME}
            name={t('form.map.name')}
            path={at(path, index)}
            draft={one.name}
            wrong={wrong}
            onChange={(next) => change(one.id, { name: typeof next === 'string' ? next : '' })}
          />
          <Part
            field={item}
            name={t('form.map.value')}
            path={under(path, one.name.trim() || `[${index}]`)}
            draft={one.draft}
            wrong={wrong}
            onChange={(next) => change(one.id, { draft: next })}
          />
        </Row>
      ))}
    </Rows>
  );
}

/** Rows that can be added: a new one takes the focus, and when one goes the button that adds does. */
function Rows({ count, shown, onAdd, children }: { count: number; shown: string; onAdd: () => void; children: ComponentChildren }): JSX.Element {
  const rows = useRef<HTMLDivElement>(null);
  const before = useRef(count);
  useEffect(() => {
    if (count > before.current) rows.current?.querySelector<HTMLElement>(':scope > .form-row:last-of-type :is(input, select, textarea)')?.focus();
    else if (count < before.current) rows.current?.querySelector<HTMLElement>(':scope > .form-add')?.focus();
    before.current = count;
  }, [count]);
  return (
    <div class="form-rows" ref={rows}>
      {count === 0 && <p class="faint">{t('form.list.empty')}</p>}
      {children}
      <Button class="form-add" aria-label={t('form.list.add.of', { name: shown })} onClick={onAdd}>
        + {t('form.list.add')}
      </Button>
    </div>
  );
}

function Row({ shown, index, onRemove, children }: { shown: string; index: number; onRemove: () => void; children: ComponentChildren }): JSX.Element {
  return (
    <div class="form-row">
      <div class="form-row-parts">{children}</div>
      <Button kind="quiet" aria-label={t('form.list.remove.of', { name: shown, n: index + 1 })} onClick={onRemove}>
        {t('form.list.remove')}
      </Button>
    </div>
  );
}
