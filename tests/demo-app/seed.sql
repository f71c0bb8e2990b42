-- $1 orders over the last 90 days; always the same but for their time.
INSERT INTO orders (placed, customer, article, amount_cents)
SELECT now() - interval '90 days' * ($1::int - n) / $1::int,
       'customer ' || 1 + n * 7919 % 5000,
       (ARRAY['teapot', 'cup', 'saucer', 'strainer', 'kettle', 'tin of tea'])[1 + n * 31 % 6],
       100 + n * 7907 % 9900
  FROM generate_series(1, $1::int) AS n
