// Draws Block Kit as Slack's own pages do, with slack-blocks-to-jsx: `node render.mjs ASKED PAGES` makes of a JSON
// file with a list of {name, blocks, theme, time} one with a list of HTML pages. The package leaves out blocks it does
// not know and says nothing of it.
import fs from 'node:fs';
import { createRequire } from 'node:module';

// Not `import`, which does not look where NODE_PATH says.
const require = createRequire(import.meta.url);
const React = require('react');
const { renderToStaticMarkup } = require('react-dom/server');
const { Message } = require('slack-blocks-to-jsx');
const sheet = fs.readFileSync(require.resolve('slack-blocks-to-jsx/dist/style.css'), 'utf8');
const logo = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="#1f6feb"/>' +
    '<path d="M10 19l5 5 11-12" fill="none" stroke="#fff" stroke-width="4"/></svg>',
)}`;
const frame = {
  light: 'background:#fff;color:#1d1c1d',
  dark: 'background:#1a1d21;color:#d1d2d3',
};

// Slack draws emoji as images and breaks long words; neither the package nor this machine's fonts do.
const signs = {
  '✅': '<rect width="20" height="20" rx="3" fill="#77b255"/><path d="M5 10l4 4 7-9" fill="none" stroke="#fff" stroke-width="3"/>',
  '⛔': '<circle cx="10" cy="10" r="10" fill="#dd2e44"/><rect x="4" y="8" width="12" height="4" fill="#fff"/>',
  '⚠️': '<path d="M10 1l10 18H0z" fill="#ffcc4d"/><path d="M10 7v6m0 2v2" stroke="#231f20" stroke-width="2"/>',
};

function emoji(html) {
  const drawn = (sign) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">${signs[sign]}</svg>`;
    return `<span class="sign" style="background-image:url('data:image/svg+xml,${encodeURIComponent(svg)}')">${sign}</span>`;
  };
  const any = new RegExp(Object.keys(signs).join('|'), 'gu');
  return html.replace(/>[^<]+</g, (text) => text.replace(any, drawn));
}

function page({ blocks, theme, time, name }) {
  const data = { users: [], channels: [], user_groups: [] };
  const drawn = React.createElement(Message, { blocks, name, logo, time: new Date(time), data, theme });
  const own =
    `body{margin:16px;width:688px;font-family:Lato,Arial,sans-serif;overflow-wrap:anywhere;${frame[theme]}}` +
    'blockquote{display:block!important}.slack_blocks_to_jsx__table{max-width:100%;overflow-x:auto}' +
    '.sign{display:inline-block;width:1.1em;height:1.1em;background:center/contain no-repeat;color:transparent;' +
    'overflow:hidden;vertical-align:-0.15em}';
  const head = `<meta charset="utf-8"><style>${sheet}${own}</style>`;
  return `<!doctype html><html><head>${head}</head><body>${emoji(renderToStaticMarkup(drawn))}</body></html>`;
}

const [, , asked, pages] = process.argv;
fs.writeFileSync(pages, JSON.stringify(JSON.parse(fs.readFileSync(asked, 'utf8')).map(page)));
