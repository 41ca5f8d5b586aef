// Opened through a sign-in link, the page holds the secret behind #, where no server sees it. It goes into
// the form and out of the address; the person still presses the button, so that a mail filter that opens
// the link does not use it up.
"use strict";

const secret = location.hash.slice(1);
if (secret) {
  const field = document.getElementById("secret");
  field.value = secret;
  document.getElementById("secret-help").textContent = "Your sign-in link was read: press the button.";
  history.replaceState(null, "", location.pathname + location.search);
  document.querySelector("#sign-in button").focus();
}
