-- What lists, people behind figures and searches need, so that a page costs the same at any depth and
-- in any scope: columns that an index under row-level policies can use (equality and order of
-- integers, dates and text COLLATE "C" do not leak; functions over facts do), policies that plan no
-- subquery for each row of a list, and counts by county.

-- A place in facts is often computed, and then the function is not inlined: in SQL it would be planned
-- with each query.
CREATE OR REPLACE FUNCTION canbao.fact_text(facts bytea, at integer) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RETURN nullif(convert_from(substring(facts FROM at + 3
    FOR get_byte(facts, at) << 8 | get_byte(facts, at + 1)), 'UTF8'), '');
END $$;

-- ---- a person's classification carries what lists filter by and policies compare ----
-- hukou, residence and birth are the person's as known at the cut-off; the three numbers also stand in facts.
ALTER TABLE canbao.classification_row
  ADD hukou bigint, ADD residence bigint, ADD birth date,
  ADD form_2_2 smallint, ADD uncovered smallint, ADD duplicates smallint;
UPDATE canbao.classification_row c SET
  hukou = p.hukou, residence = p.residence, birth = canbao.fact_day(p.facts, 1),
  form_2_2 = canbao.fact_byte(c.facts, 3), uncovered = canbao.fact_byte(c.facts, 2),
  duplicates = canbao.fact_word(c.facts, 0)
FROM canbao.person_row p
WHERE p.bucket = c.bucket AND p.person_key = c.person_key
  AND p.valid_from <= c.cutoff AND p.valid_to > c.cutoff;
ALTER TABLE canbao.classification_row
  ALTER form_2_2 SET NOT NULL, ALTER uncovered SET NOT NULL, ALTER duplicates SET NOT NULL;

-- Pages in the order of (county, person_key). What is rare has an index of its own; what is common is
-- found soon in that of all who count. Columns of form 2-2: each person has exactly one.
CREATE INDEX classification_counted ON canbao.classification_row (county, person_key)
  WHERE form_2_2 <> 0;
CREATE INDEX classification_column ON canbao.classification_row (form_2_2, county, person_key)
  WHERE form_2_2 <> 0;
CREATE INDEX classification_to_verify ON canbao.classification_row (county, person_key)
  WHERE flags & 32 <> 0;
CREATE INDEX classification_verified ON canbao.classification_row (county, person_key)
  WHERE flags & 64 <> 0;
CREATE INDEX classification_elsewhere ON canbao.classification_row (county, person_key)
  WHERE flags & 128 <> 0;
CREATE INDEX classification_outsider ON canbao.classification_row (county, person_key)
  WHERE flags & 3 = 2;
CREATE INDEX classification_uncovered ON canbao.classification_row (county, person_key)
  WHERE uncovered <> 0;
CREATE INDEX classification_duplicate ON canbao.classification_row (county, person_key)
  WHERE duplicates <> 0;

-- The same three places as the person's own policy, without asking the person.
DROP POLICY scope ON canbao.classification_row;
CREATE POLICY scope ON canbao.classification_row FOR SELECT TO canbao_app USING (
  (SELECT canbao.scope()) @> ANY (ARRAY[canbao.division(county), hukou, residence]));

-- ---- search by name and phone ----
-- name_key: identity::FoldName; pinyin: syllables without tones and blanks; initials: their letters.
ALTER TABLE canbao.person_row
  ADD name_key text COLLATE "C", ADD pinyin text COLLATE "C", ADD initials text COLLATE "C";
CREATE INDEX person_name_key ON canbao.person_row (name_key, county);
CREATE INDEX person_pinyin ON canbao.person_row (pinyin, county);
CREATE INDEX person_initials ON canbao.person_row (initials, county);
CREATE INDEX person_phone ON canbao.person_row (phone) WHERE phone IS NOT NULL;

