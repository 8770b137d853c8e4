// A table of any length: only the rows in sight are in the document. Headers sort; j, k and Enter work from the view.
import { Component, type ComponentChildren, type JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { NARROW, width as windowWidth } from './media';

export interface Column<T> {
  key: string;
  title: string;
  /** CSS width, such as `8rem`; without one the column shares what is left. */
  width?: string;
  align?: 'end';
  /** The column is left away in windows narrower than this, in CSS pixels. */
  from?: number;
  /** How it is sorted; without it, it is not. */
  compare?: (a: T, b: T) => number;
  cell: (row: T) => ComponentChildren;
}

export interface Sort {
  key: string;
  down: boolean;
}

interface TableProps<T> {
  /** What the table is, for those who hear it. */
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** Every row has this height, in CSS pixels. */
  rowHeight?: number;
  sort?: Sort | null;
  /** Called with the sort wanted; the view sorts, for it may keep the sort in the address. */
  onSort?: (sort: Sort) => void;
  selected?: string | null;
  onSelect?: (key: string) => void;
  onOpen?: (row: T) => void;
  rowClass?: (row: T) => string;
  /** In narrow windows: one cell in place of all, in this height. */
  narrow?: { height: number; cell: (row: T) => ComponentChildren };
  empty?: ComponentChildren;
  /** A CSS height; without one the table takes the height that is left in the view. */
  height?: string;
}

const SPARE = 3; // rows above and below those in sight
const STRIDE = 4; // so many rows are scrolled before others are drawn

/** Rows sorted by a column; the same rows where the sort names none. */
export function sorted<T>(rows: readonly T[], columns: Column<T>[], sort: Sort | null | undefined): readonly T[] {
  const compare = sort && columns.find((column) => column.key === sort.key)?.compare;
  if (!compare) return rows;
  const sign = sort.down ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(a, b));
}

export function Table<T>(props: TableProps<T>): JSX.Element {
  const { label, rows, rowKey, sort, onSort, selected, onSelect, onOpen, empty, height } = props;
  const isNarrow = props.narrow !== undefined && windowWidth.value < NARROW;
  const columns = isNarrow && props.narrow
    ? [{ key: 'all', title: label, cell: props.narrow.cell } as Column<T>]
    : props.columns.filter((column) => windowWidth.value >= (column.from ?? 0));
  const rowHeight = isNarrow && props.narrow ? props.narrow.height : (props.rowHeight ?? 36);
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(800);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSeen(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const at = selected == null ? -1 : rows.findIndex((row) => rowKey(row) === selected);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || at < 0) return;
    const head = element.querySelector('thead')?.offsetHeight ?? 0;
    const from = at * rowHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + rowHeight + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = from + rowHeight + head - element.clientHeight;
    }
    // only when another row is selected: a list that moves must not pull the view along
  }, [selected, rowHeight]);

  const first = Math.max(0, Math.min(Math.floor(top / rowHeight) - SPARE, rows.length - 1));
  const end = Math.min(rows.length, Math.ceil((top + seen) / rowHeight) + STRIDE + SPARE);
  const shown = rows.slice(first, end);
  const active = at >= first && at < end ? `${id}-${at}` : undefined;

  const key = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(seen / rowHeight) - 2);
    const steps: Record<string, number> = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined || !onSelect || rows.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target instanceof HTMLElement && event.target.closest('thead')) return;
    event.preventDefault();
    const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
    if (row !== undefined) onSelect(rowKey(row));
  };
  const enter = (event: KeyboardEvent): void => {
    const row = rows[at];
    if (event.key !== 'Enter' || event.target !== event.currentTarget || row === undefined || !onOpen) return;
    event.preventDefault();
    onOpen(row);
  };

  return (
    <div class={`table-scroll${isNarrow ? ' narrow' : ''}`} ref={scroller} style={height ? { height } : undefined} onScroll={(event) => setTop(Math.floor(event.currentTarget.scrollTop / (rowHeight * STRIDE)) * rowHeight * STRIDE)}>
      <table
        class="table"
        role="grid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-activedescendant={active}
        tabIndex={0}
        onKeyDown={(event) => {
          key(event);
          enter(event);
        }}
      >
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} style={column.width ? { width: column.width } : undefined} />
          ))}
        </colgroup>
        <thead class={isNarrow ? 'heard-only' : undefined}>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Header key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer height={first * rowHeight} span={columns.length} />
          {shown.map((row, index) => {
            const name = rowKey(row);
            return (
              <Line
                key={name}
                id={`${id}-${first + index}`}
                name={name}
                row={row}
                index={first + index}
                table={props}
                columns={columns}
                height={rowHeight}
                selected={onSelect ? name === selected : undefined}
              />
            );
          })}
          <Spacer height={(rows.length - end) * rowHeight} span={columns.length} />
        </tbody>
      </table>
      {rows.length === 0 && empty}
    </div>
  );
}

interface LineProps<T> {
  id: string;
  name: string;
  row: T;
  index: number;
  table: TableProps<T>;
  columns: Column<T>[];
  height: number;
  selected: boolean | undefined;
}

/** A row. While the table is scrolled, those that stay in sight are not drawn again. */
class Line<T> extends Component<LineProps<T>> {
  override shouldComponentUpdate(next: LineProps<T>, state: object): boolean {
    const { row, index, table, height, selected, columns } = this.props;
    const same = row === next.row && index === next.index && table === next.table && height === next.height;
    return state !== this.state || !same || selected !== next.selected || columns.length !== next.columns.length;
  }

  override render(): JSX.Element {
    const { id, name, row, index, table, columns, height, selected } = this.props;
    const { onOpen, onSelect, rowClass } = table;
    return (
      <tr
        id={id}
        aria-rowindex={index + 2}
        aria-selected={selected}
        class={`${onOpen ? 'opens ' : ''}${rowClass ? rowClass(row) : ''}`}
        style={{ height: `${height}px` }}
        onClick={(event) => {
          onSelect?.(name);
          const inner = event.target instanceof Element && event.target.closest('a,button,input,select,label');
          if (onOpen && !inner && !window.getSelection()?.toString()) onOpen(row);
        }}
      >
        {columns.map((column) => (
          <td key={column.key} class={column.align}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
    );
  }
}

interface HeaderProps<T> {
  column: Column<T>;
  sort: Sort | null | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}

function Header<T>({ column, sort, onSort }: HeaderProps<T>): JSX.Element {
  if (!column.compare || !onSort) {
    return (
      <th scope="col" class={column.align}>
        {column.title}
      </th>
    );
  }
  const mine = sort?.key === column.key;
  return (
    <th scope="col" class={column.align} aria-sort={mine ? (sort.down ? 'descending' : 'ascending') : 'none'}>
      <button
        type="button"
        title={t('table.sort', { title: column.title })}
        onClick={() => onSort({ key: column.key, down: mine ? !sort.down : true })}
      >
        {column.title}
        <svg class={`shape sort-mark${mine ? '' : ' idle'}`} viewBox="0 0 16 16" aria-hidden="true">
          <path d={mine && !sort.down ? 'M8 4l5 7H3z' : 'M8 12L3 5h10z'} />
        </svg>
      </button>
    </th>
  );
}

function Spacer({ height, span }: { height: number; span: number }): JSX.Element | null {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" class="spacer">
      <td colSpan={span} style={{ height: `${height}px` }} />
    </tr>
  );
}
