-- A morning in the shop: new rows, changed rows, a row that goes, and a transaction over three tables.
INSERT INTO customers VALUES (504, 'Katherine Johnson', 'katherine@example.org');
INSERT INTO orders VALUES (1004, 504, 1, 59.98, 'pending', '2024-03-16 09:00:00');

UPDATE orders SET status = 'shipped' WHERE order_id = 1001;
UPDATE products SET price = 3.90 WHERE product_id = 2;
DELETE FROM orders WHERE order_id = 1003;

BEGIN;
INSERT INTO products VALUES (4, 'Slide rule', 35.00, '{"length_cm": 25}');
INSERT INTO orders VALUES (1005, 502, 4, 35.00, 'pending', '2024-03-16 09:12:30.250');
UPDATE customers SET email = 'grace@navy.example.org' WHERE customer_id = 502;
COMMIT;