-- ---- discrepancies by the county that clears them up ----
-- Where the person counts, else where the file comes from.
ALTER TABLE canbao.discrepancy_row ADD county integer, ADD kind smallint;
UPDATE canbao.discrepancy_row d SET kind = canbao.fact_byte(d.facts, 0), county = coalesce(
  (SELECT nullif(p.county, 0) FROM canbao.person_row p
   WHERE p.bucket = d.bucket AND p.person_key = d.person_key
   ORDER BY p.valid_from <= d.valid_from DESC, p.valid_from DESC LIMIT 1),
  (SELECT nullif(e.region, 0) FROM canbao.extract e WHERE e.extract_id = d.source_ref >> 40),
  (SELECT min(province) FROM canbao.run));
ALTER TABLE canbao.discrepancy_row ALTER county SET NOT NULL, ALTER kind SET NOT NULL;
CREATE INDEX discrepancy_place ON canbao.discrepancy_row (county, source_ref);
CREATE INDEX discrepancy_kind ON canbao.discrepancy_row (kind, county, source_ref);
DROP POLICY scope ON canbao.discrepancy_row;
CREATE POLICY scope ON canbao.discrepancy_row FOR SELECT TO canbao_app USING (
  canbao.division(county) <@ (SELECT canbao.scope()) OR canbao.sees_person(person_key));
CREATE OR REPLACE VIEW canbao.discrepancy WITH (security_invoker = true) AS
SELECT bucket, person_key, source_ref,
  kind,
  coalesce(canbao.fact_text(facts, 1), '') AS field,
  canbao.fact_text(facts, 3 + canbao.fact_word(facts, 1)) AS delivered,
  canbao.fact_text(facts, 5 + canbao.fact_word(facts, 1)
    + canbao.fact_word(facts, 3 + canbao.fact_word(facts, 1))) AS prevailing,
  delivered_sealed, prevailing_sealed, valid_from, valid_to, county
FROM canbao.discrepancy_row;

CREATE INDEX unlinked_conflict ON canbao.unlinked_row (region, source_ref) WHERE outcome = 6;
CREATE INDEX reject_place ON canbao.reject_row (region, source_ref);

-- ---- counts by county: the length of a list, and in which county its n-th row lies ----
-- Persons to verify, uncovered or with duplicates, by everything that lists filter by.
CREATE TABLE canbao.listed_person (
  cutoff     date NOT NULL,
  county     integer NOT NULL,
  flags      integer NOT NULL,      -- of them only to_verify, 32
  uncovered  smallint NOT NULL,
  duplicates smallint NOT NULL,
  form_2_2   smallint NOT NULL,
  age        smallint NOT NULL,     -- at the cut-off; -1 = unknown
  persons    bigint NOT NULL
);
CREATE INDEX listed_person_county ON canbao.listed_person (cutoff, county);

-- Rows of lists. number: kind of a discrepancy or of a duplicate, scheme of a conflict, reason of a
-- reject. Of lists of persons the sums over listed_person.
CREATE TABLE canbao.listed_row (
  cutoff     date NOT NULL,
  list       text NOT NULL CHECK (list IN ('to_verify', 'uncovered', 'duplicates', 'discrepancies',
                                           'conflicts', 'rejects')),
  county     integer NOT NULL,
  number     smallint NOT NULL,     -- 0 = none
  rows       bigint NOT NULL,
  PRIMARY KEY (cutoff, list, county, number)
);

