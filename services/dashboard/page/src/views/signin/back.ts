// Where one comes back to after signing in: pages of this dashboard only. Pure.

/** The address to show in the end: what was asked for, or what `to` names where that is a page here. */
export function back(path: string, search: string): string {
  if (path !== '/signin') return `${path}${search}`;
  return ownPath(new URLSearchParams(search).get('to')) ?? '/incidents';
}

/** A path of this dashboard; null where a browser would take it for another site's, or where it is no page. */
export function ownPath(wanted: string | null): string | null {
  // browsers take a backslash for a slash, and drop line feeds and tabs
  if (!wanted || !/^\/(?![/\\])/.test(wanted) || /[\\\s]|[^ -~]/.test(wanted)) return null;
  const url = new URL(wanted, 'http://own.invalid');
  if (url.origin !== 'http://own.invalid' || /^\/(api|signin)(\/|$)/.test(url.pathname)) return null;
  return `${url.pathname}${url.search}`;
}
