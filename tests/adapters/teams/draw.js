([card, config]) => {
  // Draws a card into #card with npm's `adaptivecards` and answers with what that complained of; what is pressed is
  // collected in `window.fired`. Teams draws emoji as images; this machine's fonts have none.
  const AC = window.AdaptiveCards;
  const context = new AC.SerializationContext();
  const made = new AC.AdaptiveCard();
  const signs = {
    '✅':
      '<rect width="20" height="20" rx="3" fill="#77b255"/>' +
      '<path d="M5 10l4 4 7-9" fill="none" stroke="#fff" stroke-width="3"/>',
    '⛔': '<circle cx="10" cy="10" r="10" fill="#dd2e44"/><rect x="4" y="8" width="12" height="4" fill="#fff"/>',
    '⚠️': '<path d="M10 1l10 18H0z" fill="#ffcc4d"/><path d="M10 7v6m0 2v2" stroke="#231f20" stroke-width="2"/>',
  };
  window.fired = [];
  made.hostConfig = new AC.HostConfig(config);
  made.onExecuteAction = (action) => window.fired.push({ title: action.title, verb: action.verb, data: action.data });
  made.parse(card, context);
  const root = document.getElementById('card');
  root.replaceChildren(made.render());
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walk.nextNode()) texts.push(walk.currentNode);
  for (const text of texts) {
    const sign = Object.keys(signs).find((one) => text.data.includes(one));
    if (!sign) continue;
    const [before, ...after] = text.data.split(sign);
    const image = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">${signs[sign]}</svg>`;
    const drawn = document.createElement('span');
    drawn.className = 'sign';
    drawn.textContent = sign;
    drawn.style.backgroundImage = `url('data:image/svg+xml,${encodeURIComponent(image)}')`;
    text.replaceWith(before, drawn, after.join(sign));
  }
  const events = [...Array(context.eventCount).keys()].map((nth) => context.getEventAt(nth).message);
  return [...events, ...made.validateProperties().validationEvents.map((event) => event.message)];
}
