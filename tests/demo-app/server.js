// The demo's shop. It listens on 127.0.0.1 only; nginx stands in front of it.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Pool } = require('pg');
const { load } = require('./settings');
const { checkPassword, makeToken, readToken } = require('./login');

const MAX_BODY_BYTES = 64 * 1024;
const settings = load();
const db = new Pool({ connectionString: settings.DATABASE_URL, max: 5, connectionTimeoutMillis: 3000 });
db.on('error', (error) => console.error(`database: ${error.message}`)); // an idle connection broke; the pool makes a new one

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function readJson(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'too large');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts)) ?? {};
  } catch {
    throw new Refusal(400, 'not JSON');
  }
}

function currentUser(request) {
  const [scheme, token] = (request.headers.authorization || '').split(' ');
  const user = scheme === 'Bearer' ? readToken(settings.LOGIN_SECRET, token) : null;
  if (!user) throw new Refusal(401, 'log in first');
  return user;
}

async function countOrders() {
  const { rows } = await db.query('SELECT count(*)::int AS count FROM orders');
  return rows[0].count;
}

async function latestOrders(limit) {
  const { rows } = await db.query('SELECT id::int, placed, customer, article, amount_cents FROM orders ORDER BY id DESC LIMIT $1', [limit]);
  return rows;
}

const escapeHtml = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

async function page() {
  const [count, latest] = await Promise.all([countOrders(), latestOrders(10)]);
  const rows = latest.map((o) =>
    `<tr><td>${o.id}<td>${o.placed.toISOString()}<td>${escapeHtml(o.customer)}<td>${escapeHtml(o.article)}<td>${(o.amount_cents / 100).toFixed(2)}`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tea shop</title>
<h1>Tea shop</h1><p>${count} orders so far. The latest:</p>
<table><tr><th>Order<th>Placed<th>Customer<th>Article<th>Amount
${rows.join('\n')}
</table></html>
`;
}

async function login(request) {
  const { user, password } = await readJson(request);
  const { rows } = await db.query('SELECT name, salt, password FROM users WHERE name = $1', [String(user)]);
  const known = rows.length === 1 && checkPassword(settings.LOGIN_SECRET, String(password), rows[0].salt, rows[0].password);
  if (!known) throw new Refusal(401, 'wrong user or password');
  return { token: makeToken(settings.LOGIN_SECRET, rows[0].name) };
}

async function placeOrder(request) {
  const customer = currentUser(request);
  const { article, amount_cents: amount } = await readJson(request);
  if (!article || !Number.isInteger(amount) || amount < 1) throw new Refusal(400, 'article and amount_cents are needed');
  const { rows } = await db.query(
    'INSERT INTO orders (customer, article, amount_cents) VALUES ($1, $2, $3) RETURNING id::int, placed',
    [customer, String(article), amount],
  );
  return rows[0];
}

const routes = {
  'GET /healthz': async () => ({ status: 'ok', rows: await countOrders() }),
  'GET /api/orders/count': async () => ({ count: await countOrders() }),
  'GET /api/orders/latest': async () => (await latestOrders(1))[0] ?? null,
  'POST /api/orders': placeOrder,
  'POST /api/login': login,
  'GET /api/me': async (request) => ({ user: currentUser(request) }),
};

function sendUpload(name, response) {
  // One plain name: no slash, no leading dot, so never a path out of the folder.
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) throw new Refusal(404, 'no such file');
  const file = fs.createReadStream(path.join(settings.UPLOADS_DIR, name));
  file.on('open', () => response.writeHead(200, { 'Content-Type': 'application/octet-stream' }));
  file.on('error', () => (response.headersSent ? response.destroy() : sendJson(response, 404, { error: 'no such file' })));
  file.pipe(response);
}

function sendJson(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (request.method === 'GET' && pathname === '/') {
    const html = await page();
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(html);
  } else if (request.method === 'GET' && pathname.startsWith('/uploads/')) {
    sendUpload(pathname.slice('/uploads/'.length), response);
  } else {
    const route = routes[`${request.method} ${pathname}`];
    if (!route) throw new Refusal(404, 'no such page');
    sendJson(response, 200, await route(request));
  }
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (!error.status) console.error(`${request.method} ${request.url}: ${error.message}`);
    if (response.headersSent) return response.destroy();
    return sendJson(response, error.status || 503, error.status ? { error: error.message } : { status: 'failing', error: 'unavailable' });
  });
});

server.listen(Number(settings.PORT), '127.0.0.1', () => console.log(`listening on 127.0.0.1:${settings.PORT}`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => server.close(() => db.end().then(() => process.exit(0))).closeIdleConnections());
}
