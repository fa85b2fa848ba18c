// The admin's pages inside a shop's own admin, where no cookie is: each link and form becomes a call that brings the
// platform's token, and the page that comes back takes this one's place. Without this script a link still works (the
// server sends it round by the page that fetches a token), and nothing can be changed.
const told = document.querySelector('meta[name=frame]').dataset
const words = text => text.split(' ')
const SAID = 'Laurel-Said', GO = 'HX-Redirect'
let said = null // what the last answer has to say on the next page
let at = '' // the page that is shown
let asking = 0 // the newest call: the answer to an older one comes too late

// --- The address: never with what proves something, always with what the platform needs to find itself again.
const kept = new URLSearchParams()
const here = new URL(location)
for (const name of words(told.parameters)) {
  if (here.searchParams.has(name) && !words(told.secrets).includes(name)) kept.set(name, here.searchParams.get(name))
}
history.replaceState(null, '', shown(here))
at = location.pathname + location.search

function shown (address) {
  const url = new URL(address, location)
  for (const name of words(told.parameters)) url.searchParams.delete(name)
  for (const [name, value] of kept) url.searchParams.set(name, value)
  return url
}

// --- Calls
export async function token () {
  const [owner, give] = told.token.split('.').reduce(([, at], part) => [at, at?.[part]], [null, window])
  return await give.call(owner)
}

async function call (address, options = {}) {
  const headers = { Accept: 'text/html', ...(said && { [SAID]: said }) }
  let answer
  for (let tries = 0; tries < 2; tries++) { // a token may end on its way
    answer = await fetch(address, { ...options, credentials: 'omit', headers: { ...headers, Authorization: `Bearer ${await token()}` } })
    if (answer.status !== 401) break
  }
  said = answer.headers.get(SAID)
  return answer
}

// Answers what stands at `address`: shown, saved, or gone on from.
async function go (address, { options, push = true } = {}) {
  const number = ++asking
  document.body.setAttribute('aria-busy', 'true')
  try {
    let answer = await call(address, options)
    const to = answer.headers.get(GO)
    if (to) answer = await call(address = new URL(to, location), {})
    if (number !== asking) return
    if (answer.status === 401) return notice('The shop’s admin does not say any more who you are. Load its page again.')
    if (/^attachment/.test(answer.headers.get('Content-Disposition') ?? '')) return await save(answer)
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    if (number !== asking) return
    if (!document.querySelector('.app')) return location.assign(shown(address))
    const was = location.pathname
    // What a form was answered with has no address: loaded again, the form's page is right.
    if (push && (to || !options) && shown(address).href !== location.href) history.pushState(null, '', shown(address))
    at = location.pathname + location.search
    show(page, new URL(address, location).hash, was === location.pathname)
  } catch (error) {
    if (number === asking) notice('This did not reach the server. Nothing was changed twice; please try again.')
  } finally {
    if (number === asking) document.body.removeAttribute('aria-busy')
  }
}

function show (page, hash, same) {
  const app = document.querySelector('.app'), next = page.querySelector('.app')
  if (dialog()?.open) dialog().close()
  document.title = page.title
  app.replaceChildren(...(next ?? page.body).childNodes)
  htmx.process(app)
  const wrong = same && document.querySelector('main [aria-invalid=true]')
  const target = wrong || (hash && document.getElementById(decodeURIComponent(hash.slice(1)))) || document.getElementById('main')
  if (target && !target.matches('a, button, input, select, textarea, [tabindex]')) target.tabIndex = -1
  target?.focus({ preventScroll: true })
  if (wrong || hash) target?.scrollIntoView()
  else if (!same) scrollTo(0, 0)
}

async function save (answer) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await answer.blob())
  link.download = /filename="?([^";]+)/.exec(answer.headers.get('Content-Disposition'))?.[1] ?? 'download'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

const dialog = () => document.getElementById('dialog')
function notice (text) {
  const note = document.getElementById('notice')
  if (!note) return
  note.querySelector('p').textContent = text
  note.hidden = false
  for (const button of document.querySelectorAll('[aria-disabled=true][data-was]')) {
    button.removeAttribute('aria-disabled')
    button.textContent = button.dataset.was
  }
}

// --- Links and forms that htmx leaves alone
const ours = url => url.origin === location.origin && url.pathname.startsWith(mount)
const mount = /^.*?\/admin(?=\/|$)/.exec(location.pathname)?.[0] ?? '/'

document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href]')
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const url = new URL(link.href, location)
  if (!/^https?:$/.test(url.protocol)) return
  if (!ours(url)) { link.target = '_blank'; link.rel = 'noopener'; return } // out of the frame, to a window of its own
  if (url.hash && url.pathname === location.pathname && !link.getAttribute('href').includes('?')) return
  event.preventDefault()
  go(url)
})

document.addEventListener('submit', event => {
  const form = event.target, button = event.submitter
  if (event.defaultPrevented) return
  event.preventDefault()
  const url = new URL(button?.getAttribute('formaction') ?? form.getAttribute('action') ?? location, location)
  const fields = new URLSearchParams(new FormData(form, button))
  if (form.method === 'get') {
    url.search = fields
    go(url)
  } else go(url, { options: { method: 'POST', body: fields } })
})
addEventListener('popstate', () => { if (location.pathname + location.search !== at) go(location, { push: false }) })

// --- What htmx asks for brings the token too
const again = new WeakMap()
let bearer = ''
document.body.addEventListener('htmx:confirm', event => {
  event.preventDefault()
  const ask = async () => {
    try { bearer = await token(); event.detail.issueRequest(true) } catch { notice('This did not reach the server. Please try again.') }
  }
  again.set(event.detail.elt, { ask, tries: 0 })
  ask()
})
document.body.addEventListener('htmx:configRequest', event => { event.detail.headers.Authorization = `Bearer ${bearer}` })
document.body.addEventListener('htmx:beforeOnLoad', event => {
  const { xhr, elt } = event.detail, to = xhr.getResponseHeader(GO), before = again.get(elt)
  if (to) {
    event.preventDefault()
    said = xhr.getResponseHeader(SAID)
    go(to)
  } else if (xhr.status === 401 && before && !before.tries++) {
    event.preventDefault()
    before.ask()
  }
})
