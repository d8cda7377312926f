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

  /** A budget's text as a number in the figure's unit, or null. */
  const number = (text, total) => {
    const found = /^\s*[<>=≤≥]*\s*(-?(?:[0-9][0-9,_]*\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+))\s*(%|k|m)?\s*$/i.exec(text ?? "");
    if (found === null) return null;
    const value = Number(found[1].replace(/[,_]/g, ""));
    const unit = (found[2] ?? "").toLowerCase();
    if (unit === "%") return total ? (value / 100) * total : value / 100;
    return value * ({ k: 1e3, m: 1e6 }[unit] ?? 1);
  };

  const STEPS = 100;

  /** Where a slider stands for a value; one end means that there is no budget. */
  const place = (value, scale) => {
    const { numbers, most } = scale;
    if (value === null || numbers.length === 0) return most ? STEPS : 0;
    let at = most ? numbers.filter((one) => one <= value * (1 + 1e-12)).length - 1 : numbers.findIndex((one) => one >= value);
    if (at < 0) at = most ? 0 : numbers.length - 1;
    const share = numbers.length > 1 ? at / (numbers.length - 1) : 1;
    return most ? Math.min(Math.floor(share * (STEPS - 1)), STEPS - 1) : 1 + Math.ceil(share * (STEPS - 1));
  };

  /** The text of a slider's place. */
  const text = (at, scale, before) => {
    const { numbers, texts, most, total } = scale;
    if (numbers.length === 0 || (most ? at >= STEPS : at <= 0)) return "";
    const share = most ? at / (STEPS - 1) : (at - 1) / (STEPS - 1);
    const row = Math.round(share * (numbers.length - 1));
    if (!(before ?? "").trim().endsWith("%") || !total) return texts[row];
    const percent = (100 * numbers[row]) / total;
    const step = 10 ** Math.max(Math.floor(Math.log10(percent || 1)) - 2, -6);
    return `${Number((Math.ceil(percent / step) * step).toPrecision(6))} %`;
  };

  const look = (clicks) => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    let theme = root.dataset.theme || remembered() || system;
    if (clicks && changed()?.id === "theme") {
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

  const collect = (...given) => {
    const values = given.slice(0, NAMES.length);
    const [run, filter, sort, fields, ids] = given.slice(NAMES.length);
    if (changed()?.id === "run" && first !== null && run !== first.run) {
      location.assign(`?run=${encodeURIComponent(run)}`);
      return [same(), same(), same()];
    }
    const state = Object.fromEntries(NAMES.map((name, at) => [name, values[at]]));
    state.others = (state.others ?? []).includes("yes") ? "" : "no";
    state.budgets = Object.fromEntries(ids.map((id, at) => [id.metric, fields[at] ?? ""]));
    first ??= { run };
    const all = { ...state, run, filter: filter ?? "", sort: sort ?? "" };
    // the other tabs are told of what they show alone
    return [all, all.tab === "design" ? all : same(), all.tab === "search" ? all : same()];
  };

  const slide = (field, at, scales, id) => {
    const scale = scales?.[id.metric];
    if (scale === undefined) return [same(), same()];
    const why = changed();
    if (why !== null && why.id.type === "slide") {
      const now = text(at, scale, field);
      return [now === (field ?? "") ? same() : now, same()];
    }
    const now = place(number(field, scale.total), scale);
    return [same(), now === at ? same() : now];
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

  const tabs = (tab) => {
    for (const name of ["front", "design", "search"]) {
      const panel = document.getElementById(`panel-${name}`);
      if (panel) panel.hidden = name !== tab;
    }
    dispatchEvent(new Event("resize"));
    return "";
  };

  return { look, collect, slide, reset, share, tabs };
})();
