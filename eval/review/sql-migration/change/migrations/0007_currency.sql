ALTER TABLE orders ADD COLUMN currency text NOT NULL;
UPDATE orders SET currency = 'EUR';
CREATE INDEX orders_currency ON orders (currency);
