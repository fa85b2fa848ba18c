// Talks to {api} as docs/storefront-api.md says. Who the shopper is, the token or the platform's proxy proves.

const READ_MS = 10_000;
const WRITE_MS = 20_000;

/** `kind`: unreachable (nobody knows the outcome), unproven (401), gone (no such shop), refused (a definite no). */
export class Problem extends Error {
  constructor(kind, { status = 0, code = "", title = "", detail = "", retryAfterS = 0, ref = "" } = {}) {
    super(detail || title || kind);
    Object.assign(this, { kind, status, code, title, detail, retryAfterS, ref });
  }
}

/** `settings` has api, shop, token and lang; `renewToken()` resolves to true when there is a new token. */
export function makeClient(settings, renewToken) {
  const send = async (path, options = {}, again = true) => {
    try {
      return await exchange(settings, path, options);
    } catch (problem) {
      if (problem.kind !== "unproven" || !again || !(await renewToken())) throw problem;
      return send(path, options, false);
    }
  };
  return {
    get: (path, query = {}) => send(path, { query }),
    post: (path, body = {}, key = null) => send(path, { body: { ...(settings.shop && { shop: settings.shop }), ...body }, key }),
  };
}

async function exchange(settings, path, { query = {}, body = null, key = null }) {
  let response;
  try {
    response = await fetch(address(settings, path, query), request(settings, body, key));
  } catch {
    // no network, no answer in time, or blocked: the same to the shopper
    throw new Problem("unreachable");
  }
  const content = await readJson(response);
  if (response.ok && content) return content;
  throw asProblem(response, content ?? {});
}

function address({ api, shop, lang }, path, query) {
  const url = new URL(`${api.replace(/\/+$/, "")}/${path}`, document.baseURI);
  // Not `shop=`: a platform's proxy may append a signed parameter of that name, and a doubled one must be refused.
  const params = { key: shop, lang, ...query };
  for (const [name, value] of Object.entries(params)) if (value) url.searchParams.set(name, value);
  return url;
}

function request({ token }, body, key) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  return {
    method: body ? "POST" : "GET",
    headers,
    // A proxy may drop a header that it does not know, so the key travels in the body as well.
    body: body && JSON.stringify(key ? { ...body, request_key: key } : body),
    cache: "no-store",
    // behind the platform's proxy its session says who is logged in
    credentials: "same-origin",
    signal: AbortSignal.timeout(body ? WRITE_MS : READ_MS),
  };
}

async function readJson(response) {
  // a proxy's own page
  if (!/json/.test(response.headers.get("Content-Type") ?? "")) return null;
  try {
    return await response.json();
  } catch {
    return null;
  }
}

function asProblem(response, content) {
  const { status } = response;
  const text = (name) => (typeof content[name] === "string" ? content[name] : "");
  return new Problem(kindOf(status, text("code")), {
    status,
    code: text("code"),
    title: text("title"),
    detail: text("detail"),
    ref: text("ref"),
    retryAfterS: secondsOf(response.headers.get("Retry-After")),
  });
}

function kindOf(status, code) {
  if (status === 401) return "unproven";
  if (status === 404 && code === "unknown_shop") return "gone";
  return status >= 400 && status < 500 && status !== 429 && status !== 408 ? "refused" : "unreachable";
}

function secondsOf(header) {
  if (!header) return 0;
  const seconds = Number(header);
  return Math.max(0, Number.isNaN(seconds) ? (Date.parse(header) - Date.now()) / 1000 || 0 : seconds);
}
