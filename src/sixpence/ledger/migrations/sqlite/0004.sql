-- Running upgrade 0003 -> 0004

CREATE TABLE checkpoints (
    number BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE checkpoint_heads (
    number BIGINT NOT NULL,
    chunk INTEGER NOT NULL,
    first_account_no BIGINT NOT NULL,
    root BLOB NOT NULL,
    heads BLOB NOT NULL,
    PRIMARY KEY (number, chunk)
);

UPDATE sixpence_schema SET version_num='0004' WHERE sixpence_schema.version_num = '0003';
