"use strict";
// The front's page: asks the server for all that a state decides, and puts it in place. Texts become text, never markup.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.front = (() => {
  const same = () => window.dash_clientside.no_update;
  const set = (id, values) => window.dash_clientside.set_props(id, values);

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

  const CONFIG = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["autoScale2d", "select2d"],
    toImageButtonOptions: { format: "svg" },
  };
  let figure = null;

  /** The plot's element; a page that was furnished anew has none yet. */
  const plot = () => document.querySelector("#front > .graph");

  const draw = async () => {
    const place = document.getElementById("front");
    if (place === null || figure === null) return;
    let graph = plot();
    const { data, layout } = figure;
    place.style.height = `${layout.height}px`;
    if (graph === null) {
      graph = place.appendChild(document.createElement("div"));
      graph.className = "graph";
      // the front at once; the browser takes its time to set up WebGL for the faint thousands behind it
      const first = data.filter((trace) => !trace.type.endsWith("gl") && trace.type !== "scatter3d");
      if (first.length < data.length && first.length > 0) {
        await Plotly.newPlot(graph, first, structuredClone(layout), CONFIG);
        place.dataset.drawn = "front";
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      }
      await Plotly.react(graph, data, layout, CONFIG);
      listen(graph);
    } else {
      await Plotly.react(graph, data, layout, CONFIG);
    }
    place.dataset.drawn = "all";
  };

  const trialOf = (point) => point?.fullData?.customdata?.[point.pointNumber];

  const listen = (graph) => {
    graph.on("plotly_click", (event) => {
      const trial = trialOf(event.points[0]);
      if (Number.isInteger(trial)) set("trial", { value: trial });
    });
    graph.on("plotly_selected", (event) => {
      const trials = (event?.points ?? []).map(trialOf).filter(Number.isInteger);
      narrow(trials.length > 0 ? [...new Set(trials)] : null);
    });
    graph.on("plotly_deselect", () => narrow(null));
    graph.on("plotly_hover", (event) => tell(event.points[0]));
    graph.on("plotly_unhover", () => tell(null));
  };

  let hovered = null;

  /** What a point is, beside it. */
  const tell = async (point) => {
    const box = document.getElementById("tip");
    const trial = trialOf(point);
    hovered = Number.isInteger(trial) ? trial : null;
    if (box === null) return;
    if (hovered === null) {
      box.hidden = true;
      return;
    }
    const given = await fetch("tip", posted({ state: now.state, trial })).then((reply) => reply.json(), () => null);
    if (hovered !== trial || given === null) return;
    box.replaceChildren(built(given));
    box.hidden = false;
    const { x0, x1, y0, y1 } = point.bbox;
    const room = document.getElementById("front").getBoundingClientRect();
    const left = (x0 + x1) / 2 < room.width / 2 ? x1 + 12 : x0 - 12 - box.offsetWidth;
    const top = Math.min((y0 + y1) / 2 - 20, innerHeight - room.top - box.offsetHeight - 8);
    box.style.transform = `translate(${left}px, ${top}px)`;
  };

  const posted = (asked) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });

  // what is asked for: the page's controls, its look, and what of the table is shown
  const now = { state: null, look: null, page: 0, lasso: null };
  let wanted = 0;
  let busy = false;

  /** Ask until what is shown is what was wanted last; moves that were overtaken are never asked for. */
  const ask = async () => {
    wanted += 1;
    if (busy || now.state === null || now.look === null) return;
    busy = true;
    try {
      for (let turn = -1; turn !== wanted;) {
        turn = wanted;
        const metrics = [...document.querySelectorAll(".budget > .hint")].map((hint) => JSON.parse(hint.id).metric);
        const reply = await fetch("answer", posted({ ...now, metrics }));
        if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
        if (turn === wanted) await show(await reply.json());
      }
    } catch (error) {
      // the server was stopped, or begun anew: the page stays as it is, and the next move asks again
      console.warn(`dse: no answer (${error})`);
    } finally {
      busy = false;
    }
  };

  const show = async ({ parts, hints, query, figure: drawn }) => {
    for (const [id, piece] of Object.entries(parts)) put(id, piece);
    for (const [metric, piece] of Object.entries(hints)) put(name({ type: "hint", metric }), piece);
    history.replaceState(history.state, "", query === "" ? location.pathname : query);
    document.getElementById("csv")?.setAttribute("href", `/get/table${query}`);
    if (drawn === undefined) return;
    figure = drawn;
    await draw();
  };

  const narrow = (trials) => {
    if (trials === null && now.lasso === null) return;
    Object.assign(now, { lasso: trials, page: 0 });
    ask();
  };

  /** The page's controls, its records or its look have changed. */
  const follow = (state, version, look) => {
    if (state === null || look === null || state === undefined || look === undefined) return same();
    if (now.state?.filter !== state.filter || now.state?.sort !== state.sort) now.page = 0;
    Object.assign(now, { state, look });
    ask();
    return same();
  };

  const chosen = (trial, other, tab) => {
    if (trial !== undefined) set("trial", { value: trial });
    if (other !== undefined) set("other", { value: other });
    if (tab !== undefined) set("tab", { value: tab });
  };

  /** What a click on a button or a row of these pieces means. */
  const act = ({ type, trial, name: column, to }) => {
    const { trial: first, other, sort } = now.state ?? {};
    switch (type) {
      case "row":
      case "pick":
        return chosen(trial);
      case "open":
        return chosen(trial, null, "design");
      case "compare":
        return first === null || first === undefined || first === trial
          ? chosen(trial, undefined, "design")
          : chosen(undefined, trial, "design");
      case "swap":
        return other === null || other === undefined ? undefined : chosen(other, first);
      case "single":
        return chosen(undefined, null);
      case "sort":
        return set("sort", { data: sort === column ? `-${column}` : column });
      case "leaf":
        now.page = to;
        return ask();
      case "free":
        Plotly.restyle(plot(), { selectedpoints: null });
        return narrow(null);
      default:
        return undefined;
    }
  };

  document.addEventListener("click", (event) => {
    const hit = event.target.closest("button[id], tr[id]");
    if (hit === null) return;
    act(hit.id.startsWith("{") ? JSON.parse(hit.id) : { type: hit.id });
  });
  // a row of the table is a button for the keyboard, too
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "TR") event.target.click();
  });

  return { follow };
})();
