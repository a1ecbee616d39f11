// Sets the chosen theme before the first paint, so that a page never flashes in the other one.
// Blocking on purpose; "auto" (nothing stored) follows the system.
(function () {
  "use strict";
  try {
    var theme = localStorage.getItem("grantline-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) {
    // Storage is forbidden: the system's theme stays.
  }
})();
