"use strict";
// The search's figures, each in its place. One that is drawn anew keeps what was zoomed into or brushed.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.graphs = (() => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  let turn = 0;

  /** Draw them one after the other, until there are newer ones; the page stays usable in between. */
  const all = async ({ figures, config }) => {
    turn += 1;
    const mine = turn;
    await window.dash_clientside.front.library;
    for (const [name, figure] of Object.entries(figures)) {
      let place = null;
      while ((place = document.getElementById(`search-${name}`)) === null) await frame();
      if (mine !== turn) return;
      const { data, layout } = structuredClone(figure);
      place.style.height = `${layout.height}px`;
      const graph = place.firstChild ?? place.appendChild(document.createElement("div"));
      graph.className ||= "graph";
      try {
        await Plotly.react(graph, data, layout, config);
      } catch (error) {
        console.warn(`dse: ${name} cannot be drawn here (${error})`); // the others can
      }
      await frame();
    }
  };

  const draw = (wanted) => {
    if (wanted) all(wanted);
    return window.dash_clientside.no_update;
  };

  return { draw };
})();
