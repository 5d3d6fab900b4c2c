-- A small shop, with rows in it before anybody captures its changes.
CREATE TABLE customers (
    customer_id integer PRIMARY KEY,
    name        text NOT NULL,
    email       varchar(200) NOT NULL
);
CREATE TABLE products (
    product_id  integer PRIMARY KEY,
    title       text NOT NULL,
    price       numeric(10, 2) NOT NULL,
    details     jsonb
);
CREATE TABLE orders (
    order_id    integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    product_id  integer NOT NULL REFERENCES products,
    amount      numeric(10, 2) NOT NULL,
    status      text NOT NULL DEFAULT 'pending',
    created_at  timestamp(3) NOT NULL
);

INSERT INTO customers VALUES
    (501, 'Ada Lovelace', 'ada@example.org'),
    (502, 'Grace Hopper', 'grace@example.org'),
    (503, 'Alan Turing', 'alan@example.org');
INSERT INTO products VALUES
    (1, 'Punched cards, 500', 29.99, '{"colour": "buff", "rows": 12}'),
    (2, 'Relay', 4.20, NULL),
    (3, 'Brass gear', 18.75, '{"teeth": 40}');
INSERT INTO orders VALUES
    (1001, 501, 1, 29.99, 'pending', '2024-03-15 10:53:20'),
    (1002, 502, 2, 42.00, 'pending', '2024-03-15 11:05:00'),
    (1003, 503, 3, 18.75, 'shipped', '2024-03-15 11:30:00');

-- Who captures may read and replicate, and nothing else; so the publication is made here, by the owner.
CREATE ROLE replication_user WITH LOGIN REPLICATION PASSWORD 'secret';
GRANT SELECT ON orders, customers, products TO replication_user;
CREATE PUBLICATION dbz_publication FOR TABLE orders, customers, products;
