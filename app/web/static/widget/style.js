// The look, for the shadow root: tokens, then the launcher; panel-style.js has the rest. The names are those of the design's own style sheets.
// The theme is the page's (`color-scheme` is inherited), unless the attribute `theme` forces one.

const css = `
:host {
  display: contents;
  --accent: light-dark(#1b6b4c, #63c79a); --on-accent: light-dark(#ffffff, #06281a); --accent-text: light-dark(#1b6b4c, #7bd3aa);
  --radius: 10px;
  --font: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", "Noto Sans Arabic", sans-serif;
  --surface: light-dark(#ffffff, #161c19); --sunken: light-dark(#eef2f0, #1f2723);
  --line: light-dark(#dfe5e2, #2c3631); --edge: light-dark(#7c8a83, #74827b);
  --ink: light-dark(#15201b, #edf2ef); --ink-2: light-dark(#4f5c56, #a7b4ad);
  --good: light-dark(#17693f, #72d09c); --good-soft: light-dark(#e3f3e9, #14301f);
  --warn: light-dark(#7d4e00, #f0bf6a); --warn-soft: light-dark(#fcf0d6, #35280c);
  --bad: light-dark(#b0261d, #ff9e94); --bad-soft: light-dark(#fdeae7, #3f1a16);
  --accent-soft: color-mix(in oklab, var(--accent-text) 9%, var(--surface));
  --track: color-mix(in oklab, var(--accent-text) 20%, var(--surface));
  --px: calc(max(1rem, 16px) / 16);
  --text-s: calc(13 * var(--px)); --text-m: calc(14 * var(--px)); --text-l: calc(16 * var(--px));
  --text-xl: calc(20 * var(--px)); --text-num: calc(48 * var(--px));
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --tight: -.015em;
  --s1: 4px; --s2: 8px; --s3: 12px; --s4: 16px; --s5: 24px;
  --radius-s: calc(var(--radius) * .6); --radius-l: min(var(--radius) * 1.6, 24px); --radius-full: 999px;
  --shadow-float: 0 0 0 1px light-dark(#15201b0f, #ffffff14), 0 8px 20px light-dark(#15201b1a, #0007), 0 24px 56px light-dark(#15201b24, #0009);
  --fast: 120ms; --calm: 240ms; --ease: cubic-bezier(.2, .7, .2, 1);
  --focus: 2px solid var(--accent-text);
}
/* The page's own rule says the same, so that the place is kept before the script has run. */
:host([mode=inline]) { display: block; block-size: var(--laurel-height, 38rem); }
:host([mode=page]) { display: block; }
:host([hidden]) { display: none; }
[dir=rtl] { --tight: 0em; }
@media (prefers-reduced-motion: reduce) { :host { --fast: 1ms; --calm: 1ms; } .lw-wait { animation: none !important; } }
@media (prefers-contrast: more) { :host { --line: var(--edge); --ink-2: var(--ink); } }

.lw { font: 400 var(--text-m)/1.5 var(--font); color: var(--ink); text-align: start; overflow-wrap: break-word; letter-spacing: 0; text-transform: none; }
.lw[data-font=shop] { font-family: inherit; }
:where(.lw, .lw *) { box-sizing: border-box; }
:where(.lw) :where(h2, h3, p, ul, dl, dd) { margin: 0; padding: 0; list-style: none; font-size: inherit; }
:where(.lw) :where(button, a) { font: inherit; color: inherit; }
.lw :focus-visible { outline: var(--focus); outline-offset: 2px; }
.lw [hidden] { display: none; }
:where(.lw) :where(svg) { inline-size: calc(20 * var(--px)); block-size: calc(20 * var(--px)); flex: none; display: block; }
[dir=rtl] .flip { transform: scaleX(-1); }
.lw-hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.lw-inside { block-size: 100%; position: relative; }
.lw-num { font-variant-numeric: tabular-nums; white-space: nowrap; }

.lw-launch { display: inline-flex; align-items: center; gap: var(--s2); min-block-size: 48px; padding: var(--s2) var(--s4); border: 0; border-radius: var(--radius-full); background: var(--accent); color: var(--on-accent); font-weight: 600; box-shadow: var(--shadow-float); cursor: pointer; transition: transform var(--fast) var(--ease); }
.lw-launch:hover { transform: translateY(-1px); }
.lw-float { position: fixed; z-index: var(--laurel-layer, 999); inset-block-end: calc(var(--laurel-lift, 0px) + max(var(--s4), env(safe-area-inset-bottom))); inset-inline-end: var(--s4); }
.lw-float[data-at=start] { inset-inline: var(--s4) auto; }
`;

/** Browsers from before light-dark() get the light theme. */
export const themes = CSS.supports("color", "light-dark(#000, #fff)");

export function styleSheet(text = css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(themes ? text : text.replace(/light-dark\(([^,()]+),[^()]+\)/g, "$1"));
  return sheet;
}
