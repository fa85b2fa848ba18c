// The look of what is in the panel. Tokens and launcher are in style.js.

export const panelCss = `
.lw-body:focus-visible, .lw [tabindex="-1"]:focus { outline-offset: -2px; }
.lw h2[tabindex]:focus { outline: 0; }
.lw-muted { color: var(--ink-2); }
.lw-small { font-size: var(--text-s); }
.lw-h { font-size: var(--text-l); font-weight: 600; line-height: 1.3; }
.lw-xl { font-size: var(--text-xl); }
.lw-link { display: inline-flex; align-items: center; min-block-size: 44px; padding: 0; border: 0; background: none; color: var(--accent-text); text-align: start; text-decoration: underline 1px; text-underline-offset: 3px; cursor: pointer; }

.lw-btn { display: inline-flex; align-items: center; justify-content: center; gap: var(--s2); min-block-size: 44px; padding: var(--s2) var(--s4); border: 1px solid var(--edge); border-radius: var(--radius); background: var(--surface); font-weight: 600; text-decoration: none; text-align: center; line-height: 1.25; cursor: pointer; transition: background var(--fast), border-color var(--fast); }
.lw-btn:hover { background: var(--sunken); }
.lw-btn.main { background: var(--accent); border-color: transparent; color: var(--on-accent); }
.lw-btn.main:hover { box-shadow: 0 0 0 3px var(--track); }
.lw-btn.wide { inline-size: 100%; }
.lw-btn[aria-disabled=true] { background: var(--sunken); border-color: transparent; color: var(--ink-2); cursor: default; }
.lw-icon { inline-size: 44px; block-size: 44px; flex: none; display: grid; place-items: center; padding: 0; border: 0; border-radius: var(--radius); background: none; cursor: pointer; }
.lw-icon:hover { background: var(--sunken); }

.lw-float > dialog { position: absolute; inset: auto; inset-block-end: calc(100% + var(--s3)); inset-inline-end: 0; inline-size: 384px; max-inline-size: none; max-block-size: min(680px, 100dvh - 104px); margin: 0; padding: 0; border: 0; color: inherit; }
.lw-float[data-at=start] > dialog { inset-inline: 0 auto; }
.lw-float > dialog:not([open]) { display: none; }
.lw-float > dialog[open] { animation: lw-in var(--calm) var(--ease); }
/* One height for what fills it and one for short steps, so that the edge stays put when an answer comes. */
.lw-float > dialog[data-view=home] { block-size: 680px; }
.lw-float > dialog[data-view=step] { min-block-size: min(400px, 100dvh - 104px); }
dialog::backdrop { background: #0007; }
@keyframes lw-in { from { opacity: 0; transform: translateY(8px); } }
@media (max-width: 480px) {
  .lw-float > dialog, .lw-float[data-at=start] > dialog { position: fixed; inset: auto 0 0; inline-size: auto; max-block-size: calc(100dvh - 40px); border-end-start-radius: 0; border-end-end-radius: 0; padding-block-end: env(safe-area-inset-bottom); }
}
.lw-panel { display: flex; flex-direction: column; inline-size: 100%; border-radius: var(--radius-l); background: var(--surface); box-shadow: var(--shadow-float); overflow: hidden; }
:host([mode=page]) .lw-body { overflow: visible; }
:host([mode=page]) .lw-panel:not([data-view=home]) { max-inline-size: 34rem; margin-inline: auto; }
@media (min-width: 800px) {
  :host([mode=page]) [data-view=home] > .lw-body { grid: auto auto 1fr / 5fr 7fr; column-gap: 48px; }
  :host([mode=page]) [data-view=home] > .lw-body > :first-child { grid-area: 1 / 1 / 2 / 3; }
  :host([mode=page]) [data-view=home] > .lw-body > :nth-child(2) { grid-area: 2 / 1; }
  :host([mode=page]) [data-view=home] > .lw-body > :nth-child(3) { grid-area: 3 / 1; }
  :host([mode=page]) [data-view=home] > .lw-body > :last-child { grid-area: 2 / 2 / 4; }
}
.lw-card { block-size: 100%; border: 1px solid var(--line); box-shadow: none; }
.lw-head { display: flex; align-items: center; gap: var(--s2); min-block-size: 52px; padding-block-start: var(--s2); padding-inline: var(--s5) var(--s2); }
.lw-head > h2 { flex: 1; min-inline-size: 0; font-weight: 600; }
.lw-head > .lw-icon:first-child { margin-inline-start: calc(-1 * var(--s4)); }
.lw-body { flex: 1; min-block-size: 0; overflow-y: auto; overscroll-behavior: contain; padding: var(--s2) var(--s5) var(--s5); display: grid; gap: var(--s4); align-content: start; grid-template-columns: minmax(0, 1fr); }
.lw-body > :empty { display: none; }
/* What to do next stands at the foot of each step, always in the same place. */
[data-view=step] > .lw-body { display: flex; flex-direction: column; align-items: stretch; }
[data-view=step] > .lw-body > .lw-two:last-child, [data-view=step] > .lw-body > .lw-link:last-child { margin-block-start: auto; }
.lw-link:last-child { align-self: flex-start; }
.lw-two > .lw-btn:only-child { grid-column: 1 / -1; }
.lw p { text-wrap: pretty; }

.lw-balance b { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .2em; font-size: var(--text-num); font-weight: 600; line-height: 1.1; letter-spacing: var(--tight); white-space: normal; }
.lw-balance b small { font-size: var(--text-l); line-height: 1.3; font-weight: 400; letter-spacing: 0; color: var(--ink-2); }
.lw-lines { display: grid; gap: var(--s1); font-size: var(--text-s); color: var(--ink-2); }
.lw-balance .lw-lines { margin-block-start: var(--s3); }
.lw-lines li { display: flex; gap: var(--s2); align-items: flex-start; }
.lw-lines svg { inline-size: calc(16 * var(--px)); block-size: calc(19.5 * var(--px)); }
.lw-lines strong, .lw-tier strong { color: var(--ink); font-weight: 600; }
.lw-tier { padding: var(--s4); border-radius: var(--radius); background: var(--accent-soft); font-size: var(--text-s); }
.lw-tier .lw-row > svg { color: var(--accent-text); }
.lw-row { display: flex; align-items: center; gap: var(--s2) var(--s3); flex-wrap: wrap; }
.lw-row > .grow { flex: 1 1 auto; }
.lw-bar { display: block; block-size: 6px; margin-block: var(--s3) var(--s2); border-radius: var(--radius-full); background: var(--track); overflow: hidden; }
.lw-bar > i { display: block; block-size: 100%; inline-size: var(--at); border-radius: inherit; background: var(--accent-text); transition: inline-size var(--calm) var(--ease); }

.lw-tabs { display: flex; flex-wrap: wrap; gap: 0 var(--s5); border-block-end: 1px solid var(--line); }
.lw-tabs button { min-block-size: 44px; padding: 0; border: 0; border-block-end: 2px solid transparent; margin-block-end: -1px; background: none; color: var(--ink-2); font-weight: 500; cursor: pointer; }
.lw-tabs [aria-selected=true] { color: var(--ink); border-color: var(--accent-text); }

.lw-stack { display: grid; gap: var(--s4); grid-template-columns: minmax(0, 1fr); }
.lw-group > h3 { font-size: var(--text-s); font-weight: 600; color: var(--ink-2); margin-block-end: var(--s1); }
.lw-item { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0 var(--s3); align-items: center; padding-block: var(--s3); }
.lw-item:last-child { padding-block-end: 0; }
.lw-item + .lw-item, .lw-entry + .lw-entry { border-block-start: 1px solid var(--line); }
.lw-item > svg, .lw-box { padding: calc(9 * var(--px)); inline-size: calc(38 * var(--px)); block-size: calc(38 * var(--px)); border-radius: var(--radius); background: var(--sunken); color: var(--ink-2); }
.lw-item.can > svg { background: var(--accent-soft); color: var(--accent-text); }
.lw-item b { font-weight: 600; }
.lw-item p { font-size: var(--text-s); color: var(--ink-2); }
.lw-item bdi { display: inline-block; }
.lw-item .lw-bar { max-inline-size: 160px; margin-block: 6px 2px; block-size: 4px; }
.lw-item > .lw-btn { padding-inline: var(--s3); }
.lw-entry { padding-block: var(--s3); display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px var(--s3); }
.lw-entry > :nth-child(2) { font-weight: 600; direction: ltr; unicode-bidi: isolate; }
.lw-entry > :nth-child(n + 3) { grid-column: 1 / -1; font-size: var(--text-s); color: var(--ink-2); }
.lw-entry summary { display: flex; align-items: center; gap: var(--s1); inline-size: fit-content; min-block-size: 44px; margin-block-end: calc(-1 * var(--s3)); color: var(--accent-text); cursor: pointer; list-style: none; }
.lw-entry summary::-webkit-details-marker { display: none; }
.lw-entry summary svg { inline-size: calc(14 * var(--px)); block-size: calc(14 * var(--px)); transition: rotate var(--fast); }
.lw-entry [open] summary svg { rotate: 90deg; }
[dir=rtl] .lw-entry [open] summary svg { rotate: -90deg; }
.lw-entry dl { margin-block-start: var(--s3); padding: var(--s2) var(--s3); border-radius: var(--radius-s); background: var(--sunken); display: grid; gap: var(--s1); }
.lw-entry dl > div { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 var(--s3); }
.lw-entry dd { color: var(--ink); }
.lw-plus { color: var(--good); }

.lw-code { display: grid; gap: var(--s3); padding: var(--s4); border: 1px dashed var(--accent-text); border-radius: var(--radius); background: var(--accent-soft); text-align: center; }
.lw-code code { font: 600 var(--text-xl)/1.3 var(--mono); letter-spacing: .04em; direction: ltr; unicode-bidi: isolate; user-select: all; overflow-wrap: anywhere; }
.lw-code .lw-btn { padding-inline: var(--s1); }
.lw-code .lw-btn[aria-disabled] { background: var(--surface); }
.lw-code .lw-wait { background: color-mix(in oklab, var(--accent-text) 24%, var(--surface)); }
.lw-pick { display: grid; gap: var(--s1); padding: var(--s3) var(--s4); border: 1px solid var(--line); border-radius: var(--radius); }
.lw-pick .lw-icon { font-size: var(--text-l); }
.lw-pick input { --to: right; --rest: color-mix(in oklab, var(--accent-text) 20%, var(--surface)); appearance: none; flex: 1; min-inline-size: 0; block-size: 44px; margin: 0; border-radius: var(--radius); background: none; cursor: pointer; }
.lw-pick input:dir(rtl) { --to: left; }
.lw-pick ::-webkit-slider-runnable-track { block-size: 6px; border-radius: 9px; background: linear-gradient(to var(--to), var(--accent-text) var(--at), var(--rest) 0); }
.lw-pick ::-moz-range-track { block-size: 6px; border-radius: 9px; background: var(--rest); }
.lw-pick ::-moz-range-progress { block-size: 6px; border-radius: 9px; background: var(--accent-text); }
.lw-pick ::-webkit-slider-thumb { appearance: none; box-sizing: border-box; inline-size: 26px; block-size: 26px; margin-block-start: -10px; border: 2px solid var(--accent-text); border-radius: 50%; background: var(--surface); }
.lw-pick ::-moz-range-thumb { box-sizing: border-box; inline-size: 26px; block-size: 26px; border: 2px solid var(--accent-text); border-radius: 50%; background: var(--surface); }
.lw-two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(calc(110 * var(--px)), 100%), 1fr)); gap: var(--s2); }
.lw-note { display: flex; gap: var(--s3); align-items: flex-start; padding: var(--s3) var(--s4); border-radius: var(--radius); background: var(--sunken); font-size: var(--text-s); }
.lw-note > div { flex: 1; min-inline-size: 0; }
.lw-note .lw-btn { margin-block-start: var(--s2); }
.lw-note.bad { background: var(--bad-soft); } .lw-note.bad svg { color: var(--bad); }
.lw-note.warn { background: var(--warn-soft); } .lw-note.warn svg { color: var(--warn); }
.lw-note.good { background: var(--good-soft); } .lw-note.good svg { color: var(--good); }
.lw-empty { display: grid; justify-items: center; gap: var(--s2); padding-block: var(--s5); text-align: center; }
.lw-empty.slim { padding-block: 0; }
.lw-empty > .lw-btn { margin-block-start: var(--s2); }
.lw-empty > svg { inline-size: calc(40 * var(--px)); block-size: calc(40 * var(--px)); color: var(--accent-text); }
.lw-end { text-align: center; margin-block: -10px; }

.lw-wait { color: transparent !important; border-radius: var(--radius-s); background: var(--sunken); -webkit-box-decoration-break: clone; box-decoration-break: clone; animation: lw-wait 1.6s ease-in-out infinite alternate; user-select: none; }
span.lw-btn.lw-wait { border-color: transparent; border-radius: var(--radius); }
.lw-box { display: block; }
.lw-ghost { background: none; box-shadow: inset 0 0 0 1px var(--line); }
.lw-ghost .lw-bar { background: var(--sunken); }
@keyframes lw-wait { to { opacity: .5; } }
`;
