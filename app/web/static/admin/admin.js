// The little that pages cannot do by themselves: questions open in a dialog, lists know what is chosen.
const dialog = document.getElementById('dialog')
const find = (selector, within = document) => [...within.querySelectorAll(selector)]

// A question that htmx fetched: show it; Escape and Cancel close it, focus goes back by itself.
document.body.addEventListener('htmx:afterSwap', event => {
  if (event.detail.target === dialog && !dialog.open) dialog.showModal()
  if (event.detail.target === dialog) (dialog.querySelector('[aria-invalid=true], [autofocus]') ?? dialog).focus()
})
// What a look would be: shown on the element itself, by a script that only this page needs.
document.body.addEventListener('htmx:afterSwap', event => {
  if (event.detail.target.id === 'look-said') import('./look.js').then(({ show }) => show(event.detail.target))
})
// What came back is no question: say so instead of nothing.
document.body.addEventListener('htmx:sendError', () => notice('The server did not answer. Check the connection and try again.'))
document.body.addEventListener('htmx:responseError', event => {
  if (event.detail.xhr.status >= 500) notice('This did not work just now. Nothing was changed twice; please try again.')
})
function notice (text) {
  const note = document.getElementById('notice')
  note.querySelector('p').textContent = text
  note.hidden = false
}

document.addEventListener('click', event => {
  const closer = event.target.closest('[data-close]')
  if (closer) {
    const shut = closer.closest('dialog')
    if (shut?.open) { event.preventDefault(); shut.close() } else if (closer.dataset.close) document.getElementById(closer.dataset.close).hidden = true
  }
  const copier = event.target.closest('[data-copy]')
  if (copier) copy(copier)
})
dialog?.addEventListener('click', event => { if (event.target === dialog) dialog.close() })
// What was asked is gone with the dialog: opened again, it begins anew.
dialog?.addEventListener('close', () => dialog.replaceChildren())

async function copy (button) {
  const label = button.querySelector('span'), was = label.textContent
  try { await navigator.clipboard.writeText(button.dataset.copy); label.textContent = 'Copied' } catch { label.textContent = 'Select it and copy' }
  setTimeout(() => { label.textContent = was }, 2000)
}

// Rows that can be chosen: the head says how many, and its button does what it says.
document.addEventListener('change', event => {
  const form = event.target.closest('form[data-choose]')
  if (!form || event.target.type !== 'checkbox') return
  const boxes = find('input[name=id]', form), all = form.querySelector('[data-all]')
  if (event.target === all) boxes.forEach(box => { box.checked = all.checked })
  const chosen = boxes.filter(box => box.checked).length
  all.checked = chosen === boxes.length; all.indeterminate = chosen > 0 && chosen < boxes.length
  form.querySelector('[data-chosen]').textContent = `${chosen} of ${boxes.length} chosen`
  form.querySelector('[data-act]').textContent = chosen ? `Replay ${chosen}` : 'Replay'
})
// A button that was pressed keeps its width and says what it does; it cannot be pressed twice.
document.addEventListener('submit', event => {
  const button = event.submitter
  if (!button?.dataset.busy || event.defaultPrevented) return
  button.dataset.was = button.textContent
  button.style.minInlineSize = `${button.offsetWidth}px`
  button.setAttribute('aria-disabled', 'true'); button.textContent = button.dataset.busy
})
addEventListener('pageshow', event => { if (event.persisted) location.reload() })
