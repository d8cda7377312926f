"use strict";
// Pieces of the page as the server describes them, made in place. Texts become text, never markup.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.pieces = (() => {
  const TAGS = new Set("a b button code dd details div dl dt h2 h3 p pre section small span summary table tbody td th thead tr".split(" "));
  const NAMES = { className: "class", title: "title", scope: "scope", "aria-sort": "aria-sort", tabIndex: "tabindex", role: "role" };

  /** An id as the page writes it: a name, or sorted JSON. */
  const name = (id) => (typeof id === "string" ? id : JSON.stringify(Object.fromEntries(Object.entries(id).sort())));

  /** What the server describes (a text, a number, an element, or a list of them) as a node. */
  const built = (piece) => {
    if (piece === null || piece === undefined) return document.createDocumentFragment();
    if (Array.isArray(piece)) {
      const all = document.createDocumentFragment();
      all.append(...piece.map(built));
      return all;
    }
    if (typeof piece !== "object") return document.createTextNode(String(piece));
    const tag = piece.type.toLowerCase();
    if (!TAGS.has(tag)) throw new Error(`a page has no ${tag}`);
    const made = document.createElement(tag);
    for (const [prop, value] of Object.entries(piece.props)) {
      if (prop === "children") made.append(built(value));
      else if (prop === "id") made.id = name(value);
      else if (prop === "disabled") made.disabled = value;
      else if (prop in NAMES && value !== "") made.setAttribute(NAMES[prop], value);
    }
    if (tag === "button") made.type = "button";
    return made;
  };

  /** Exchange what an element holds; what had the keyboard keeps it. */
  const put = (id, piece) => {
    const place = document.getElementById(id);
    if (place === null) return;
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    const side = place.querySelector(".scroll")?.scrollLeft ?? 0;
    place.replaceChildren(built(piece));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (side) place.querySelector(".scroll")?.scrollTo(side, 0);
  };

  return { built, name, put };
})();
