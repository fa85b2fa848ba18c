// The panel: a frame with a title and one view at a time. Which view, is decided here; what is in it, in the others.

import { guestView, joinView, troubleView, waitingView } from "./door.js";
import { Home } from "./home.js";
import { panelIcons } from "./icons.js";
import { panelCss } from "./panel-style.js";
import { addIcons, h, icon, turn } from "./parts.js";
import { styleSheet } from "./style.js";

const SKELETON_MS = 150;

/** A promise of the panel; closed, so that there is time to make ready what takes a slow phone long. */
export async function makePanel(app, onclose) {
  await turn();
  const { currency } = app.store.me?.program ?? {};
  // the first amount of money takes as long as the whole panel
  if (currency) app.words.money({ minor: 0, currency });
  await turn();
  return new Panel(app, onclose);
}

/**
 * A view is {name, title, nodes, back?, focus?}. `home`, `guest` and the like follow the store by themselves;
 * a `step` (confirm, code, …) stays until the shopper leaves it.
 */
class Panel {
  #app;
  #onclose;
  #view = null;
  #shownAt = 0;
  #home;
  #element;
  #head = h("div", { class: "lw-head" });
  #body;

  constructor(app, onclose) {
    this.#app = app;
    this.#onclose = onclose;
    this.#home = new Home(app, this);
    addIcons(panelIcons);
    app.frame.getRootNode().adoptedStyleSheets.push(styleSheet(panelCss));
    this.#body = h("div", { class: "lw-body", tabindex: "0", role: "group", "aria-label": app.words.t("your_points") });
    this.#element = this.#makeElement();
    // The second half of a double click was meant for what stood there before: it presses no new button.
    this.#element.addEventListener("click", (event) => {
      if (event.detail > 1 && performance.now() - this.#shownAt < 500) {
        event.preventDefault();
        event.stopPropagation();
      }
    }, { capture: true });
    app.frame.append(this.#element);
    app.store.addEventListener("change", () => this.#follow());
    if (app.inline) this.open();
  }

  #makeElement() {
    const { inline } = this.#app;
    if (inline) return h("div", { class: "lw-panel lw-card" }, this.#head, this.#body);
    return h("dialog", {
      class: "lw-panel",
      "aria-labelledby": "lw-title",
      onclose: () => this.#closed(),
      // the dimmed page behind a sheet
      onclick: (event) => { if (event.target === this.#element) this.close(); },
      onkeydown: (event) => { if (event.key === "Escape") this.close(); },
    }, this.#head, this.#body);
  }

  /** As a sheet over a dimmed page (`modal`), or beside a page that stays in use. */
  async open(modal = false) {
    const element = this.#element;
    await turn();
    if (!this.#app.inline && !element.open) {
      if (this.#view?.name !== "step") this.#view = null;
      // before the lists, which wait for theirs
      const shown = turn();
      this.#follow();
      await shown;
      // A second click, or a page that took the element out.
      if (element.open || !element.isConnected) return;
      // the frame first, then part by part: to lay all of it out at once would hold a slow phone up
      const parts = [...this.#body.children];
      for (const { style } of parts) style.contentVisibility = "hidden";
      if (modal) element.showModal();
      else element.show();
      this.#focusTitle();
      for (const part of parts) {
        await turn();
        part.style.contentVisibility = "";
        part.getBoundingClientRect(); // else they would be laid out together, with the next frame
      }
    } else {
      this.#follow();
    }
    this.#app.store.watch(true);
    this.#app.store.refresh();
  }

  close() {
    if (this.#element.open) this.#element.close();
  }

  #closed() {
    this.#app.store.watch(false);
    this.#onclose();
  }

  /** Shows a step, with the focus on its title, so that it is read out and Tab goes on from there. */
  show(view) {
    this.#put(view);
    this.#focusTitle();
  }

  showing(view) {
    return this.#view === view;
  }

  /** Back from a step to where the shopper stands. */
  home() {
    this.#view = null;
    this.#follow();
    this.#focusTitle();
  }

  /** Lets the shown view agree with the store. */
  #follow() {
    if (this.#view?.name === "step") return;
    const name = this.#standing();
    // what it counts is known only now
    this.#body.ariaLabel = this.#app.words.t("your_points");
    if (name !== this.#view?.name) this.#put(this.#make(name));
    if (name === "home") this.#home.update();
  }

  #standing() {
    const { me, problem } = this.#app.store;
    if (me?.member) return "home";
    if (problem && (!me || problem.kind === "unproven")) return `trouble-${problem.kind}`;
    if (!me) return "waiting";
    return me.signed_in ? "join" : "guest";
  }

  #make(name) {
    if (name === "home") return this.#home.view();
    if (name === "guest") return guestView(this.#app);
    if (name === "join") return joinView(this.#app, this);
    if (name === "waiting") return waitingView(this.#app);
    return troubleView(this.#app, name);
  }

  #put(view) {
    const { words, inline } = this.#app;
    const inside = this.#element.contains(this.#element.getRootNode().activeElement);
    this.#view = view;
    this.#shownAt = performance.now();
    this.#element.dataset.view = view.name;
    this.#element.setAttribute("aria-busy", String(view.name === "waiting"));
    this.#head.replaceChildren(...[
      view.back && this.#tool("back", words.t("back"), view.back, "flip"),
      h("h2", { id: "lw-title", tabindex: "-1" }, view.title),
      !inline && this.#tool("close", words.t("close"), () => this.close()),
    ].filter(Boolean));
    this.#body.replaceChildren(...view.nodes.flat().filter(Boolean));
    this.#body.scrollTop = 0;
    if (view.name === "waiting") this.#delay();
    if (inside) this.#focusTitle();
  }

  /** Most answers are here sooner than a skeleton would be seen. */
  #delay() {
    const { style } = this.#body;
    style.visibility = "hidden";
    setTimeout(() => { style.visibility = ""; }, SKELETON_MS);
  }

  #tool(name, label, onclick, className = "") {
    const button = h("button", { class: "lw-icon", type: "button", "aria-label": label, title: label, onclick }, icon(name));
    button.firstChild.setAttribute("class", className);
    return button;
  }

  #focusTitle() {
    this.#head.querySelector("h2")?.focus({ preventScroll: true });
  }
}
