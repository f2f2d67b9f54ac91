-- Running upgrade 0001 -> 0002

DROP VIEW credit_grants;

ALTER TABLE credit_transactions ADD COLUMN about_seq BIGINT;

CREATE INDEX credit_transactions_about ON credit_transactions (account_no, about_seq) WHERE about_seq IS NOT NULL;

CREATE INDEX credit_transactions_captures ON credit_transactions (feature_used, created_at) WHERE kind = 'capture';

DROP TABLE credit_holds;

CREATE TABLE credit_holds (
    account_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    amount BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_no, seq),
    CONSTRAINT amount_bounds CHECK (amount BETWEEN 0 AND 9007199254740991)
);

CREATE INDEX credit_holds_open ON credit_holds (account_no, expires_at, seq) WHERE state = 'open';

CREATE VIEW credit_grants AS
        SELECT t.account_no, t.account_id, t.grant_id AS id, t.kind,
               json_extract(t.terms, '$.amount') AS amount,
               coalesce(json_extract(g.value, '$.remaining'), 0) AS remaining,
               coalesce(json_extract(g.value, '$.held'), 0) AS held,
               json_extract(t.terms, '$.category') AS category,
               coalesce(json_extract(t.terms, '$.priority'), 100) AS priority,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.terms, '$.effective_at') / 1e6, 'unixepoch')
                   AS effective_at,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.terms, '$.expires_at') / 1e6, 'unixepoch')
                   AS expires_at,
               json_extract(t.terms, '$.features') AS features,
               CASE WHEN g.value IS NULL THEN 'ended'
                    WHEN json_extract(g.value, '$.pending') THEN 'pending'
                    ELSE coalesce(json_extract(g.value, '$.over'), 'live') END AS state
        FROM (
            SELECT account_no, account_id, id AS grant_id, kind, json_extract(detail, '$.grant') AS terms
            FROM credit_transactions WHERE json_extract(detail, '$.grant') IS NOT NULL
            UNION ALL
            SELECT account_no, account_id, r.id || '.' || (m.key + 2), kind, m.value
            FROM credit_transactions AS r, json_each(r.detail, '$.more_grants') AS m
        ) AS t
        JOIN credit_accounts AS a ON a.account_no = t.account_no
        LEFT JOIN json_each(a.live, '$.grants') AS g ON json_extract(g.value, '$.id') = t.grant_id;

UPDATE sixpence_schema SET version_num='0002' WHERE sixpence_schema.version_num = '0001';
