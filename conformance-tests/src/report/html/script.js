"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const laws = $$("tbody.law");
  const state = { words: [], status: "all", hidden: new Set(), unfolded: false, open: new Set() };

  // What is searched is read once.
  const textOf = new Map();
  for (const law of laws) {
    textOf.set(law, (law.id + " " + $(".law-text", law).textContent).toLowerCase());
    for (const row of $$("tr.case", law)) textOf.set(row, row.cells[0].textContent.toLowerCase());
  }

  const matchesWords = (text) => state.words.every((word) => text.includes(word));
  const states = (row) =>
    [...row.cells].slice(1).filter((_, column) => !state.hidden.has(column)).map((cell) => cell.dataset.state);

  function matchesStatus(row) {
    const seen = states(row);
    switch (state.status) {
      case "broken": return seen.includes("broken");
      case "held": return seen.includes("held") && !seen.includes("broken");
      case "none": return seen.every((one) => one === "none");
      default: return true;
    }
  }

  function showLaw(law) {
    const lawMatches = matchesWords(textOf.get(law));
    let matching = 0;
    const rows = $$("tr.case", law);
    const open = state.unfolded || state.open.has(law.id) || (state.words.length > 0 && !lawMatches) || state.status === "broken";
    for (const row of rows) {
      const matches = matchesStatus(row) && (lawMatches || matchesWords(textOf.get(row)));
      row.hidden = !(matches && open);
      if (matches) matching += 1;
    }
    const shown = rows.length ? matching > 0 : lawMatches && matchesStatus(law.rows[0]);
    law.hidden = !shown;
    law.classList.toggle("open", open && shown);
    $("button", law).setAttribute("aria-expanded", open);
    return shown;
  }

  function show() {
    const families = new Set();
    for (const law of laws) if (showLaw(law)) families.add(law.dataset.family);
    for (const family of $$("tbody.family")) family.hidden = !families.has(family.dataset.family);
    $("#nothing").hidden = families.size > 0;
    for (const cell of $$("table [class^=c]")) {
      const column = /^c(\d+)/.exec(cell.className);
      if (column) cell.hidden = state.hidden.has(Number(column[1]));
    }
  }

  function toggle(law, open = !state.open.has(law.id)) {
    if (open) state.open.add(law.id); else state.open.delete(law.id);
    show();
  }

  const press = (button, pressed) => button.setAttribute("aria-pressed", pressed);

  for (const law of laws) $(".law-row", law).addEventListener("click", () => toggle(law));
  $("#search").addEventListener("input", (event) => {
    state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    show();
  });
  for (const button of $$("#status button")) {
    button.addEventListener("click", () => {
      state.status = button.dataset.value;
      $$("#status button").forEach((other) => press(other, other === button));
      show();
    });
  }
  for (const button of $$("#columns button")) {
    button.addEventListener("click", () => {
      const column = Number(button.dataset.column);
      if (!state.hidden.delete(column)) state.hidden.add(column);
      press(button, !state.hidden.has(column));
      show();
    });
  }
  $("#unfold").addEventListener("click", (event) => {
    state.unfolded = !state.unfolded;
    press(event.target, state.unfolded);
    event.target.textContent = state.unfolded ? "hide cases" : "show all cases";
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      $("#search").focus();
    }
  });

  // A link to a law opens it, whatever the filters say.
  function follow() {
    const law = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!law || !law.matches("tbody.law")) return;
    toggle(law, true);
    law.hidden = false;
    law.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", follow);

  // A page opened from a file may have no storage.
  const store = {
    get: () => { try { return localStorage.getItem("anyio-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("anyio-theme", value); } catch { /* then it is not kept */ } },
  };
  const themes = ["auto", "light", "dark"];
  const dress = (theme) => {
    document.documentElement.dataset.theme = theme;
    $("#theme").textContent = theme;
  };
  dress(themes.includes(store.get()) ? store.get() : "auto");
  $("#theme").addEventListener("click", () => {
    const theme = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
    store.set(theme);
    dress(theme);
  });

  $("#copy").addEventListener("click", async (event) => {
    const command = $("#command");
    try {
      await navigator.clipboard.writeText(command.textContent);
      event.target.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(command);
      event.target.textContent = "selected";
    }
    setTimeout(() => { event.target.textContent = "copy"; }, 1500);
  });

  // The head of the table stands below the toolbar, however many lines that takes.
  const toolbar = $(".toolbar");
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${toolbar.offsetHeight}px`)).observe(toolbar);

  show();
  follow();
})();
