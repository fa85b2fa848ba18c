// Plays Shopify's admin around an app's frame: answers what App Bridge asks, and shows the app's menu.
const frame = document.querySelector('iframe'), menu = document.querySelector('nav')
const origin = new URL(frame.src).origin
addEventListener('message', async event => {
  if (event.source !== frame.contentWindow || event.origin !== origin) return
  const { ask, number, menu: links } = event.data
  if (ask === 'token') frame.contentWindow.postMessage({ number, answer: await (await fetch('/admin/id-token')).text() }, origin)
  if (links) {
    menu.replaceChildren(...links.map(([word, href]) => {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = word
      button.onclick = () => frame.contentWindow.postMessage({ go: href }, origin)
      return button
    }))
  }
})
