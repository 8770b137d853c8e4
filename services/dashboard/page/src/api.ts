// Requests to the server. What it refuses is an ApiError; an act that it published is followed until its effect shows.
import { follow } from './acts';
import { lang, t, type Lang } from './i18n';
import type { Published, Titles } from './types';

/** What the session says for requests; `session.ts` fills it in. */
export const authority: { csrf: string | null; lost: () => void } = { csrf: null, lost: () => undefined };

/** A request that failed: what the server said, or that it did not answer (`status` 0). */
export class ApiError {
  constructor(
    readonly status: number,
    private readonly says: Titles | string,
    readonly field?: string,
  ) {}

  message(language: Lang = lang.value): string {
    return typeof this.says === 'string' ? this.says : this.says[language] || this.says.zh || this.says.en;
  }

  toString(): string {
    return this.message();
  }
}

export type Query = Record<string, string | number | null | undefined>;

/** Read JSON. Throws `ApiError`. */
export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return send<T>('GET', address(path, query), undefined, signal);
}

/** Send JSON and read the answer, if there is one. Throws `ApiError`. */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await send<T>('POST', path, body);
  if (isPublished(answer)) follow(path, body, answer);
  return answer;
}

/** Delete, as a session. Throws `ApiError`. */
export function remove<T>(path: string): Promise<T> {
  return send<T>('DELETE', path);
}

/** A path with its query; what is null or empty is left away. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

async function send<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET' && authority.csrf) headers['X-CSRF-Token'] = authority.csrf;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, { zh: '服务器没有应答，请检查网络后重试。', en: 'The server does not answer; check the network and try again.' });
  }
  const data = await content(response);
  if (response.ok) return data as T;
  // a refused sign-in is no session lost
  if (response.status === 401 && !(method === 'POST' && url.startsWith('/api/session'))) authority.lost();
  throw refusal(response.status, data);
}

async function content(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number, data: unknown): ApiError {
  const { error, field } = (data ?? {}) as { error?: Titles | string; field?: string };
  return new ApiError(status, error ?? t('error.status', { status }), field);
}

function isPublished(answer: unknown): answer is Published {
  return typeof answer === 'object' && answer !== null && (answer as Published).state === 'published';
}
