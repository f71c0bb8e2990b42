-- The shop's tables. Can be applied again.
CREATE TABLE IF NOT EXISTS users (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL UNIQUE,
    salt      text NOT NULL,
    password  text NOT NULL,
    created   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS orders (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placed       timestamptz NOT NULL DEFAULT now(),
    customer     text NOT NULL,
    article      text NOT NULL,
    amount_cents integer NOT NULL CHECK (amount_cents > 0)
);

CREATE INDEX IF NOT EXISTS orders_placed ON orders (placed);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer);
