// The filters above the list, and those kept under a name.
import type { JSX, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { Button, Dialog, Field, roman, Toolbar } from '../../components';
import { t, title } from '../../i18n';
import { go, route } from '../../router';
import { session } from '../../session';
import { asText, COLOURS, isNarrowed, LEVELS, read, write, type Filter } from './filter';
import { discard, save, saved } from './saved';

interface Props {
  filter: Filter;
  search: RefObject<HTMLInputElement>;
}

/** Put a filter into the address. */
export function set(change: Partial<Filter>): void {
  go('/incidents', write({ ...read(route.value.query), ...change }), { replace: true });
}

export function Filters({ filter, search }: Props): JSX.Element {
  const departments = Object.entries(session.value?.departments ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const level = (one: string): string => (one === 'none' ? t('incidents.noneset') : t('level.value', { roman: roman(one) }));
  const grade = (one: string): string => (one === 'none' ? t('incidents.noneset') : t(`grade.${one}.long`));
  const colour = (one: string): string => (one === 'none' ? t('incidents.noneset') : t(`colour.${one}`));
  return (
    <Toolbar label={t('incidents.filters')}>
      <label class="search">
        <span class="heard-only">{t('incidents.search')}</span>
        <input
          ref={search}
          type="search"
          value={filter.text}
          placeholder={t('incidents.search.hint')}
          aria-keyshortcuts="/"
          onInput={(event) => set({ text: event.currentTarget.value })}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
      </label>
      <Choice label={t('incidents.status')} value={filter.status} options={(['open', 'closed', 'all'] as const).map((one) => [one, one === 'all' ? t('incidents.all') : t(`status.${one}`)])} onChange={(status) => set({ status })} />
      <Choice label={t('incidents.kind')} value={filter.kind} options={(['all', 'incident', 'case'] as const).map((one) => [one, t(`incidents.kind.${one}`)])} onChange={(kind) => set({ kind })} />
      <Choice label={t('level.title')} value={filter.level} options={some(LEVELS, level)} onChange={(value) => set({ level: value })} />
      <Choice label={t('grade.title')} value={filter.grade} options={some(LEVELS, grade)} onChange={(value) => set({ grade: value })} />
      <Choice label={t('colour.title')} value={filter.colour} options={some(COLOURS, colour)} onChange={(value) => set({ colour: value })} />
      <label class="choice">
        <span>{t('incidents.region')}</span>
        <input class="region" inputMode="numeric" value={filter.region} placeholder={t('incidents.region.hint')} onInput={(event) => set({ region: event.currentTarget.value.trim() })} />
      </label>
      <Choice
        label={t('incidents.department')}
        value={filter.department}
        options={[['', t('incidents.all')], ...departments.map(([id, titles]): [string, string] => [id, title(titles) || id])]}
        onChange={(department) => set({ department })}
      />
      <label class="check">
        <input type="checkbox" checked={filter.late} onChange={(event) => set({ late: event.currentTarget.checked })} />
        {t('incidents.late')}
      </label>
      {isNarrowed(filter) && (
        <Button kind="quiet" onClick={() => go('/incidents')}>
          {t('incidents.clear')}
        </Button>
      )}
      <Saved narrowed={isNarrowed(filter)} />
    </Toolbar>
  );
}

function some(values: string[], text: (one: string) => string): [string, string][] {
  return [['', t('incidents.all')], ...values.map((one): [string, string] => [one, text(one)])];
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: [T, string][];
  onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>): JSX.Element {
  return (
    <label class={`choice${value !== options[0]?.[0] ? ' set' : ''}`}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Saved({ narrowed }: { narrowed: boolean }): JSX.Element {
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const current = asText(route.value.query);
  const chosen = Object.entries(saved.value).find(([, query]) => query === current)?.[0] ?? '';
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!name.trim()) return;
    save(name.trim(), current);
    setNaming(false);
  };
  return (
    <>
      {Object.keys(saved.value).length > 0 && (
        <label class="choice">
          <span>{t('incidents.saved')}</span>
          <select
            value={chosen}
            onChange={(event) => {
              const query = saved.value[event.currentTarget.value];
              if (query !== undefined) go('/incidents', new URLSearchParams(query));
            }}
          >
            <option value="">{t('incidents.saved.choose')}</option>
            {Object.keys(saved.value).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
      {chosen ? (
        <Button kind="quiet" onClick={() => discard(chosen)}>
          {t('incidents.discard', { name: chosen })}
        </Button>
      ) : (
        narrowed && (
          <Button kind="quiet" onClick={() => setNaming(true)}>
            {t('incidents.save')}
          </Button>
        )
      )}
      <Dialog
        open={naming}
        title={t('incidents.save.title')}
        onClose={() => setNaming(false)}
        footer={
          <>
            <Button onClick={() => setNaming(false)}>{t('dialog.cancel')}</Button>
            <Button kind="primary" type="submit" form="save-filter">
              {t('incidents.save.do')}
            </Button>
          </>
        }
      >
        <form id="save-filter" onSubmit={submit}>
          <Field label={t('incidents.save.name')} hint={t('incidents.save.hint')} required>
            <input required maxLength={60} value={name} onInput={(event) => setName(event.currentTarget.value)} />
          </Field>
        </form>
      </Dialog>
    </>
  );
}
