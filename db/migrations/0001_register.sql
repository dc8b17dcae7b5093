-- The register of persons: runs and their accounts, persons and what every source said of them,
-- classification per cut-off, figures.
--
-- History. What was known is kept per CUT-OFF DATE, not per clock time: a row is known from the
-- cut-off valid_from up to, but not including, the cut-off valid_to ('infinity' = still known). What
-- was known at cut-off c is every row with valid_from <= c AND valid_to > c.
--
-- Layout. Every large table carries person_key, or the row's place where there is no person, and is
-- partitioned by bucket = person_key % 8 (LIST, not HASH: a CHECK on the leaf then spares the scan
-- when a loaded leaf is attached). The loader makes the leaves, outside, and attaches them; a
-- migration never names one. Queries by person say bucket too: WHERE person_key = $1 AND
-- bucket = $1 % 8.
--
-- A load pays for every column of every row, so the tables with most rows keep what is small in one
-- value, facts: numbers big-endian at fixed places, behind them texts, each with its length in two
-- bytes before it. Such a table is named x_row; the view x beside it says the facts by name and is
-- what people and programs read (docs/adr/0006-facts-in-one-column.md). What scopes, joins or is
-- searched by stays a column. valid_from and valid_to are the last columns: the loader adds them to a
-- leaf behind its rows, as defaults that the rows do not hold.
--
-- source_ref = extract_id << 40 | sheet << 32 | line: where a fact was read, across all runs.
-- Divisions are integers (12 digits in hukou and residence, 6 in county, city, region); NULL =
-- unknown. Enumerations are the numbers of docs/formats/outcome-files.md.

