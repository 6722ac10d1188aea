// Exchanges the token for a cookie; the printed address has it behind the # sign, which no server sees.
"use strict";
const field = document.getElementById("token");
const said = document.getElementById("said");

async function login(token) {
  const answer = await fetch("/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (answer.ok) location.replace("/");
  else said.textContent = "This is not the token.";
}

document.getElementById("login").addEventListener("submit", (event) => {
  event.preventDefault();
  login(field.value.trim());
});

function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  history.replaceState(null, "", "/");
  login(given);
}

window.addEventListener("hashchange", takeFromAddress);
takeFromAddress();
