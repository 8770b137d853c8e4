// Path and query in the address: what is looked at can be bookmarked and sent.
import { signal, type Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { address, type Query } from './api';

export interface Route {
  path: string;
  query: URLSearchParams;
}

export const route: Signal<Route> = signal(read());

/** Go to another address. `replace`: without a step in the browser's history, as while a filter is typed. */
export function go(path: string, query: Query | URLSearchParams = {}, options: { replace?: boolean } = {}): void {
  const url = to(path, query);
  if (url === location.pathname + location.search) return;
  history[options.replace ? 'replaceState' : 'pushState'](null, '', url);
  route.value = read();
}

/** Change some of the query and keep the rest; null takes a name away. */
export function amend(change: Query, options: { replace?: boolean } = {}): void {
  const query = new URLSearchParams(route.value.query);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === '') query.delete(name);
    else query.set(name, String(value));
  }
  go(route.value.path, query, options);
}

/** The address of a path and a query. */
export function to(path: string, query: Query | URLSearchParams = {}): string {
  if (!(query instanceof URLSearchParams)) return address(path, query);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

type LinkProps = Omit<JSX.HTMLAttributes<HTMLAnchorElement>, 'to'> & {
  to: string;
  query?: Query;
  children?: ComponentChildren;
};

/** A link within the page; with a modifier key the browser does what it does. */
export function Link({ to: path, query, children, ...rest }: LinkProps): JSX.Element {
  const [bare = path, search = ''] = path.split('?', 2) as [string, string?];
  const wanted = new URLSearchParams(search);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== '') wanted.set(name, String(value));
  }
  const follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(bare, wanted);
  };
  return (
    <a {...rest} href={to(bare, wanted)} onClick={follow}>
      {children}
    </a>
  );
}

function read(): Route {
  return { path: location.pathname.replace(/\/+$/, '') || '/', query: new URLSearchParams(location.search) };
}

window.addEventListener('popstate', () => {
  route.value = read();
});
