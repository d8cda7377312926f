"use strict";
// What moves about in the browser alone: nothing here knows a figure's meaning, and nothing of a record is read as markup.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.dse = (() => {
  // the library comes after this file
  const same = () => window.dash_clientside.no_update;
  const context = () => window.dash_clientside.callback_context;
  const root = document.documentElement;

  /** The id and property that changed, or null at the beginning. */
  const changed = () => {
    const found = context().triggered[0];
    if (found === undefined || found.prop_id === ".") return null;
    const dot = found.prop_id.lastIndexOf(".");
    const name = found.prop_id.slice(0, dot);
    return { id: name.startsWith("{") ? JSON.parse(name) : name, prop: found.prop_id.slice(dot + 1), value: found.value };
  };

  const webgl = (() => {
    try {
      return document.createElement("canvas").getContext("webgl") !== null;
    } catch {
      return false;
    }
  })();

  const remembered = () => {
    try {
      return localStorage.getItem("dse-theme");
    } catch {
      return null;
    }
  };

  /** How the page looks: its theme, which a click changes, and whether it can draw with WebGL. */
  const look = (other = false) => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    let theme = root.dataset.theme || remembered() || system;
    if (other) {
      theme = theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("dse-theme", theme);
      } catch {
        // a browser that keeps nothing asks again next time
      }
    }
    root.dataset.theme = theme;
    return { theme, webgl };
  };

  const NAMES = ["judge", "part", "tab", "x", "y", "z", "xscale", "yscale", "color", "symbol", "others", "best", "trial", "other"];
  let first = null;

  /** The controls and the look as one value. */
  const collect = (...given) => {
    const values = given.slice(0, NAMES.length);
    const [run, filter, sort, fields, , ids] = given.slice(NAMES.length);
    if (changed()?.id === "run" && first !== null && run !== first.run) {
      location.assign(`?run=${encodeURIComponent(run)}`);
      return same();
    }
    const state = Object.fromEntries(NAMES.map((name, at) => [name, values[at]]));
    state.others = (state.others ?? []).includes("yes") ? "" : "no";
    state.budgets = Object.fromEntries(ids.map((id, at) => [id.metric, fields[at] ?? ""]));
    first ??= { run };
    return { ...state, run, filter: filter ?? "", sort: sort ?? "", look: look(changed()?.id === "theme") };
  };

  const reset = (clicks, ids, asked) => {
    if (!clicks) return [ids.map(() => same()), same()];
    return [ids.map((id) => asked?.limits?.[id.metric] ?? ""), ""];
  };

  const share = (clicks) => {
    if (!clicks) return same();
    navigator.clipboard?.writeText(location.href).catch(() => {});
    setTimeout(() => {
      const button = document.getElementById("share");
      if (button) button.textContent = "copy link";
    }, 1500);
    return "copied";
  };

  return { look, collect, reset, share };
})();
