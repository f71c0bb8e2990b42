// Passwords and tokens. Both depend on LOGIN_SECRET: with another secret, nobody can log in and no token is valid.
'use strict';

const crypto = require('node:crypto');

const TOKEN_LIFETIME_MS = 12 * 60 * 60 * 1000;

const hmac = (secret, text) => crypto.createHmac('sha256', secret).update(text).digest();

function equal(a, b) {
  return a.length === b.length && crypto.timingSafeEqual(a, b);
}

function hashPassword(secret, password, salt = crypto.randomBytes(16).toString('hex')) {
  const hash = crypto.scryptSync(hmac(secret, password), Buffer.from(salt, 'hex'), 32);
  return { salt, hash: hash.toString('hex') };
}

function checkPassword(secret, password, salt, hash) {
  return equal(Buffer.from(hashPassword(secret, password, salt).hash), Buffer.from(hash));
}

function makeToken(secret, user, now = Date.now()) {
  const body = Buffer.from(JSON.stringify({ user, expires: now + TOKEN_LIFETIME_MS })).toString('base64url');
  return `${body}.${hmac(secret, body).toString('base64url')}`;
}

// Returns the user's name, or null.
function readToken(secret, token, now = Date.now()) {
  const [body, signature] = String(token).split('.');
  if (!body || !signature || !equal(hmac(secret, body), Buffer.from(signature, 'base64url'))) return null;
  const { user, expires } = JSON.parse(Buffer.from(body, 'base64url'));
  return expires > now ? user : null;
}

module.exports = { hashPassword, checkPassword, makeToken, readToken };
