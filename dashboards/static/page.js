"use strict";
(() => {
  const { figures, hovers, dark } = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const config = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg" },
  };
  let chosen = null;

  for (const figure of Object.values(figures)) {
    for (const trace of figure.data) if (trace.customdata) trace.hovertext = trace.customdata.map((trial) => hovers[trial]);
  }

  // Without WebGL, figures that want it have a plain form: another figure, or another kind of trace.
  const webgl = document.createElement("canvas").getContext("webgl") !== null;
  if (!webgl) {
    for (const name of Object.keys(figures)) {
      if (Object.hasOwn(figures, `${name}-plain`)) figures[name] = figures[`${name}-plain`];
      for (const trace of figures[name].data) if (trace.type === "scattergl") trace.type = "scatter";
    }
  }

  const darkened = (value) => {
    if (typeof value === "string") return Object.hasOwn(dark, value) ? dark[value] : value;
    if (Array.isArray(value)) return value.map(darkened);
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, darkened(inner)]));
    }
    return value;
  };

  const draw = (place, theme) => {
    const { data, layout } = structuredClone(figures[place.dataset.figure]);
    const [traces, looks] = theme === "dark" ? darkened([data, layout]) : [data, layout];
    Plotly.react(place, traces, looks, config);
  };

  const show = (theme) => {
    root.dataset.theme = theme;
    document.querySelectorAll("div.figure").forEach((place) => draw(place, theme));
  };

  const current = () => chosen ?? (system.matches ? "dark" : "light");

  document.getElementById("theme").addEventListener("click", () => {
    chosen = current() === "dark" ? "light" : "dark";
    show(chosen);
  });
  system.addEventListener("change", () => show(current()));
  addEventListener("beforeprint", () => show("light"));
  addEventListener("afterprint", () => show(current()));

  document.querySelectorAll(".tabs button").forEach((button) => {
    button.addEventListener("click", () => {
      const card = button.closest(".card");
      card.querySelectorAll(".tabs button").forEach((other) => other.setAttribute("aria-selected", String(other === button)));
      const place = card.querySelector("div.figure");
      place.dataset.figure = button.dataset.figure;
      draw(place, current());
    });
  });

  const key = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.value;
    return number === undefined ? cell.textContent : Number(number);
  };

  // Numbers come before words, what is empty comes last whichever way the column is sorted.
  const compare = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };

  document.querySelectorAll("table.sortable").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", other === head ? order : "none"));
        const sign = order === "ascending" ? 1 : -1;
        const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
        rows.sort((a, b) => compare(a[0], b[0], sign));
        table.tBodies[0].append(...rows.map((pair) => pair[1]));
      });
    });
  });

  show(current());
})();
