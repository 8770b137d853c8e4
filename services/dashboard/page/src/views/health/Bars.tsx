// A table of one figure for each department, with a bar beside it; the greatest first.
import type { JSX } from 'preact';
import { Empty } from '../../components';
import { lang, t } from '../../i18n';
import { Link } from '../../router';
import { departmentTitle } from '../../session';
import { brief } from './scale';

interface BarsProps {
  label: string;
  unit: string;
  rows: readonly (readonly [string, number])[];
  empty: string;
  /** Whether a department leads to its tasks. */
  link?: boolean;
}

export function Bars({ label, unit, rows, empty, link = false }: BarsProps): JSX.Element {
  const some = rows.filter(([, value]) => value > 0).sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
  if (some.length === 0) return <Empty>{empty}</Empty>;
  const most = some[0]?.[1] ?? 1;
  return (
    <table class="bars" aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{t('health.department')}</th>
          <th scope="col" class="end">
            {unit}
          </th>
          <td aria-hidden="true" />
        </tr>
      </thead>
      <tbody>
        {some.map(([department, value]) => (
          <tr key={department}>
            <th scope="row">
              {link ? (
                <Link to="/department" query={{ id: department, state: 'late' }}>
                  {departmentTitle(department)}
                </Link>
              ) : (
                departmentTitle(department)
              )}
            </th>
            <td class="end">{brief(value, lang.value)}</td>
            <td aria-hidden="true" class="bar-cell">
              <span class="bar" style={{ width: `${Math.max(1, (value / most) * 100)}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
