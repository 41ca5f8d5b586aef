// The invitation's token stands behind # in the address, where no server sees it with the page. This asks
// the gateway what the token stands for, as its holder may, and puts both where the commands need them.
"use strict";

const notice = document.getElementById("invitation");

function say(text, good) {
  notice.textContent = text;
  notice.classList.toggle("good", good);
  notice.hidden = false;
}

function fill(name, value) {
  for (const place of document.querySelectorAll(`[data-fill="${name}"]`)) {
    place.textContent = value;
  }
}

// What goes into a command is held to these forms: nothing that could end the quotes it stands in.
const isToken = /^[A-Za-z0-9_-]{16,128}$/;
const isEntity = /^https?:\/\/[A-Za-z0-9._~:\/%[\]-]+$/;

async function open() {
  const token = location.hash.slice(1);
  if (!isToken.test(token)) {
    say("Open this page through the address in your invitation: its one-time token stands behind #. Here it would be filled in below.", false);
    return;
  }
  const answer = await fetch("/enrolments", { headers: { Authorization: `Bearer ${token}`, Accept: "application/json" } });
  const invitation = await answer.json();
  if (!answer.ok) {
    say(`This invitation does not hold: ${invitation.detail ?? answer.statusText}.`, false);
    return;
  }
  if (!isEntity.test(invitation.entity) || !isEntity.test(invitation.superior)) {
    say("The gateway's answer names no entity identifier. Ask whoever invited you.", false);
    return;
  }
  fill("token", token);
  fill("entity", invitation.entity);
  fill("superior", invitation.superior);
  const until = new Date(invitation.expires_at).toLocaleString("en-GB", {
    timeZone: "UTC", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });
  say(`This invitation is for ${invitation.name} (${invitation.country}) and holds until ${until} UTC. Its token and your entity identifier are filled in below.`, true);
}

open().catch(() => say("The gateway could not be asked about this invitation. Load the page again.", false));
