"""Text that tries to become markup or script, and what tells that it did."""

from playwright.sync_api import Browser, BrowserContext, Page

RAN = "window.laurelRan=1"
STRINGS = (
    f"<script>{RAN}</script>",
    f"</title><script>{RAN}</script>",
    f"</textarea><script>{RAN}</script>",
    f"</script><script>{RAN}</script>",
    f"<img src=x onerror={RAN}>",
    f'"><img src=x onerror={RAN}>',
    f"'><img src=x onerror={RAN}>",
    f'" onmouseover="{RAN}" x="',
    f"' onfocus='{RAN}' autofocus='",
    f'" autofocus onfocus="{RAN}',
    f"<svg onload={RAN}>",
    f"<svg><script>{RAN}</script></svg>",
    f"<svg/onload={RAN}//",
    f"<body onload={RAN}>",
    f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>',
    f'<iframe src="javascript:parent.{RAN}"></iframe>',
    f'<a href="javascript:{RAN}">x</a>',
    f"javascript:{RAN}",
    f"<details open ontoggle={RAN}>",
    f"<video><source onerror={RAN}></video>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={RAN}>",
    f"<style>@import'javascript:{RAN}';</style>",
    f'<style onload={RAN}></style><link rel=stylesheet href="data:,*{{}}">',
    f"<template><script>{RAN}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RAN}>'>",
    f"<!--><img src=x onerror={RAN}>-->",
    f"{{{{constructor.constructor('{RAN}')()}}}}",
    f"${{{RAN}}}",
    f"{{% raw %}}<script>{RAN}</script>",
    f"&lt;script&gt;{RAN}&lt;/script&gt;",
    f"\\x3cscript\\x3e{RAN}\\x3c/script\\x3e",
    f"<scr<script>ipt>{RAN}</scr</script>ipt>",
    f"<ScRiPt >{RAN}</sCrIpT>",
    f"‮<img src=x onerror={RAN}>",
    f"<div hx-get=/ hx-trigger=load hx-on::load='{RAN}'>",
    f"<laurel-widget server='javascript:{RAN}'></laurel-widget>",
)

# Handlers, frames and addresses that are none of ours: the pages have their own scripts in files.
_GROWN = """() => {
  const found = []
  const odd = one => [...one.attributes].some(a => /^(on|hx-on|data-planted)/i.test(a.name)
    || a.name !== 'value' && /^\\s*javascript:/i.test(a.value))
  const ours = one => ['script', 'iframe', 'math', 'mglyph', 'video', 'template', 'style'].includes(one.localName)
    && one.outerHTML.includes('laurelRan')
  const look = root => {
    for (const one of root.querySelectorAll('*')) {
      if (one.shadowRoot) look(one.shadowRoot)
      if (odd(one) || ours(one)) found.push(one.outerHTML.slice(0, 160))
    }
  }
  look(document)
  if (window.laurelRan) found.push('a script ran')
  return found
}"""


def unguarded(browser: Browser) -> BrowserContext:
    """A visitor whose browser keeps no content security policy: what is inserted as markup would run."""
    return browser.new_context(bypass_csp=True, reduced_motion="reduce")


def grown(page: Page) -> list[str]:
    """What on the page has become more than text."""
    found: list[str] = page.evaluate(_GROWN)
    return found
