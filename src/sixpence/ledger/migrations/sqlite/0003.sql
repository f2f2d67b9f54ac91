-- Running upgrade 0002 -> 0003

CREATE TABLE usage_daily (
    account_no BIGINT NOT NULL,
    day INTEGER NOT NULL,
    feature TEXT NOT NULL,
    uses BIGINT NOT NULL,
    credits_consumed BIGINT NOT NULL,
    credits_refunded BIGINT NOT NULL,
    PRIMARY KEY (account_no, day, feature),
    CONSTRAINT uses_bounds CHECK (uses BETWEEN 0 AND 9007199254740991),
    CONSTRAINT credits_consumed_bounds CHECK (credits_consumed BETWEEN 0 AND 9007199254740991),
    CONSTRAINT credits_refunded_bounds CHECK (credits_refunded BETWEEN 0 AND 9007199254740991)
)
 WITHOUT ROWID;

UPDATE sixpence_schema SET version_num='0003' WHERE sixpence_schema.version_num = '0002';
