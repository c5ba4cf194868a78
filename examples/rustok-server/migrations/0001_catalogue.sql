-- One schema for SQLite and PostgreSQL. Times are milliseconds since 1970.
CREATE TABLE tenants (
    id   TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    plan TEXT NOT NULL
);

CREATE TABLE products (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenants (id),
    sku         TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    description TEXT   NOT NULL,
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (tenant_id, sku)
);

CREATE INDEX products_newest ON products (tenant_id, created_at);

CREATE TABLE orders (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenants (id),
    product_id  TEXT   NOT NULL,
    quantity    BIGINT NOT NULL CHECK (quantity > 0),
    total_cents BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE INDEX orders_by_time ON orders (tenant_id, created_at);

-- Written by the index handler, from events.
CREATE TABLE search_index (
    product_id      TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL,
    terms           TEXT   NOT NULL,
    last_ordered_at BIGINT NOT NULL DEFAULT 0
);

-- Written by the audit handler, from events.
CREATE TABLE audit_log (
    event_id    TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL,
    event_type  TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    happened_at BIGINT NOT NULL
);
