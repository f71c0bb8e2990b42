// Reads .env.production: NAME=value lines, the value bare or in quotes. The environment wins over the file.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

function parse(text) {
  const found = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (!match) continue;
    const quoted = /^(['"])(.*)\1$/.exec(match[2]);
    found[match[1]] = quoted ? quoted[2] : match[2];
  }
  return found;
}

function load(file = path.join(__dirname, '.env.production')) {
  const settings = { PORT: '3000', UPLOADS_DIR: path.join(__dirname, 'uploads'), ...parse(fs.readFileSync(file, 'utf8')) };
  for (const name of ['DATABASE_URL', 'LOGIN_SECRET', 'PORT', 'UPLOADS_DIR']) {
    if (process.env[name]) settings[name] = process.env[name];
    if (!settings[name]) throw new Error(`${name} is missing in ${file}`);
  }
  return settings;
}

module.exports = { load, parse };
