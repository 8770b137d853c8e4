// Which of a department's tasks are shown: by their situation, by words, and how they are arranged.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { Toolbar, useKeys } from '../../components';
import { t } from '../../i18n';
import { SITUATIONS, type Arranged, type Situation } from './tasks';

interface FiltersProps {
  counts: Record<Situation, number>;
  situation: Situation;
  search: string;
  arranged: Arranged;
  onSituation: (situation: Situation) => void;
  onSearch: (search: string) => void;
  onArranged: (arranged: Arranged) => void;
}

export function Filters({ counts, situation, search, arranged, onSituation, onSearch, onArranged }: FiltersProps): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useKeys({
    '/': (event) => {
      event.preventDefault();
      field.current?.focus();
    },
  });
  return (
    <>
      <Toolbar label={t('department.filter')}>
        {SITUATIONS.map((one) => (
          <button
            key={one}
            type="button"
            class={`situation ${one}${counts[one] > 0 ? ' some' : ''}`}
            aria-pressed={one === situation}
            onClick={() => onSituation(one === situation ? 'open' : one)}
          >
            <span class="situation-count">{counts[one]}</span>
            <span>{t(`department.count.${one}`)}</span>
          </button>
        ))}
      </Toolbar>
      <Toolbar label={t('department.search')}>
        <input
          ref={field}
          class="department-search"
          type="search"
          value={search}
          placeholder={t('department.search.hint')}
          aria-label={t('department.search')}
          aria-keyshortcuts="/"
          onInput={(event) => onSearch(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && field.current?.blur()}
        />
        <label class="department-choose">
          <span>{t('department.group')}</span>
          <select value={arranged} onChange={(event) => onArranged(event.currentTarget.value === 'instance' ? 'instance' : 'due')}>
            <option value="due">{t('department.group.due')}</option>
            <option value="instance">{t('department.group.instance')}</option>
          </select>
        </label>
        <span class="faint department-keys">{t('department.keys')}</span>
      </Toolbar>
    </>
  );
}
