"use strict";
// The front's page: asks the server for all that a state decides, and puts it in place. Texts become text, never markup.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.front = (() => {
  const same = () => window.dash_clientside.no_update;
  const budgets = window.dash_clientside.budgets;
  const set = (id, values) => window.dash_clientside.set_props(id, values);

  const { built, name, put } = window.dash_clientside.pieces;
  const CONFIG = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["autoScale2d", "select2d"],
    toImageButtonOptions: { format: "svg" },
  };
  let figure = null;

  /** Plotly, which is large: it is compiled while the page is being set up. */
  const library = new Promise((done) => {
    const script = document.getElementById("plotly");
    if (window.Plotly || script === null) done();
    else script.addEventListener("load", done);
  });

  /** The plot's element; a page that was furnished anew has none yet. */
  const plot = () => document.querySelector("#front > .graph");

  const draw = async () => {
    const place = document.getElementById("front");
    await library;
    if (place === null || figure === null) return;
    let graph = plot();
    const { data, layout } = figure;
    place.style.height = `${layout.height}px`;
    if (graph === null) {
      graph = place.appendChild(document.createElement("div"));
      graph.className = "graph";
      // the front at once, in shapes; the browser takes its time to set up WebGL for the faint thousands behind it
      const shapes = data.map((trace) => (trace.meta === "first" ? { ...trace, type: "scatter" } : trace));
      const first = shapes.filter((trace) => !trace.type.endsWith("gl") && trace.type !== "scatter3d");
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

  const answered = async (asked) => {
    const reply = await fetch("answer", posted(asked));
    if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
    return reply.json();
  };

  // what is asked for: the page's controls, its look, and what of the table is shown; anew when there are other records
  const now = { state: null, look: null, page: 0, lasso: null, version: null };
  let scales = {};
  let wanted = null;
  let busy = false;

  // the address says what the page will ask for once it is set up: its answer is under way meanwhile
  let early = answered({ query: location.search, look: window.dash_clientside.dse.look() }).catch(() => null);

  /** What the picture depends on: not on what of the table is shown. */
  const pictured = () => {
    const { filter, sort, ...rest } = now.state;
    return JSON.stringify([rest, now.look, now.version]);
  };
  let shown = null;

  /** Ask until what is shown is what was wanted last; moves that were overtaken are never asked for. */
  const ask = async () => {
    if (now.state === null) return;
    const asked = JSON.stringify(now);
    if (asked === wanted) return;
    wanted = asked;
    if (busy) return;
    busy = true;
    try {
      for (let turn = null; turn !== wanted;) {
        turn = wanted;
        const metrics = [...document.querySelectorAll(".budget > .hint")].map((hint) => JSON.parse(hint.id).metric);
        let reply = early === null ? null : await early; // no pause where there is none: the question goes out at once
        early = null;
        const asked = pictured();
        if (reply === null || reply.version !== now.version) {
          reply = await answered({ ...now, metrics, picture: asked !== shown || plot() === null });
        }
        if (turn !== wanted) continue;
        await show(reply);
        if (reply.figure !== undefined) shown = asked;
      }
    } catch (error) {
      // the server was stopped, or begun anew: the page stays as it is, and the next move asks again
      console.warn(`dse: no answer (${error})`);
      wanted = null;
    } finally {
      busy = false;
    }
  };

  /** What of an address the browser's back button takes back: the tab, and which designs it shows. */
  const step = (query) => {
    const given = new URLSearchParams(query);
    const names = given.get("tab") === "design" ? ["tab", "trial", "other"] : ["tab"];
    return JSON.stringify(names.map((name) => given.get(name)));
  };

  addEventListener("popstate", () => {
    if (!busy) wanted = null;
    set("back", { data: location.search });
  });

  const show = async ({ parts, hints, stated, query, figure: drawn }) => {
    for (const judge of document.querySelectorAll(".judges .judge")) {
      judge.querySelector(".stated").textContent = stated[judge.title] ?? "";
    }
    for (const [id, piece] of Object.entries(parts)) put(id, piece);
    for (const [metric, piece] of Object.entries(hints)) put(name({ type: "hint", metric }), piece);
    if (step(query) === step(location.search)) history.replaceState(history.state, "", query === "" ? location.pathname : query);
    else history.pushState(null, "", query === "" ? location.pathname : query);
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

  const TABS = ["front", "design", "search"];
  let told = null;

  /** The page's controls, its look, its records or its sliders' scales have changed. */
  const follow = (given, version, ranges) => {
    if (given === null || given === undefined) return same();
    const { look, ...state } = given;
    if (now.state?.filter !== state.filter || now.state?.sort !== state.sort) now.page = 0;
    if (now.state?.tab !== state.tab) {
      for (const tab of TABS) document.getElementById(`panel-${tab}`).hidden = tab !== state.tab;
      if (now.state !== null) dispatchEvent(new Event("resize"));
    }
    scales = ranges ?? {};
    budgets.settle(state.budgets, scales);
    const news = version !== now.version;
    Object.assign(now, { state, look, version });
    ask();
    const chosen = given !== told;
    told = given;
    if (state.tab === "front") clearTimeout(later);
    else if (chosen) other();
    else if (news && state.tab === "search") whenCalm(drawn + CALM - performance.now());
    return same();
  };

  // the search is drawn anew when something was chosen, else at most so often (in ms) while trials come in, and never while
  // it is held with the mouse
  const CALM = 15000;
  let drawn = -CALM;
  let later = 0;

  // what those tabs show, and what they were told last
  const SHOWN = { design: ["trial", "other"], search: ["best"] };
  const before = {};

  /** Tell the tab that is open what it shows, unless it shows that already; it draws with the library that comes last. */
  const other = () => {
    clearTimeout(later);
    drawn = performance.now();
    const { tab } = told;
    const names = ["run", "judge", "part", "tab", "budgets", "look", ...SHOWN[tab]];
    const data = { ...Object.fromEntries(names.map((name) => [name, told[name]])), version: now.version };
    const there = document.getElementById(tab).firstChild !== null;
    if (there && JSON.stringify(data) === before[tab]) return;
    before[tab] = JSON.stringify(data);
    library.then(() => set(`state-${tab}`, { data: { ...data, there } }));
  };

  const whenCalm = (left) => {
    clearTimeout(later);
    later = setTimeout(() => (document.querySelector("#search:active") === null ? other() : whenCalm(1000)), left);
  };

  // a slider that is moved asks at once: to tell the page's other parts takes as long as the answer
  document.addEventListener("input", ({ target }) => {
    if (!target.matches(".slider > input") || now.state === null) return;
    const { metric } = JSON.parse(target.id);
    const before = now.state.budgets[metric];
    const value = budgets.text(Number(target.value), scales[metric], before);
    if (value === before) return;
    now.state = { ...now.state, budgets: { ...now.state.budgets, [metric]: value } };
    ask();
    set({ metric, type: "field" }, { value });
  });

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

  return { follow, library };
})();