-- Where a jump begins: about every 512th row of a list in a county, with the rows before it there. Of
-- lists without other filters.
CREATE TABLE canbao.list_mark (
  cutoff     date NOT NULL,
  list       text NOT NULL CHECK (list IN ('to_verify', 'uncovered', 'duplicates')),
  county     integer NOT NULL,
  ordinal    bigint NOT NULL,
  person_key bigint NOT NULL,
  PRIMARY KEY (cutoff, list, county, ordinal)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['listed_person', 'listed_row', 'list_mark'] LOOP
    EXECUTE format('ALTER TABLE canbao.%I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE canbao.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY loader ON canbao.%I TO CURRENT_USER USING (true)', t);
    EXECUTE format('CREATE POLICY scope ON canbao.%I FOR SELECT TO canbao_app USING ('
                   'canbao.division(county) <@ (SELECT canbao.scope()))', t);
    EXECUTE format('GRANT SELECT ON canbao.%I TO canbao_app', t);
  END LOOP;
END $$;

-- The rows of listed_person that a leaf of classification_row gives; the loader asks for each leaf
-- in that leaf's session.
CREATE FUNCTION canbao.listed_persons_of(leaf regclass)
RETURNS TABLE (cutoff date, county integer, flags integer, uncovered smallint, duplicates smallint,
               form_2_2 smallint, age smallint, persons bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT cutoff, county, flags & 32, uncovered, duplicates, form_2_2, '
    'CASE WHEN birth > cutoff THEN 0::smallint '
    'ELSE coalesce(extract(year FROM age(cutoff, birth)), -1)::smallint END, count(*) '
    'FROM %s WHERE flags & 32 <> 0 OR uncovered <> 0 OR duplicates <> 0 '
    'GROUP BY 1, 2, 3, 4, 5, 6, 7', leaf);
END $$;

-- Counts the lists of a cut-off anew, those of persons from canbao.listed_person.
CREATE FUNCTION canbao.count_listed_rows(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM canbao.listed_row WHERE cutoff = day;
  INSERT INTO canbao.listed_row
  SELECT day, 'discrepancies', county, kind, count(*) FROM canbao.discrepancy_row
  WHERE valid_from <= day AND valid_to > day GROUP BY county, kind
  UNION ALL
  SELECT day, 'conflicts', region, coalesce(scheme, 0), count(*) FROM canbao.unlinked_row
  WHERE outcome = 6 AND valid_from <= day AND valid_to > day GROUP BY region, coalesce(scheme, 0)
  UNION ALL
  SELECT day, 'rejects', region, reason, count(*) FROM canbao.reject_row
  WHERE valid_from <= day AND valid_to > day GROUP BY region, reason
  UNION ALL
  SELECT day, 'to_verify', county, 0, sum(persons) FROM canbao.listed_person
  WHERE cutoff = day AND flags & 32 <> 0 GROUP BY county
  UNION ALL
  SELECT day, 'uncovered', county, 0, sum(persons) FROM canbao.listed_person
  WHERE cutoff = day AND uncovered <> 0 GROUP BY county
  UNION ALL
  SELECT day, 'duplicates', county, kind, sum(persons)
  FROM canbao.listed_person, unnest(ARRAY[1, 2, 4, 8, 16, 32, 64]) kind
  WHERE cutoff = day AND duplicates & kind <> 0 GROUP BY county, kind;
END $$;

-- Marks the lists of persons of a cut-off anew.
CREATE FUNCTION canbao.mark_lists(day date) RETURNS void LANGUAGE plpgsql
SET jit = off AS $$
DECLARE l record;
BEGIN
  DELETE FROM canbao.list_mark WHERE cutoff = day;
  FOR l IN SELECT * FROM (VALUES ('to_verify', 'flags & 32 <> 0', '1'), ('uncovered', 'uncovered <> 0', '1'),
      ('duplicates', 'duplicates <> 0', 'bit_count((duplicates & 127)::integer::bit(16))'))
      v(list, listed, rows) LOOP
    EXECUTE format(
      'INSERT INTO canbao.list_mark SELECT $1, %L, county, upto - rows, person_key FROM ('
      '  SELECT county, person_key, %s AS rows, '
      '    (sum(%2$s) OVER (PARTITION BY county ORDER BY person_key ROWS UNBOUNDED PRECEDING))::bigint '
      '    AS upto '
      '  FROM canbao.classification_row WHERE cutoff = $1 AND %s) r '
      'WHERE upto / 512 > (upto - rows) / 512', l.list, l.rows, l.listed) USING day;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION canbao.listed_persons_of, canbao.count_listed_rows, canbao.mark_lists
  FROM PUBLIC;

INSERT INTO canbao.listed_person SELECT * FROM canbao.listed_persons_of('canbao.classification_row');
SELECT canbao.count_listed_rows(cutoff), canbao.mark_lists(cutoff) FROM canbao.run
WHERE superseded_by IS NULL;

-- ---- work that SQL cannot do for a register that holds persons already ----
-- The program finds these rows when it opens the database, does the work and removes them.
CREATE TABLE canbao.upkeep (name text PRIMARY KEY);
INSERT INTO canbao.upkeep SELECT 'person_search' WHERE EXISTS (SELECT FROM canbao.person_row);
