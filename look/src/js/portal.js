// Gives the portal its service worker: the offline page, the catalogue without a connection, notices of the browser.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js", { scope: "/" });
