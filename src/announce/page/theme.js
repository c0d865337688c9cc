// The colours: as the device has them, or as chosen for this tab. Runs before the first paint.
"use strict";

(() => {
  const KEY = "framewire.theme";
  const root = document.documentElement;

  function apply(theme) {
    if (theme === "light" || theme === "dark") {
      root.dataset.theme = theme;
    } else {
      delete root.dataset.theme;
    }
  }

  const kept = sessionStorage.getItem(KEY) || "auto";
  apply(kept);
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    choice.value = kept;
    choice.addEventListener("change", () => {
      sessionStorage.setItem(KEY, choice.value);
      apply(choice.value);
    });
  });
})();