-- Out of facts. A day is a base/date.h Date: 0 = none, 1 = 1880-01-01, 65535 = without end.
CREATE FUNCTION canbao.fact_byte(facts bytea, at integer) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN get_byte(facts, at)::smallint;
CREATE FUNCTION canbao.fact_word(facts bytea, at integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN get_byte(facts, at) << 8 | get_byte(facts, at + 1);
CREATE FUNCTION canbao.fact_day(facts bytea, at integer) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE get_byte(facts, at) << 8 | get_byte(facts, at + 1)
  WHEN 0 THEN NULL WHEN 65535 THEN DATE 'infinity'
  ELSE DATE '1879-12-31' + (get_byte(facts, at) << 8 | get_byte(facts, at + 1)) END;
CREATE FUNCTION canbao.fact_text(facts bytea, at integer) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(convert_from(substring(facts FROM at + 3
  FOR get_byte(facts, at) << 8 | get_byte(facts, at + 1)), 'UTF8'), '');

CREATE TABLE canbao.run (
  run_id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name           text NOT NULL,                 -- folder under runs/
  province       integer NOT NULL,
  cutoff         date NOT NULL,
  made_at        text NOT NULL,
  rules          text NOT NULL,
  content_digest text NOT NULL,                 -- of the tables' digests: same content, same run
  result_digest  text NOT NULL,
  persons        bigint NOT NULL,
  highest_key    bigint NOT NULL,
  manifest       jsonb NOT NULL,
  loaded_at      timestamptz NOT NULL DEFAULT now(),
  superseded_by  integer REFERENCES canbao.run DEFERRABLE  -- another run of the same cut-off replaced it
);
CREATE UNIQUE INDEX run_current ON canbao.run (cutoff) WHERE superseded_by IS NULL;
COMMENT ON TABLE canbao.run IS 'A loaded comparison run; its row is the commit point of the load';

CREATE TABLE canbao.extract (
  extract_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
             CHECK (extract_id < 8388608),      -- 23 bits in source_ref
  file       text NOT NULL,
  kind       text NOT NULL,
  source     text NOT NULL,
  stage      text NOT NULL,
  region     integer NOT NULL,                  -- 0 = of the whole province
  sha256     text NOT NULL,
  UNIQUE (sha256, file, kind, source, stage, region)
);
COMMENT ON TABLE canbao.extract IS 'A delivered file; the same file delivered again is the same row';

CREATE TABLE canbao.extract_account (
  run_id     integer NOT NULL REFERENCES canbao.run,
  ordinal    integer NOT NULL,                  -- the run's internal order
  extract_id integer NOT NULL REFERENCES canbao.extract,
  rows_in    bigint NOT NULL,
  linked     bigint NOT NULL,
  unlinked   bigint NOT NULL,
  rejected   bigint NOT NULL,
  reference  bigint NOT NULL,
  outcomes   jsonb NOT NULL,
  PRIMARY KEY (run_id, ordinal),
  -- Not one row is lost.
  CONSTRAINT account_balances CHECK (rows_in = linked + unlinked + rejected + reference),
  CONSTRAINT account_counts CHECK (least(rows_in, linked, unlinked, rejected, reference) >= 0)
);
COMMENT ON TABLE canbao.extract_account IS 'Control totals of an extract in a run';

CREATE TABLE canbao.person_row (
  person_key      bigint NOT NULL,
  source_ref      bigint NOT NULL,
  bucket          smallint NOT NULL,
  facts           bytea NOT NULL,
  county          integer,    -- where the person counts below the province
  hukou           bigint,
  residence       bigint,
  number          bytea,      -- sealed PersonNumber: ciphertext and index in 16 bytes
  name            text,
  document        bytea,      -- sealed text of another document
  household_no    text,
  relation        text,
  phone           bytea,      -- sealed
  address         text,
  valid_from      date NOT NULL,
  valid_to        date NOT NULL,
  PRIMARY KEY (person_key, valid_from, bucket)
) PARTITION BY LIST (bucket);
CREATE INDEX person_number ON canbao.person_row (number);
CREATE INDEX person_document ON canbao.person_row (document) WHERE document IS NOT NULL;

CREATE VIEW canbao.person WITH (security_invoker = true) AS
SELECT bucket, person_key, number, document, name,
  nullif(canbao.fact_byte(facts, 0), 0) AS sex,
  canbao.fact_day(facts, 1) AS birth,
  canbao.fact_byte(facts, 3) <> 0 AS in_register,
  canbao.fact_byte(facts, 4) <> 0 AS confirmed,
  canbao.fact_byte(facts, 5) <> 0 AS verified_number,
  canbao.fact_byte(facts, 6) AS management,
  canbao.fact_day(facts, 7) AS changed_on,
  hukou,
  nullif(canbao.fact_byte(facts, 9), 0) AS hukou_type,
  nullif(canbao.fact_byte(facts, 10), 0) AS ethnicity,
  household_no, relation, phone, address, residence, county, source_ref, valid_from, valid_to
FROM canbao.person_row;

-- What enrolments say of their employer, once for each distinct saying: a third of an enrolment's bytes
-- otherwise. The key is a hash of the three texts, so that loads need no numbering; rows are never
-- changed, and one that no enrolment uses any more does no harm.
CREATE TABLE canbao.employer (
  employer_key  bigint PRIMARY KEY,
  employer_no   text NOT NULL,
  employer_name text NOT NULL,
  uscc          text NOT NULL
);

CREATE TABLE canbao.enrolment_row (
  person_key bigint NOT NULL,
  source_ref bigint NOT NULL,
  bucket     smallint NOT NULL,
  region     integer,
  employer   bigint,                   -- canbao.employer; no foreign key (it would not shard)
  facts      bytea NOT NULL,
  valid_from date NOT NULL,
  valid_to   date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX enrolment_person ON canbao.enrolment_row (person_key);

CREATE VIEW canbao.enrolment WITH (security_invoker = true) AS
SELECT bucket, person_key, source_ref,
  canbao.fact_byte(facts, 0) AS outcome,
  canbao.fact_word(facts, 1) AS scheme,
  region,
  canbao.fact_byte(facts, 3) AS state,              -- as delivered, mapped
  canbao.fact_byte(facts, 4) AS state_at_cutoff,
  canbao.fact_day(facts, 5) AS enrolled_on,
  canbao.fact_day(facts, 7) AS ended_on,
  canbao.fact_day(facts, 9) AS first_month,
  nullif(canbao.fact_word(facts, 11), 0) AS insured_category,
  nullif(canbao.fact_word(facts, 13), 0) AS insured_year,
  canbao.fact_text(facts, 16) AS person_no,
  employer,
  canbao.fact_byte(facts, 15) <> 0 AS confirmed,
  canbao.fact_text(facts, 18 + canbao.fact_word(facts, 16)) AS state_text,
  valid_from, valid_to
FROM canbao.enrolment_row;

CREATE TABLE canbao.evidence (
  bucket     smallint NOT NULL,
  person_key bigint NOT NULL,
  source_ref bigint NOT NULL,
  outcome    smallint NOT NULL,
  kind       smallint NOT NULL,
  evidence   smallint NOT NULL,
  from_day   date,
  until_day  date,
  county     integer,
  code       integer,
  detail     text,
  valid_from date NOT NULL,
  valid_to   date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX evidence_person ON canbao.evidence (person_key);

CREATE TABLE canbao.discrepancy_row (
  person_key bigint NOT NULL,        -- 0 = nobody
  source_ref bigint NOT NULL,
  bucket     smallint NOT NULL,
  facts      bytea NOT NULL,
  delivered_sealed  bytea,           -- instead, where the field is a number or a phone
  prevailing_sealed bytea,
  valid_from date NOT NULL,
  valid_to   date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX discrepancy_person ON canbao.discrepancy_row (person_key);

CREATE VIEW canbao.discrepancy WITH (security_invoker = true) AS
SELECT bucket, person_key, source_ref,
  canbao.fact_byte(facts, 0) AS kind,
  coalesce(canbao.fact_text(facts, 1), '') AS field,
  canbao.fact_text(facts, 3 + canbao.fact_word(facts, 1)) AS delivered,
  canbao.fact_text(facts, 5 + canbao.fact_word(facts, 1)
    + canbao.fact_word(facts, 3 + canbao.fact_word(facts, 1))) AS prevailing,
  delivered_sealed, prevailing_sealed, valid_from, valid_to
FROM canbao.discrepancy_row;

CREATE TABLE canbao.duplicate_case (
  bucket     smallint NOT NULL,
  person_key bigint NOT NULL,
  kind       smallint NOT NULL,      -- one bit of scheme::Duplicate
  relations  text NOT NULL,          -- scheme@region;scheme@region
  valid_from date NOT NULL,
  valid_to   date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX duplicate_case_person ON canbao.duplicate_case (person_key);

CREATE TABLE canbao.unlinked_row (
  bucket       smallint NOT NULL,    -- of the line
  source_ref   bigint NOT NULL,
  outcome      smallint NOT NULL,
  person_key   bigint,               -- provisional person
  kind         smallint NOT NULL,
  number       bytea,
  number_text  bytea,                -- sealed, as delivered
  name         text,
  sex          smallint,
  birth        date,
  scheme       smallint,
  region       integer NOT NULL,     -- its own, else its extract's, else the province
  phone        bytea,
  employer_no  text,
  household_no text,
  address      text,
  valid_from   date NOT NULL,
  valid_to     date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX unlinked_row_ref ON canbao.unlinked_row (source_ref);

CREATE TABLE canbao.reject_row (
  bucket     smallint NOT NULL,      -- of the line
  source_ref bigint NOT NULL,
  reason     smallint NOT NULL,
  "column"   smallint,
  field      text,
  region     integer NOT NULL,       -- its extract's, else the province
  text       bytea,                  -- sealed: the whole record as delivered
  valid_from date NOT NULL,
  valid_to   date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX reject_row_ref ON canbao.reject_row (source_ref);

-- One row per person and cut-off. Partitioned by cut-off, each of them by bucket: a new cut-off is a
-- new partition, a corrected one replaces its partition, a closed one is never touched again.
CREATE TABLE canbao.classification_row (
  person_key bigint NOT NULL,
  cutoff     date NOT NULL,
  flags      integer NOT NULL,       -- scheme::Flag
  county     integer NOT NULL,
  bucket     smallint NOT NULL,
  facts      bytea NOT NULL,
  PRIMARY KEY (person_key, cutoff, bucket)
) PARTITION BY LIST (cutoff);

CREATE VIEW canbao.classification WITH (security_invoker = true) AS
SELECT cutoff, bucket, person_key, flags,
  canbao.fact_word(facts, 0) AS duplicates,
  canbao.fact_byte(facts, 2) AS uncovered,
  canbao.fact_byte(facts, 3) AS form_2_2,
  county,
  canbao.fact_word(facts, 6) << 16 | canbao.fact_word(facts, 8) AS city,
  canbao.fact_byte(facts, 4) AS branches,
  -- In employee and resident schemes: the cross table beside form 2-2.
  canbao.fact_byte(facts, 5) AS both_classes
FROM canbao.classification_row;

CREATE TABLE canbao.figure (
  cutoff   date NOT NULL,
  county   integer NOT NULL,         -- 0 = unknown
  city     integer NOT NULL,
  hukou    boolean NOT NULL,         -- persons of H
  form     smallint NOT NULL,        -- 21, 22, 23 = cross table
  "column" smallint NOT NULL,        -- 27 of form 22 = not yet verified
  count    bigint NOT NULL CHECK (count >= 0),
  PRIMARY KEY (cutoff, form, "column", county, city, hukou)
);

-- Which keys sealed the fields. The keys are in the data folder; here is what recognises them.
CREATE TABLE canbao.field_key (
  version    integer PRIMARY KEY,
  check_sum  bytea NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT now()
);
