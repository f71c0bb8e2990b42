// node seed.js [ORDERS] [USER]    with the user's password on standard input
// Makes the tables, ORDERS orders (120000) if there are none yet, and USER (demo) with that password.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Client } = require('pg');
const { load } = require('./settings');
const { hashPassword } = require('./login');

async function main() {
  const [orders = '120000', user = 'demo'] = process.argv.slice(2);
  const password = fs.readFileSync(0, 'utf8').split('\n')[0];
  if (!password) throw new Error('a password is expected on standard input');
  const settings = load();
  const read = (name) => fs.readFileSync(path.join(__dirname, name), 'utf8');

  const db = new Client({ connectionString: settings.DATABASE_URL });
  await db.connect();
  await db.query(read('schema.sql'));
  await db.query('BEGIN');
  const { rows } = await db.query('SELECT EXISTS (SELECT FROM orders) AS filled');
  if (!rows[0].filled) await db.query(read('seed.sql'), [Number(orders)]);
  const { salt, hash } = hashPassword(settings.LOGIN_SECRET, password);
  await db.query(
    `INSERT INTO users (name, salt, password) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET salt = excluded.salt, password = excluded.password`,
    [user, salt, hash],
  );
  await db.query('COMMIT');
  const count = await db.query('SELECT count(*)::int AS count FROM orders');
  await db.end();
  console.log(`${count.rows[0].count} orders, user '${user}'`);
}

main().catch((error) => {
  console.error(`seed: ${error.message}`);
  process.exit(1);
});
