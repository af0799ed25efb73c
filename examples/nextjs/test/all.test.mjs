// One file, so that all tests share the servers and the browser.
import "./accounts.mjs";
import "./tasks.mjs";
import "./offline.mjs";
import "./devices.mjs";
import "./start-page.mjs";
import "./pages.mjs";
