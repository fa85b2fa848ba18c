// Plays Shopify's App Bridge in the frame: id tokens by asking the admin around it, the header for calls of fetch, the
// page that fetches a token for a document, the menu. As shopify.dev describes it ("ID token", "Resource fetching",
// "App nav"); of the real one nothing is copied.
(() => {
  const waiting = new Map()
  let number = 0
  const ask = what => new Promise(resolve => {
    waiting.set(++number, resolve)
    parent.postMessage({ ask: what, number }, '*')
  })
  addEventListener('message', event => {
    if (event.source !== parent) return
    const { number, answer, go } = event.data
    waiting.get(number)?.(answer)
    waiting.delete(number)
    if (go) location.assign(go)
  })
  window.shopify = { idToken: () => ask('token') }

  const plain = window.fetch
  window.fetch = async (input, options) => {
    const request = new Request(input, options)
    if (new URL(request.url).origin === location.origin && !request.headers.has('Authorization')) {
      request.headers.set('Authorization', `Bearer ${await window.shopify.idToken()}`)
    }
    return plain(request)
  }

  const back = new URLSearchParams(location.search).get('shopify-reload')
  if (back) {
    window.shopify.idToken().then(token => {
      const url = new URL(back, location.origin)
      url.searchParams.set('id_token', token)
      location.replace(url)
    })
  }
  addEventListener('DOMContentLoaded', () => {
    const menu = document.querySelector('s-app-nav')
    if (!menu) return
    parent.postMessage({ menu: [...menu.querySelectorAll('s-link')].map(one => [one.textContent, new URL(one.getAttribute('href'), location).href]) }, '*')
  })
})()
