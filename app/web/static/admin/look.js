// The look that somebody tries, on the very element that shoppers see: a panel and its button, on a light page and a dark
// one. What it shows the server answers (a made-up member), so that no colour is worked out twice.
const PARTS = ['inline', 'launcher']
const framed = document.querySelector('meta[name=frame]')
const token = framed ? (await import('./frame.js')).token : null // where no cookie is, the element brings the platform's
let newest = 0

/** `said`: what the server says of the look that is typed, and how its preview is addressed. */
export async function show (said) {
  const stages = document.getElementById('stages'), shown = said.querySelector('[data-shown]')?.dataset.shown
  pick(shown)
  if (!stages || !shown) return
  const number = ++newest, bearer = token && await token()
  if (number !== newest) return
  const api = stages.dataset.api.replace('/-/-', `/${shown}`)
  for (const stage of stages.children) for (const mode of PARTS) put(stage, mode, api, bearer)
  await import(stages.dataset.widget)
}

function put (stage, mode, api, bearer) {
  const { lang } = stage.parentElement.dataset
  const before = stage.querySelector(`[mode=${mode}]`), element = before ?? document.createElement('laurel-widget')
  const attributes = { mode, api, lang, theme: stage.dataset.theme, ...(bearer && { token: bearer }) }
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (!before && token) element.addEventListener('laurel:token', async () => element.setAttribute('token', await token()))
  stage.append(element) // put there again it reads again
}

/** The browser's own picker beside the field, both of one mind. */
function pick (shown) {
  const picker = document.querySelector('[data-for=accent]'), field = document.getElementById('accent')
  if (!picker) return
  if (shown) picker.value = `#${shown.slice(0, 6)}`
  if (!picker.hidden) return
  picker.hidden = false
  picker.addEventListener('input', () => {
    field.value = picker.value
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
}
