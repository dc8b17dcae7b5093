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
-- source_ref = extract_id << 40 | sheet << 32 | line: where a fact was read, across all runs.
-- Divisions are integers (12 digits in hukou and residence, 6 in county, city, region); NULL =
-- unknown. Enumerations are the numbers of docs/formats/outcome-files.md.

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

CREATE TABLE canbao.person (
  bucket          smallint NOT NULL,
  person_key      bigint NOT NULL,
  number          bytea,      -- sealed PersonNumber: ciphertext and index in 16 bytes
  document        bytea,      -- sealed text of another document
  name            text,
  sex             smallint,
  birth           date,
  in_register     boolean NOT NULL,
  confirmed       boolean NOT NULL,
  verified_number boolean NOT NULL,
  management      smallint NOT NULL,
  changed_on      date,
  hukou           bigint,
  hukou_type      smallint,
  ethnicity       smallint,
  household_no    text,
  relation        text,
  phone           bytea,      -- sealed
  address         text,
  residence       bigint,
  county          integer,    -- where the person counts below the province
  source_ref      bigint NOT NULL,
  valid_from      date NOT NULL,
  valid_to        date NOT NULL,
  PRIMARY KEY (person_key, valid_from, bucket)
) PARTITION BY LIST (bucket);
CREATE INDEX person_number ON canbao.person (number);
CREATE INDEX person_document ON canbao.person (document) WHERE document IS NOT NULL;

-- What enrolments say of their employer, once for each distinct saying: a third of an enrolment's bytes
-- otherwise. The key is a hash of the three texts, so that loads need no numbering; rows are never
-- changed, and one that no enrolment uses any more does no harm.
CREATE TABLE canbao.employer (
  employer_key  bigint PRIMARY KEY,
  employer_no   text NOT NULL,
  employer_name text NOT NULL,
  uscc          text NOT NULL
);

CREATE TABLE canbao.enrolment (
  bucket           smallint NOT NULL,
  person_key       bigint NOT NULL,
  source_ref       bigint NOT NULL,
  outcome          smallint NOT NULL,
  scheme           smallint NOT NULL,
  region           integer,
  state            smallint NOT NULL,  -- as delivered, mapped
  state_at_cutoff  smallint NOT NULL,
  enrolled_on      date,
  ended_on         date,
  first_month      date,
  insured_category smallint,
  insured_year     smallint,
  person_no        text,
  employer         bigint,             -- canbao.employer; no foreign key (it would not shard)
  confirmed        boolean NOT NULL,
  state_text       text,
  valid_from       date NOT NULL,
  valid_to         date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX enrolment_person ON canbao.enrolment (person_key);

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

CREATE TABLE canbao.discrepancy (
  bucket           smallint NOT NULL,
  person_key       bigint NOT NULL,  -- 0 = nobody
  source_ref       bigint NOT NULL,
  kind             smallint NOT NULL,
  field            text NOT NULL,
  delivered        text,
  prevailing       text,
  delivered_sealed  bytea,           -- instead, where the field is a number or a phone
  prevailing_sealed bytea,
  valid_from       date NOT NULL,
  valid_to         date NOT NULL
) PARTITION BY LIST (bucket);
CREATE INDEX discrepancy_person ON canbao.discrepancy (person_key);

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
CREATE TABLE canbao.classification (
  cutoff     date NOT NULL,
  bucket     smallint NOT NULL,
  person_key bigint NOT NULL,
  flags      integer NOT NULL,       -- scheme::Flag
  duplicates smallint NOT NULL,
  uncovered  smallint NOT NULL,
  form_2_2   smallint NOT NULL,
  county     integer NOT NULL,
  city       integer NOT NULL,
  branches   smallint NOT NULL,
  both_classes smallint NOT NULL,    -- in employee and resident schemes: cross table beside form 2-2
  PRIMARY KEY (person_key, cutoff, bucket)
) PARTITION BY LIST (cutoff);

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
