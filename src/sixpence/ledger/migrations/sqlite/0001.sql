CREATE TABLE sixpence_schema (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT sixpence_schema_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE credit_accounts (
    account_no BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    subscription_status TEXT DEFAULT '' NOT NULL,
    credits_remaining BIGINT DEFAULT '0' NOT NULL,
    credits_held BIGINT DEFAULT '0' NOT NULL,
    credits_total BIGINT DEFAULT '0' NOT NULL,
    credits_owed BIGINT DEFAULT '0' NOT NULL,
    credits_granted_at BIGINT,
    seq BIGINT DEFAULT '0' NOT NULL,
    head BLOB,
    last_at BIGINT DEFAULT '0' NOT NULL,
    next_due_at BIGINT,
    live TEXT DEFAULT '{}' NOT NULL,
    label TEXT,
    metadata TEXT,
    PRIMARY KEY (account_no),
    CONSTRAINT credits_held_bounds CHECK (credits_held BETWEEN 0 AND 9007199254740991),
    CONSTRAINT credits_owed_bounds CHECK (credits_owed BETWEEN 0 AND 9007199254740991),
    CONSTRAINT credits_remaining_bounds CHECK (credits_remaining BETWEEN -9007199254740991 AND 9007199254740991),
    CONSTRAINT credits_total_bounds CHECK (credits_total BETWEEN 0 AND 9007199254740991),
    CONSTRAINT seq_bounds CHECK (seq >= 0)
);

CREATE INDEX credit_accounts_due ON credit_accounts (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE credit_transactions (
    account_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    total_after BIGINT NOT NULL,
    held_after BIGINT NOT NULL,
    "plan" TEXT NOT NULL,
    feature_used TEXT,
    credits_consumed BIGINT,
    generation_id TEXT,
    metadata TEXT,
    metadata_digest BLOB,
    detail TEXT NOT NULL,
    allocations TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint BLOB,
    hash_format INTEGER NOT NULL,
    hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_no, seq),
    CONSTRAINT amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
    CONSTRAINT balance_after_bounds CHECK (balance_after BETWEEN -9007199254740991 AND 9007199254740991),
    CONSTRAINT credits_consumed_bounds CHECK (credits_consumed BETWEEN 0 AND 9007199254740991),
    CONSTRAINT held_after_bounds CHECK (held_after BETWEEN 0 AND 9007199254740991),
    CONSTRAINT seq_bounds CHECK (seq >= 1),
    CONSTRAINT total_after_bounds CHECK (total_after BETWEEN 0 AND 9007199254740991)
);

CREATE UNIQUE INDEX credit_transactions_key ON credit_transactions (account_no, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE credit_holds (
    account_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT NOT NULL,
    amount BIGINT NOT NULL,
    allocations TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    "plan" TEXT NOT NULL,
    catalog_version BIGINT NOT NULL,
    PRIMARY KEY (account_no, seq),
    CONSTRAINT amount_bounds CHECK (amount BETWEEN 0 AND 9007199254740991)
);

CREATE TABLE source_claims (
    source_key TEXT NOT NULL,
    account_no BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    PRIMARY KEY (source_key)
);

CREATE TABLE catalog_versions (
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE outbox (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    touched TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    written_by BIGINT
);

CREATE TABLE auth_users (
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    email_verified BOOLEAN NOT NULL,
    image TEXT,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (email)
);

CREATE TABLE auth_sessions (
    id TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    user_id TEXT NOT NULL,
    remember BOOLEAN NOT NULL,
    ip_address TEXT,
    user_agent TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES auth_users (id) ON DELETE CASCADE,
    UNIQUE (token_hash)
);

CREATE INDEX auth_sessions_expiry ON auth_sessions (expires_at);

CREATE INDEX auth_sessions_user ON auth_sessions (user_id);

CREATE TABLE auth_api_keys (
    id TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (id),
    UNIQUE (key_hash)
);

CREATE TABLE auth_sign_ins (
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    user_id TEXT,
    succeeded BOOLEAN NOT NULL,
    ip_address TEXT,
    user_agent TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX auth_sign_ins_email ON auth_sign_ins (email, at);

CREATE VIEW credit_grants AS
        SELECT t.account_no, t.account_id, t.id, t.kind,
               json_extract(t.detail, '$.grant.amount') AS amount,
               coalesce(json_extract(g.value, '$.remaining'), 0) AS remaining,
               coalesce(json_extract(g.value, '$.held'), 0) AS held,
               json_extract(t.detail, '$.grant.category') AS category,
               coalesce(json_extract(t.detail, '$.grant.priority'), 100) AS priority,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.detail, '$.grant.effective_at') / 1e6, 'unixepoch')
                   AS effective_at,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.detail, '$.grant.expires_at') / 1e6, 'unixepoch')
                   AS expires_at,
               json_extract(t.detail, '$.grant.features') AS features,
               CASE WHEN g.value IS NULL THEN 'ended'
                    WHEN json_extract(g.value, '$.pending') THEN 'pending' ELSE 'live' END AS state
        FROM credit_transactions AS t
        JOIN credit_accounts AS a ON a.account_no = t.account_no
        LEFT JOIN json_each(a.live, '$.grants') AS g ON json_extract(g.value, '$.id') = t.id
        WHERE json_extract(t.detail, '$.grant') IS NOT NULL;

INSERT INTO sixpence_schema (version_num) VALUES ('0001');
