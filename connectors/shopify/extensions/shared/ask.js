/** Every question to Laurel goes through here: Shopify's token with each, an answer or a Problem, and nothing else. */

import {SERVER} from './address.js';

const LONGEST_MS = 15_000;

/** What went wrong, for whoever reads it. `detail` is the server's, in their language; null: it did not come that far. */
export class Problem extends Error {
  constructor(code, {title = null, detail = null} = {}) {
    super(code);
    this.code = code;
    this.title = title;
    this.detail = detail;
  }
}

/**
 * A function that asks Laurel. `getToken` gives a fresh token of Shopify's, or nothing for somebody who gets none.
 * With a body it is sent by POST; `key` is the click's own, the same for the same click however often it is sent.
 */
export function asker({door, getToken, language}) {
  return async function ask(path, {body = undefined, key = undefined} = {}) {
    const token = await getToken();
    if (!token) throw new Problem('no_token');
    const headers = {Authorization: `Bearer ${token}`};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key !== undefined) headers['Idempotency-Key'] = key;
    const lang = language ? `?lang=${encodeURIComponent(language)}` : '';
    const answer = await soon(
      fetch(`${SERVER}/extensions/shopify/${door}/${path}${lang}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
    );
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Problem(told.code ?? `http_${answer.status}`, told);
    return told;
  };
}

/** The answer, or a Problem where none comes. */
async function soon(answering) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Problem('offline')), LONGEST_MS);
  });
  try {
    return await Promise.race([answering, late]);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('offline');
  } finally {
    clearTimeout(timer);
  }
}

/** A click's own key: 128 bits, hex. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
