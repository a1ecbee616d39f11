// Passkeys (WebAuthn). A form with data-passkey="get" or "create" asks the server for its options when it is
// sent, hands them to the browser, and is sent with what the browser said. Without passkeys in the browser
// the form stays hidden and the page works as it is.
(function () {
  "use strict";
  const cancelled = "Nothing was confirmed. Try again, or go on without a passkey.";

  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  }

  function text(buffer) {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function described(list) {
    return (list || []).map((item) => ({ ...item, id: bytes(item.id) }));
  }

  async function made(options) {
    const asked = { ...options, challenge: bytes(options.challenge) };
    asked.user = { ...options.user, id: bytes(options.user.id) };
    asked.excludeCredentials = described(options.excludeCredentials);
    const found = await navigator.credentials.create({ publicKey: asked });
    return {
      ...common(found),
      response: {
        clientDataJSON: text(found.response.clientDataJSON),
        attestationObject: text(found.response.attestationObject),
        transports: found.response.getTransports ? found.response.getTransports() : [],
      },
    };
  }

  async function got(options) {
    const asked = { ...options, challenge: bytes(options.challenge) };
    asked.allowCredentials = described(options.allowCredentials);
    const found = await navigator.credentials.get({ publicKey: asked });
    const response = found.response;
    return {
      ...common(found),
      response: {
        clientDataJSON: text(response.clientDataJSON),
        authenticatorData: text(response.authenticatorData),
        signature: text(response.signature),
        userHandle: response.userHandle ? text(response.userHandle) : null,
      },
    };
  }

  function common(found) {
    return {
      id: found.id,
      rawId: text(found.rawId),
      type: found.type,
      authenticatorAttachment: found.authenticatorAttachment,
      clientExtensionResults: found.getClientExtensionResults(),
    };
  }

  async function send(form) {
    const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("options");
    const options = (await answer.json()).publicKey;
    const said = await (form.dataset.passkey === "create" ? made(options) : got(options));
    (form.querySelector("[data-passkey-credential]") || form.elements.credential).value = JSON.stringify(said);
    form.submit();
  }

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    if (!window.PublicKeyCredential || !window.isSecureContext) return;
    form.hidden = false;
    form.parentElement.querySelectorAll("[data-passkey-missing]").forEach((words) => { words.hidden = true; });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const problem = form.querySelector("[data-passkey-problem]");
      problem.hidden = true;
      send(form).catch(() => {
        problem.textContent = cancelled;
        problem.hidden = false;
      });
    }, true);
  });

  document.querySelectorAll("[data-only]").forEach((button) => {
    button.addEventListener("click", () => {
      for (const field of button.form.elements) {
        if (field.required && field.name !== button.dataset.only) field.required = false;
      }
    });
  });
})();
